//! Look-ups without the lock under the orders of loads and stores that the memory model allows: those
//! with up to two switches between threads, as many as fit into twenty seconds. `tests/loom.sh`
//! runs it.
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use sslcache_engine::{Expiry, Insertion, Key, SessionCache, StampedKey};
use std::time::Duration;

/// Tries orders, but not for ever.
fn check(f: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.max_branches = 20_000;
    model.max_duration = Some(Duration::from_secs(20));
    model.check(f);
}

fn key(n: u64) -> Key {
    Key::new(771, &[n.to_be_bytes(); 4].concat()).unwrap()
}

/// A key that has the first half of one and the second half of another.
fn mixed(a: &Key, b: &Key) -> [u64; sslcache_engine::KEY_WORDS] {
    let (a, b) = (a.words(), b.words());
    [a[0], a[1], b[2], b[3], b[4]]
}

#[test]
fn a_key_that_is_changing_is_never_the_halves_of_two() {
    check(|| {
        let entry = Arc::new(StampedKey::new());
        entry.set(&key(1).words());
        let writer = {
            let entry = entry.clone();
            thread::spawn(move || {
                entry.clear();
                entry.set(&key(2).words());
            })
        };
        assert!(!entry.is(&mixed(&key(1), &key(2))));
        assert!(!entry.is(&mixed(&key(2), &key(1))));
        writer.join().unwrap();
        assert!(entry.is(&key(2).words()));
    });
}

#[test]
fn a_key_that_was_set_again_is_the_latest() {
    check(|| {
        let entry = Arc::new(StampedKey::new());
        entry.set(&key(1).words());
        let writer = {
            let entry = entry.clone();
            thread::spawn(move || (2..=3).for_each(|n| entry.set(&key(n).words())))
        };
        let later = entry.is(&key(2).words());
        assert!(!later || !entry.is(&key(1).words()), "never back to the one before");
        writer.join().unwrap();
        assert!(entry.is(&key(3).words()));
    });
}

fn insert(cache: &SessionCache<u64>, n: u64) {
    assert!(matches!(cache.insert(key(n), Expiry::at(0), n), Insertion::Added { .. }));
}

/// The seventh session needs a second page: what is at home there moves.
#[test]
fn what_moves_to_a_new_bucket_is_always_found() {
    check(|| {
        let cache = Arc::new(SessionCache::new(usize::MAX));
        (0..6).for_each(|n| insert(&cache, n));
        let writer = {
            let cache = cache.clone();
            thread::spawn(move || insert(&cache, 6))
        };
        assert!((0..2).all(|n| cache.contains(&key(n))), "always there");
        writer.join().unwrap();
        assert!((0..7).all(|n| cache.contains(&key(n))));
        cache.validate();
    });
}

/// An entry is freed and used again under the eyes of a look-up for another one.
#[test]
fn what_stays_is_found_while_its_neighbours_change() {
    check(|| {
        let cache = Arc::new(SessionCache::new(usize::MAX));
        (0..2).for_each(|n| insert(&cache, n));
        let writer = {
            let cache = cache.clone();
            thread::spawn(move || {
                assert!(cache.remove(&key(1)).is_some());
                insert(&cache, 4);
            })
        };
        assert!(cache.contains(&key(0)), "always there");
        let came = cache.contains(&key(4));
        assert!(!came || !cache.contains(&key(1)), "one has left before the other came");
        writer.join().unwrap();
        assert!(cache.contains(&key(4)) && !cache.contains(&key(1)));
    });
}
