# src/rules/leave.rs
# Flushing what has expired flushes nothing.
# noticed by: conformance SSL_CTX_flush_sessions
s/lifetime\.second(tm)/&.min(0)/
