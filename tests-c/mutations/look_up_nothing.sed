# src/rules/handshake.rs
# A server's handshake finds nothing in the internal cache.
# noticed by: handshake alive_at_exit_tls12
s/if let Some(session) = self\.cached(ctx, ssl, key, single_use)/&.filter(|_| false)/
