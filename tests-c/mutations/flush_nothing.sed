# src/rules/internal_cache.rs
# Flushing what has expired flushes nothing.
# noticed by: conformance SSL_CTX_flush_sessions
s/self\.sessions\.flush(tm)/self.sessions.flush(tm.min(0))/
