# src/rules/add.rs
# What is added expires last, whatever its time.
# noticed by: random
s/self\.sessions\.insert(key, [a-z]*, /self.sessions.insert(key, crate::cache::Expiry::NEVER, /
