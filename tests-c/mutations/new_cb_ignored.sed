# src/rules/callbacks.rs
# The new callback is not called.
# noticed by: handshake new_result_tls12
s/let Some(callback) = self\.new_cb() else/let Some(callback) = None::<NewSessionCb>.flatten() else/
