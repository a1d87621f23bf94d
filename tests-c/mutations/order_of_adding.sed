# src/rules/internal_cache.rs
# What is added expires last, whatever its time.
# noticed by: differential
s/self\.sessions\.insert(key, [a-z]*, /self.sessions.insert(key, Expiry::NEVER, /
