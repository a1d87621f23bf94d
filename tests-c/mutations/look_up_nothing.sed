# src/rules/handshake.rs
# A server's handshake finds nothing in the internal cache.
s/if let Some(session) = cached {/if let Some(session) = cached.filter(|_| false) {/
