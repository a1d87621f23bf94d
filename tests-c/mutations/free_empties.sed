# src/interpose/calls.rs
# SSL_CTX_free takes the sessions from the other processes.
# noticed by: shared seen
s/if tm == 0 && is_freeing(ctx\.addr())/if tm == 1 \&\& is_freeing(ctx.addr())/
