# src/rules/internal_cache.rs
# A session that another replaces keeps the reference of the cache.
# noticed by: differential
s/drop(replaced);/std::mem::forget(replaced);/
