# src/shared/tier.rs
# A shared session is found under another name than it was made under.
# noticed by: shared isolation
s/if self\.compares_names {/if self.compares_names \&\& server.is_empty() {/
