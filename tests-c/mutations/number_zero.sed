# src/rules/internal_cache.rs
# SSL_CTX_sess_number says 0.
s/SSL_CTRL_SESS_NUMBER => self\.sessions\.len() as c_long,/SSL_CTRL_SESS_NUMBER => 0,/
