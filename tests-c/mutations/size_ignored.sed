# src/rules/internal_cache.rs
# The size of the cache is kept, and has no effect.
/self\.sessions\.set_capacity(capacity(size));/d
