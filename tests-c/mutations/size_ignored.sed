# src/rules/internal_cache.rs
# The size of the cache is kept, and has no effect.
# noticed by: conformance SSL_CTX_sess_set_cache_size
/self\.sessions\.set_capacity(/d
