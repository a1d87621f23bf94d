//! The engine against moka, quick_cache and dashmap, on the same trace: sessions come one after the
//! other, with timeouts of 300 to 7500 seconds, or all of 3900.
//!
//! All four hand out an `Arc`, and never of a session that has expired. Beyond that they do not do
//! the same: only the engine and the dashmap (with a search tree of expiries beside it) evict the
//! session that expires first; moka knows expiry but evicts what is used least; quick_cache knows
//! no expiry, so that the session is asked at each look-up. Each hashes as it comes: the engine and
//! the standard library's hash of moka and dashmap with a secret key, quick_cache with a faster one.

mod caches;
mod pauses;

use caches::{Cache, Dash, Engine, Id, Moka, Quick, Session};
use sslcache_bench::{arguments, median, mix, next_random, publish};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::time::Duration;

const NAMES: [&str; 4] = ["engine", "quick_cache", "moka", "dashmap"];

const USAGE: &str = "usage: cargo run --release --package sslcache-engine-bench --
           [--quick] [--runs N] [--pauses N] [--markdown FILE]
  --quick          a cache of 20,480 alone, once
  --runs N         of each measurement, turn by turn; the medians count (default 3)
  --pauses N       instead: the longest operation of the engine while it fills with N sessions
                   and empties again, in several orders of arrival
  --markdown FILE  write the table there, too: between <!-- caches --> and <!-- /caches -->, or
                   <!-- pauses --> and <!-- /pauses -->
";

/// The number of a session tells its id and its expiry.
fn id(number: u64) -> Id {
    let mut id = [0; 32];
    for (i, word) in id.chunks_exact_mut(8).enumerate() {
        let factor = 0xd134_2543_de82_ef95u64.wrapping_mul(2 * i as u64 + 1);
        word.copy_from_slice(&mix(number + 1).wrapping_mul(factor).to_le_bytes());
    }
    id
}

const NOW: u64 = 1_700_000_000;

/// As many sessions come in a mean lifetime as the cache holds.
fn session(number: u64, capacity: u64) -> Arc<Session> {
    session_of(number, capacity, 300 + mix(number ^ 0x5bd1_e995) % 7201)
}

fn session_of(number: u64, capacity: u64, timeout: u64) -> Arc<Session> {
    Arc::new(Session { id: id(number), expiry: NOW + number * 3900 / capacity + timeout })
}

