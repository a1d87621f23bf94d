# src/rules/internal_cache.rs
# A cache of size n holds n sessions.
# noticed by: random
# noticed by: conformance SSL_CTX_sess_set_cache_size
s/(n - 1)\.max(1)/n/
