# src/rules/handshake.rs
# A server's handshake finds nothing in the internal cache.
s/let session = if single_use { self\.sessions\.take(key) } else { self\.sessions\.get(key) };/let session = None::<S>;/
