# src/rules/leave.rs
# A session that is flushed or evicted stays resumable.
# noticed by: conformance SSL_CTX_flush_sessions
# noticed by: random
/^ *session\.mark_not_resumable(ctx);/d
