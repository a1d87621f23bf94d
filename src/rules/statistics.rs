//! The text that `SSLCACHE_STATS` writes for a context.

use std::fmt;

use libc::c_long;

use crate::cache::Statistics;
use crate::settings::settings;

/// What one context did, readable.
pub struct Report {
    /// The standing of the library.
    pub standing: &'static str,
    /// Contexts are numbered in the order they were made.
    pub number: u32,
    /// What happened.
    pub statistics: Statistics,
    /// Of the hits: sessions that had expired, and were not flushed yet.
    pub stale: c_long,
    /// What happened with sessions that processes share.
    pub shared: Option<Shared>,
}

/// Of the look-ups for sessions that processes share.
pub struct Shared {
    /// They were there, but had no object in this process.
    pub fetched: c_long,
    /// They were there no more, or had changed, but had an object in this process.
    pub gone: c_long,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (process, s) = (std::process::id(), &self.statistics);
        write!(f, "sslcache: process {process} context {} ({})", self.number, self.standing)?;
        let set = settings().set;
        if !set.is_none() {
            write!(f, " with {set}")?;
        }
        writeln!(f)?;
        row(f, "held", s.held)?;
        row(f, "stored", s.stored)?;
        row(f, "hits", s.hits.saturating_sub(self.stale as u64))?;
        if self.stale > 0 {
            row(f, "stale", self.stale)?;
        }
        write!(f, "  {:<9}{:>10}", "misses", s.misses())?;
        if s.misses() > 0 {
            write!(
                f,
                "  (unknown {}, expired {}, removed {}, evicted {})",
                s.misses_unknown, s.misses_expired, s.misses_removed, s.misses_evicted
            )?;
        }
        writeln!(f)?;
        row(f, "replaced", s.replaced)?;
        row(f, "removed", s.removed)?;
        row(f, "taken", s.taken)?;
        row(f, "evicted", s.evicted)?;
        row(f, "flushed", s.flushed)?;
        let Some(shared) = &self.shared else { return Ok(()) };
        row(f, "fetched", shared.fetched)?;
        row(f, "gone", shared.gone)
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(f, "  {name:<9}{value:>10}")
}
