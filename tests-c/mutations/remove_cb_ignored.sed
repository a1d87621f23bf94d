# src/rules/callbacks.rs
# The remove callback is not called.
# noticed by: conformance SSL_CTX_sess_set_get_cb
s/if let Some(callback) = self\.remove_cb()/if let Some(callback) = None::<RemoveSessionCb>.flatten()/
