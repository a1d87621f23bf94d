# src/rules/internal_cache.rs
# Removing a session loses the reference that the cache held.
s/found\.is_some()/found.map(std::mem::forget).is_some()/
