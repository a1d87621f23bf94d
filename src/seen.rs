//! What has happened in this process so far: for `sslcache info PID`, which reads it from outside.

use sslcache_facts::{Fact, Facts};

#[used]
static SEEN: Facts = Facts::new(env!("CARGO_PKG_VERSION"));

/// Notes that this has happened.
#[inline(always)]
pub fn note(fact: Fact) {
    SEEN.note(fact);
}
