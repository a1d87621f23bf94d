# src/exports/sslcache.rs
# Two fields of a struct have changed places.
# noticed by: abi
/pub struct SSLCACHE_STATS/,/^}/ { s/pub held:/pub swap:/; s/pub stored:/pub held:/; s/pub swap:/pub stored:/ }
