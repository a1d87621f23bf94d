# src/rules/add.rs
# A session that another replaces is reported as removed.
# noticed by: random
s/drop(replaced);/replaced.inspect(|s| self.has_left_unasked(ctx, s));/
