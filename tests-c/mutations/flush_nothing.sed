# src/rules/internal_cache.rs
# Flushing what has expired flushes nothing.
s/tm => self\.all_departed(ctx, self\.sessions\.flush(tm)),/_ => {}/
