# crates/engine/src/statistics.rs
# Two fields of a struct have changed places.
# noticed by: abi
/pub struct Statistics/,/^}/ { s/pub held:/pub swap:/; s/pub stored:/pub held:/; s/pub swap:/pub stored:/ }
