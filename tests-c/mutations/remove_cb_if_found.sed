# src/rules/leave.rs
# Only a session that was in the cache is reported as removed.
# noticed by: random
/pub fn removed/,/^    }/ s/self\.callbacks\.removed(ctx, session);/if found.is_some() { & }/
