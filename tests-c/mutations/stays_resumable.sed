# src/rules/internal_cache.rs
# A session that is flushed or evicted stays resumable.
/session\.mark_not_resumable(ctx);/d
