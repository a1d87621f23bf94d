# src/exports/sslcache.rs
# A parameter has another type.
# noticed by: abi
/fn SSLCACHE_accept_session/,/{/ s/id_len: c_uint/id_len: size_t/
