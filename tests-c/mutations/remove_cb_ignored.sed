# src/rules/callbacks.rs
# The remove callback is not called.
s/if let Some(callback) = self\.remove_cb()/if let Some(callback) = None::<RemoveSessionCb>.flatten()/
