# src/rules/counters.rs
# The counters that the library keeps stay 0.
# noticed by: conformance SSLCACHE_accept_session
s/self\.0\.load(Ordering::Relaxed)\.into()/c_long::from(self.0.load(Ordering::Relaxed)) * 0/
