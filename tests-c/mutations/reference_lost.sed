# src/rules/internal_cache.rs
# Removing a session loses the reference that the cache held.
s/let found = self\.sessions\.remove(&session\.key());/&\n        found.clone().map(std::mem::forget);/
