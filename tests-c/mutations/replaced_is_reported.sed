# src/rules/internal_cache.rs
# A session that another replaces is reported as removed.
# noticed by: random
s/drop(replaced);/replaced.inspect(|s| self.departed(ctx, s));/
