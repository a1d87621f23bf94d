# src/shared/tier.rs
# A shared session that is to be used once is still there afterwards.
# noticed by: shared replay
s/self\.sealed\.take(/self.sealed.get(/
