# src/rules/add.rs
# No session ever expires in the cache.
# noticed by: conformance SSL_CTX_flush_sessions
s/let (key, expiry) = session\.key_and_expiry();/&\n        let expiry = if std::hint::black_box(true) { crate::cache::Expiry::NEVER } else { expiry };/
