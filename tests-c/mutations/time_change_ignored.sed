# src/rules/internal_cache.rs
# A change of its time does not move a cached session.
# noticed by: random
s/self\.sessions\.reschedule(key, session, expiry);/let _ = (key, session, expiry);/
