//! The counters of a context that no look at the cache can answer.

use std::sync::atomic::{AtomicI32, Ordering};

use libc::c_long;

/// One of OpenSSL's counters: an `int` that wraps, never reset.
#[derive(Default)]
pub struct Counter(AtomicI32);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The value.
    pub fn get(&self) -> c_long {
        self.0.load(Ordering::Relaxed).into()
    }
}

/// `SSL_CTX_sess_connect` and so on, by OpenSSL's names.
#[derive(Default)]
#[repr(align(64))]
#[allow(missing_docs)]
pub struct Counters {
    pub connect: Counter,
    pub connect_good: Counter,
    pub accept: Counter,
    pub accept_good: Counter,
    pub hits: Counter,
    pub cb_hits: Counter,
    pub misses: Counter,
    pub timeouts: Counter,
    pub cache_full: Counter,
    // And for the statistics alone: sessions that were found, but had expired; and of what processes
    // share.
    pub stale: Counter,
    pub fetched: Counter,
    pub gone: Counter,
}
