# src/rules/lhash_view.rs
# What leaves the cache stays in the table of SSL_CTX_sessions.
# noticed by: conformance SSL_CTX_sessions
s/shown\.lhash\.remove(\(.*\));/let _ = \1;/
