# src/rules/internal_cache.rs
# No session ever expires in the cache.
s/session\.expiry()/crate::cache::Expiry::after(c_long::MAX, 0)/
