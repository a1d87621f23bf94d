# src/rules/mode.rs
# SSL_SESS_CACHE_NO_INTERNAL_LOOKUP and _STORE have no effect.
# noticed by: handshake no_internal_tls12
s/!self\.has(SSL_SESS_CACHE_NO_INTERNAL_\(LOOKUP\|STORE\))/(self.0 | !0) != 0/
