# src/rules/leave.rs
# Removing a session loses the reference that the cache held.
# noticed by: conformance SSL_CTX_add_session
s/let found = .*self\.sessions\.remove(.*);/&\n        found.as_deref().cloned().map(std::mem::forget);/
