# src/rules/callbacks.rs
# The get callback is not called.
s/let callback = self\.get_cb()?;/let callback = None::<GetSessionCb>.flatten()?;/
