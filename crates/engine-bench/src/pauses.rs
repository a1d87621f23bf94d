//! The longest operation on the engine while it fills and empties again: nothing is to wait for a
//! rebuild, in whatever order sessions arrive.

use crate::id;
use sslcache_bench::mix;
use sslcache_engine::{Cause, Expiry, Key, SessionCache};
use std::num::NonZeroU64;
use std::time::Instant;

/// What comes first, expires how.
type Arrival = (&'static str, fn(u64, u64) -> i64);

const ARRIVALS: [Arrival; 5] = [
    ("at once", |_, _| 300),
    ("ascending", |n, _| n as i64),
    ("descending", |n, sessions| (sessions - n) as i64),
    ("mixed, within a day", |n, _| (mix(n) % 86_400) as i64),
    ("at random", |n, _| (mix(n) % (1 << 31)) as i64),
];

/// How often everything is done. What takes long each time, at the same operation, is ours; what
/// takes long once is the machine's.
const ROUNDS: usize = 3;

/// Nanoseconds of each of many operations: the least of all rounds.
#[derive(Default)]
struct Times {
    least: Vec<f32>,
    next: usize,
}

impl Times {
    fn time<T>(&mut self, operation: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = operation();
        let taken = begin.elapsed().as_nanos() as f32;
        match self.least.get_mut(self.next) {
            Some(least) => *least = least.min(taken),
            None => self.least.push(taken),
        }
        self.next += 1;
        result
    }
}

impl Times {
    fn longest(&self) -> String {
        let longest = self.least.iter().fold(0.0, |a: f32, &b| a.max(b));
        format!("{:.0} us", longest / 1e3)
    }
}

/// Resident memory of the process.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    pages.unwrap_or_default() * 4096.0
}

/// The four operations that are timed.
#[derive(Default)]
struct All {
    add: Times,
    look_up: Times,
    removal: Times,
    flush: Times,
}

/// Adds, looks up and removes (every other one explicitly, the rest in a flush). Returns the
/// resident memory of the cache.
fn fill_and_empty(sessions: u64, expiry: fn(u64, u64) -> i64, times: &mut All) -> f64 {
    let cache = SessionCache::new(usize::MAX);
    let key = |n: u64| Key::new(0x0303, &id(n)).expect("32 bytes");
    let handle = |n: u64| NonZeroU64::MIN.saturating_add(n);
    for times in [&mut times.add, &mut times.look_up, &mut times.removal, &mut times.flush] {
        // The list of times is there before the memory is measured.
        times.least.reserve_exact(sessions as usize + 1 - times.least.len());
        times.next = 0;
    }
    let before = resident();
    for n in 0..sessions {
        let (key, expiry) = (key(n), Expiry::at(expiry(n, sessions)));
        let _ = times.add.time(|| cache.insert(key, expiry, handle(n)));
        if n % 8 == 0 {
            assert!(times.look_up.time(|| cache.get(&key)).is_some());
        }
    }
    let taken = resident() - before;
    for n in (0..sessions).step_by(2) {
        let key = key(n);
        assert!(times.removal.time(|| cache.remove(&key)).is_some());
    }
    let mut departures = cache.flush_all(Cause::Expired);
    while times.flush.time(|| departures.next()).is_some() {}
    taken
}

/// All orders of arrival, with so many sessions, as a table.
pub fn table(sessions: u64) -> String {
    let mut table = "| expiries come | add | look-up | removal | one of a flush | memory |\n\
                     |---|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for (name, expiry) in ARRIVALS {
        let mut times = All::default();
        let taken = (0..ROUNDS).map(|_| fill_and_empty(sessions, expiry, &mut times));
        let each = taken.fold(0.0, f64::max) / sessions as f64;
        let All { add, look_up, removal, flush } = times;
        let longest = [add, look_up, removal, flush].map(|times| times.longest()).join(" | ");
        table += &format!("| {name} | {longest} | {each:.0} B |\n");
    }
    table
}
