# src/rules/internal_cache.rs
# Removing a session leaves it in the cache.
s/let found = self\.sessions\.remove(&session\.key());/let found = None::<S>;/
