//! The block of text that `SSLCACHE_STATS` prints for a context.

use std::fmt::Write;

use super::{InternalCache, SessionRef};

/// One context's statistics, readable.
pub fn block<S: SessionRef>(standing: &str, number: u32, cache: &InternalCache<S>) -> String {
    let s = cache.statistics();
    let misses = s.misses_unknown + s.misses_expired + s.misses_removed + s.misses_evicted;
    let reasons = format!(
        "  (unknown {}, expired {}, removed {}, evicted {})",
        s.misses_unknown, s.misses_expired, s.misses_removed, s.misses_evicted
    );
    let rows = [
        ("held", s.held, ""),
        ("stored", s.stored, ""),
        ("hits", s.hits, ""),
        ("misses", misses, if misses > 0 { &reasons } else { "" }),
        ("replaced", s.replaced, ""),
        ("removed", s.removed, ""),
        ("taken", s.taken, ""),
        ("evicted", s.evicted, ""),
        ("flushed", s.flushed, ""),
    ];
    let process = std::process::id();
    let mut text = format!("sslcache: process {process} context {number} ({standing})\n");
    for (name, value, note) in rows {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {name:<9}{value:>10}{note}");
    }
    text
}
