# src/rules/callbacks.rs
# The get callback is not called.
# noticed by: handshake get_copy_tls12
s/let callback = self\.get_cb()?;/let callback = None::<GetSessionCb>.flatten()?;/
