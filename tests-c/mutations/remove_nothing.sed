# src/rules/leave.rs
# Removing a session leaves it in the cache.
# noticed by: conformance SSL_CTX_add_session
s/self\.sessions\.remove(\(.*\));/self.sessions.get(\1).filter(|_| false);/
