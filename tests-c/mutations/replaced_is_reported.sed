# src/rules/internal_cache.rs
# A session that another replaces is reported as removed.
# noticed by: differential
s/drop(replaced);/replaced.inspect(|s| self.departed(ctx, s));/
