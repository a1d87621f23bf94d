# src/rules/shared.rs
# What a process has once seen of the shared cache stays good for it.
# noticed by: shared seen
s/if shared\.confirms(&\*object)/if shared.confirms(\&*object) || !single_use/
