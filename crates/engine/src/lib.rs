//! The engine: a bounded, concurrent map from (protocol version, session id) to a session, in
//! OpenSSL's observable order. It knows no C, no OpenSSL and no callbacks.
//!
//! # Promises
//!
//! - **Order.** Sessions leave in order of expiry, those of one second in order of insertion,
//!   exact over the whole cache, whatever the number of threads.
//! - **The new session stays.** A full cache evicts the session that expires first, but never the
//!   one just inserted, even if that expires sooner still.
//! - **Nothing foreign runs under a lock**, but for `S::clone` and `S::eq`, which are to be a
//!   reference count and a comparison of addresses. What leaves is returned, never dropped here:
//!   the caller's callbacks and destructors may use the same cache.
//! - **No abort for want of memory.** An insertion reserves what it needs before it changes
//!   anything; without memory the session is given back.
//! - **Short waits.** The lock is held for one session at a time, and no step takes longer the
//!   larger the cache is: all of it grows a little at a time, and nothing is ever searched through,
//!   moved or rebuilt.
//! - **Small when unused.** A cache that never stores takes no memory beyond itself, and ten
//!   sessions take little more than their entries. A cache keeps the memory for as many sessions as
//!   it held at most: membership tests read it without a lock, so nobody knows when it could be freed.
//!
//! # Shape
//!
//! A [`SessionCache`] has one lock (`sslcache-sync`) for everything that changes it, and each operation
//! (`cache`) is one hold of it (`state`). Entries of one cache line (`entry`) lie with the buckets of the
//! index in pages that never move (`pages`, `bucket`); a hash table finds them by key, without the lock
//! if need be (`index`), and a calendar has them in the order in which they leave (`order`).
//! Flushes and evictions hand out what leaves one by one (`departures`). `ghosts` remembers for a
//! while why sessions left, for the statistics.
//!
//! ```
//! use sslcache_engine::{Expiry, Insertion, Key, SessionCache};
//! use std::sync::Arc;
//!
//! # #[derive(Clone)] struct Session(Arc<str>);
//! # impl PartialEq for Session { fn eq(&self, o: &Self) -> bool { Arc::ptr_eq(&self.0, &o.0) } }
//! let cache = SessionCache::new(20_480);
//! let key = Key::new(0x0303, b"a session id").unwrap();
//! match cache.insert(key, Expiry::after(1_700_000_000, 300), Session("secret".into())) {
//!     Insertion::Added { replaced, evicted } => {
//!         assert!(replaced.is_none());
//!         assert_eq!(evicted.count(), 0);
//!     }
//!     Insertion::AlreadyThere(_) | Insertion::NoMemory(_) => unreachable!(),
//! }
//! assert!(cache.get(&key).is_some());
//! assert_eq!(cache.flush(1_700_000_301).count(), 1);
//! assert!(cache.is_empty());
//! ```
#![deny(unsafe_code)]

mod bucket;
mod cache;
mod departures;
mod entry;
mod expiry;
mod ghosts;
mod index;
mod key;
mod memory;
mod order;
mod pages;
mod state;
mod statistics;
mod sync;

pub use cache::{Cause, Insertion, SessionCache};
pub use departures::Departures;
pub use entry::StampedKey;
pub use expiry::Expiry;
pub use key::KEY_WORDS;
pub use key::{Key, SessionId};
pub use statistics::Statistics;
