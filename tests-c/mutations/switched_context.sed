# src/interpose/attached.rs
# A connection that was switched to another context uses that one's cache.
s/if !first\.is_null() {/if false \&\& !first.is_null() {/
