# src/rules/lifetime.rs
# A negative timeout never expires.
# noticed by: random
# noticed by: conformance unusual_times
# noticed by: handshake context_timeouts_tls12
s/Lifetime::Checked if timeout > /Lifetime::Checked if timeout < 0 || timeout > /
