# src/interpose/isolation.rs
# A shared session is found by a server that shows another certificate.
# noticed by: shared isolation
s/Some(certificate) => add(&certificate\.digest()?)?,/Some(_) => add(b"one")?,/
