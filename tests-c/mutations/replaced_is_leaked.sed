# src/rules/add.rs
# A session that another replaces keeps the reference of the cache.
# noticed by: random
s/drop(replaced);/std::mem::forget(replaced);/
