# src/exports/ssl_session_is_resumable.rs
# A function has gone.
# noticed by: abi
s/fn SSL_SESSION_is_resumable/fn SSL_SESSION_may_be_resumed/
