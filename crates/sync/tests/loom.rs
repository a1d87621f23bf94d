//! The sequence lock (src/seqlock.rs) under every order of loads and stores that the memory model
//! allows: loom tries them all. `tests/loom.sh` runs it.
#![cfg(loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use sslcache_sync::SeqLock;

/// Two values that are changed together.
struct Pair {
    lock: SeqLock,
    a: AtomicU64,
    b: AtomicU64,
}

impl Pair {
    fn new() -> Arc<Pair> {
        let value = || AtomicU64::new(0);
        Arc::new(Pair { lock: SeqLock::new(), a: value(), b: value() })
    }

    fn set(&self, n: u64) {
        let _writing = self.lock.write();
        self.a.store(n, Ordering::Relaxed);
        self.b.store(n, Ordering::Relaxed);
    }

    fn get(&self) -> Option<(u64, u64)> {
        let number = self.lock.begin_read();
        let seen = (self.a.load(Ordering::Relaxed), self.b.load(Ordering::Relaxed));
        self.lock.is_valid(number).then_some(seen)
    }
}

#[test]
fn what_is_believed_was_written_together() {
    loom::model(|| {
        let pair = Pair::new();
        let writer = {
            let pair = pair.clone();
            thread::spawn(move || (1..=2).for_each(|n| pair.set(n)))
        };
        if let Some((a, b)) = pair.get() {
            assert_eq!(a, b);
        }
        writer.join().unwrap();
        assert_eq!(pair.get(), Some((2, 2)), "what has happened before is seen");
    });
}

/// Two writers, one after the other, as under the lock of a shard; the reader knows of the first.
#[test]
fn what_one_thread_wrote_another_changes() {
    loom::model(|| {
        let pair = Pair::new();
        pair.set(1);
        let writer = {
            let pair = pair.clone();
            thread::spawn(move || pair.set(2))
        };
        if let Some(seen) = pair.get() {
            assert!(seen == (1, 1) || seen == (2, 2), "{seen:?}");
        }
        writer.join().unwrap();
    });
}
