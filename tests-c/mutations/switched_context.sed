# src/interpose/attached.rs
# A connection that was switched to another context uses that one's cache.
# noticed by: handshake switched_by_servername_tls12
s/if !first\.is_null() {/if false \&\& !first.is_null() {/
