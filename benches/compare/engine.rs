//! The engine alone, without the C functions and the session objects: its cost at ten million.

use crate::run::median;
use sslcache::cache::{Expiry, Insertion, Key, SessionCache};
use std::hint::black_box;

const BATCH: usize = 512;
const BATCHES: usize = 200;

fn mix(x: u64) -> u64 {
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

fn key(number: u64) -> Key {
    let mut id = [0; 32];
    for (i, word) in id.chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&mix(number * 4 + i as u64 + 1).to_le_bytes());
    }
    Key::new(0x0304, &id).expect("32 bytes")
}

/// As the sessions of the C programs: one mean lifetime for each filling of the cache.
fn expiry(number: u64, capacity: u64, mixed: bool) -> Expiry {
    let timeout = if mixed { 300 + mix(number) % 7201 } else { 3900 };
    Expiry::at((1_700_000_000 + number * 3900 / capacity + timeout) as i64)
}

fn insert(cache: &SessionCache<u64>, key: Key, expiry: Expiry) {
    match cache.insert(key, expiry, 0) {
        Insertion::Added { evicted, .. } => drop(evicted),
        Insertion::AlreadyThere(_) | Insertion::NoMemory(_) => unreachable!("a new number"),
    }
}

fn full(sessions: usize, mixed: bool) -> SessionCache<u64> {
    let cache = SessionCache::new(sessions);
    for number in 0..sessions as u64 {
        insert(&cache, key(number), expiry(number, sessions as u64, mixed));
    }
    cache
}

/// Nanoseconds this thread has computed: other programs do not show.
fn cpu_now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists, and the place to write to lives across the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Median cost of an operation on each of some prepared things, in nanoseconds.
fn cost<T>(mut prepare: impl FnMut() -> T, mut operation: impl FnMut(T)) -> f64 {
    let batch = |_| {
        let prepared: Vec<T> = (0..BATCH).map(|_| prepare()).collect();
        let begin = cpu_now();
        prepared.into_iter().for_each(&mut operation);
        (cpu_now() - begin) / BATCH as f64
    };
    median((0..BATCHES).map(batch).collect::<Vec<_>>().into_iter())
}

/// What the operations cost with so many sessions, in nanoseconds.
pub struct Costs {
    pub sessions: usize,
    pub lookup: f64,
    pub add_equal: f64,
    pub add_mixed: f64,
}

pub fn costs(sessions: usize) -> Costs {
    let equal = full(sessions, false);
    let lookup = lookup(&equal, sessions);
    let add_equal = add(&equal, sessions, false);
    drop(equal);
    Costs { sessions, lookup, add_equal, add_mixed: add(&full(sessions, true), sessions, true) }
}

/// The look-up of the other lines of the picture: is it there?
fn lookup(cache: &SessionCache<u64>, sessions: usize) -> f64 {
    let mut random = 0u64;
    let prepare = || {
        random += 1;
        key(mix(random) % sessions as u64)
    };
    cost(prepare, |key| {
        black_box(cache.contains(&key));
    })
}

/// An insertion into a full cache.
fn add(cache: &SessionCache<u64>, sessions: usize, mixed: bool) -> f64 {
    let mut number = sessions as u64;
    let prepare = || {
        number += 1;
        (key(number), expiry(number, sessions as u64, mixed))
    };
    cost(prepare, |(key, expiry)| insert(cache, key, expiry))
}
