# src/interpose/isolation.rs
# A shared session is found by a server that shows another certificate.
# noticed by: shared isolation
s/certificate => add(&digest_with(.*)?)?,/_ => add(b"one")?,/
