# src/rules/callbacks.rs
# The new callback is not called.
s/let Some(callback) = self\.new_cb() else/let Some(callback) = None::<NewSessionCb>.flatten() else/