/// Nanoseconds this thread has computed: other programs do not show.
fn cpu_now() -> f64 {
    now(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn now(clock: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists, and the place to write to lives across the call.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

const BATCH: u64 = 512;

/// Nanoseconds for each of so many batches of operations; prepared outside the clock.
fn timed<T>(batches: u64, mut prepare: impl FnMut() -> T, mut operation: impl FnMut(T)) -> f64 {
    let mut total = 0.0;
    for _ in 0..batches {
        let prepared: Vec<T> = (0..BATCH).map(|_| prepare()).collect();
        let begin = cpu_now();
        prepared.into_iter().for_each(&mut operation);
        total += cpu_now() - begin;
    }
    total / (batches * BATCH) as f64
}

/// Insertions into a full cache: each makes another session leave.
fn insertions<C: Cache>(capacity: u64, session: fn(u64, u64) -> Arc<Session>) -> f64 {
    let cache = C::new(capacity as usize);
    let mut numbers = 0..;
    let mut next = || session(numbers.next().unwrap_or_default(), capacity);
    (0..capacity * 3 / 2).for_each(|_| cache.insert(next()));
    timed(400, next, |session| cache.insert(session))
}

/// Look-ups that find their session.
fn lookups(cache: &impl Cache, sessions: u64) -> f64 {
    const BATCHES: u64 = 1000;
    let (mut random, mut found) = (1, 0u64);
    let cost = timed(
        BATCHES,
        || id(next_random(&mut random) % sessions),
        |id| found += u64::from(cache.get(&id).is_some()),
    );
    assert!(found >= BATCHES * BATCH * 99 / 100, "{found} found");
    cost
}

/// An operation: a look-up, unless there is a session to take out and to put back.
struct Step {
    id: Id,
    session: Option<Arc<Session>>,
}

/// 5 of 100 operations put a session back, drawn over all of them.
fn steps(kept: &[Arc<Session>], mut random: u64, threads: usize) -> Vec<Step> {
    let step = |_| {
        let session = &kept[(next_random(&mut random) % kept.len() as u64) as usize];
        let writes = next_random(&mut random) % 100 < 5;
        Step { id: session.id, session: writes.then(|| session.clone()) }
    };
    (0..65_536.max(2 * kept.len() / threads)).map(step).collect()
}

fn take(cache: &impl Cache, step: &Step) {
    match &step.session {
        None => drop(std::hint::black_box(cache.get(&step.id))),
        Some(session) => {
            cache.remove(&step.id);
            cache.insert(session.clone());
        }
    }
}

/// Nanoseconds that all threads together have computed for an operation, waiting included. Each goes
/// through a list of its own in a circle, which is there before the clock starts.
fn mixed(cache: &impl Cache, kept: &[Arc<Session>], threads: usize) -> f64 {
    let (stop, total) = (AtomicBool::new(false), AtomicU64::new(0));
    let start_line = Barrier::new(threads + 1);
    let begin = std::thread::scope(|scope| {
        for thread in 0..threads {
            let (stop, total, start_line) = (&stop, &total, &start_line);
            scope.spawn(move || {
                let steps = steps(kept, thread as u64 * 1_000_003, threads);
                let mut count = 0;
                start_line.wait();
                for chunk in steps.chunks_exact(64).cycle() {
                    if stop.load(Relaxed) {
                        break;
                    }
                    chunk.iter().for_each(|step| take(cache, step));
                    count += 64;
                }
                total.fetch_add(count, Relaxed);
            });
        }
        start_line.wait();
        let begin = now(libc::CLOCK_PROCESS_CPUTIME_ID);
        std::thread::sleep(Duration::from_millis(500));
        stop.store(true, Relaxed);
        begin
    });
    (now(libc::CLOCK_PROCESS_CPUTIME_ID) - begin) / total.load(Relaxed) as f64
}

const OPERATIONS: [&str; 5] = [
    "insert + evict, equal timeouts, full cache of",
    "insert + evict, mixed timeouts, full cache of",
    "look-up,",
    "95% look-up, 5% remove + insert, 1 thread,",
    "95% look-up, 5% remove + insert, 8 threads,",
];
/// The operations on one cache. All but the first two on one with room for twice as many.
fn measure<C: Cache>(sessions: u64) -> [f64; 5] {
    let equal = insertions::<C>(sessions, |number, capacity| session_of(number, capacity, 3900));
    let mixed_timeouts = insertions::<C>(sessions, session);
    let cache = C::new(sessions as usize * 2);
    let kept: Vec<_> = (0..sessions).map(|number| session(number, sessions)).collect();
    kept.iter().for_each(|session| cache.insert(session.clone()));
    let lookup = lookups(&cache, sessions);
    [equal, mixed_timeouts, lookup, mixed(&cache, &kept, 1), mixed(&cache, &kept, 8)]
}

/// The rows for caches of one size.
fn rows(sessions: u64, size: &str, runs: usize) -> String {
    let caches: [fn(u64) -> [f64; 5]; 4] =
        [measure::<Engine>, measure::<Quick>, measure::<Moka>, measure::<Dash>];
    let all: Vec<[[f64; 5]; 4]> =
        (0..runs).map(|_| caches.map(|measure| measure(sessions))).collect();
    let figure =
        |cache: usize, operation: usize| median(all.iter().map(|run| run[cache][operation]));
    let row = |operation: usize| {
        let figures = std::array::from_fn(|cache| figure(cache, operation));
        format!("| {} {size} |{}\n", OPERATIONS[operation], cells(figures))
    };
    (0..OPERATIONS.len()).map(row).collect()
}

fn cells(figures: [f64; 4]) -> String {
    let mut text = format!(" {:.0} ns |", figures[0]);
    for other in &figures[1..] {
        text.push_str(&format!(" {other:.0} ns ({:.2}x) |", other / figures[0]));
    }
    text
}

struct Wanted {
    quick: bool,
    runs: Option<usize>,
    markdown: Option<String>,
    pauses: Option<u64>,
}

impl Wanted {
    fn from_arguments() -> Option<Wanted> {
        let mut wanted = Wanted { quick: false, runs: None, markdown: None, pauses: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => wanted.quick = true,
                "--runs" => wanted.runs = Some(arguments.next()?.parse().ok().filter(|&n| n > 0)?),
                "--markdown" => wanted.markdown = Some(arguments.next()?),
                "--pauses" => wanted.pauses = Some(arguments.next()?.parse().ok()?),
                _ => return None,
            }
        }
        Some(wanted)
    }
}

fn main() -> ExitCode {
    let wanted = match arguments(USAGE, Wanted::from_arguments) {
        Ok(wanted) => wanted,
        Err(code) => return code,
    };
    let (name, table) = match wanted.pauses {
        Some(sessions) => ("pauses", pauses::table(sessions)),
        None => ("caches", against_others(&wanted)),
    };
    publish(wanted.markdown.as_deref().map(Path::new), name, &table)
}

/// In brackets: how many times as good the engine is.
fn against_others(wanted: &Wanted) -> String {
    let runs = wanted.runs.unwrap_or(if wanted.quick { 1 } else { 3 });
    let mut table = format!("| operation | {} |\n|---|--:|--:|--:|--:|\n", NAMES.join(" | "));
    table += &rows(20_480, "20,480", runs);
    if !wanted.quick {
        table += &rows(1_000_000, "1,000,000", runs);
    }
    table
}
