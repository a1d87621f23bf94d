# src/rules/leave.rs
# What one process removes, the others still find.
# noticed by: shared seen
s/is_some_and(|share| share\.remove(key))/is_some_and(|_| false)/
