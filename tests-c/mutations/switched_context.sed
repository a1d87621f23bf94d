# src/interpose/connection.rs
# A connection that was switched to another context uses that one's cache.
# noticed by: handshake switched_by_servername_tls12
s/first\.unwrap_or_else(/first.filter(|_| false).unwrap_or_else(/
