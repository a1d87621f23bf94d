//! The engine against moka, quick_cache and dashmap, on the same trace: sessions come one after the
//! other, with timeouts of 300 to 7500 seconds, into a cache that is full.
//!
//! `cargo run --release --manifest-path benches/engine/Cargo.toml -- [--runs N] [--quick]`
//!
//! All four hand out an `Arc`, and never one that has expired. Beyond that they do not do the same:
//! only the engine and the dashmap (with a search tree of expiries beside it) evict the session that
//! expires first; moka knows expiry but evicts what is used least; quick_cache knows no expiry, so
//! that is checked here at each look-up.

mod caches;

use caches::{Cache, Dash, Engine, Id, Moka, Quick, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const NAMES: [&str; 4] = ["engine", "quick_cache", "moka", "dashmap"];

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
fn expiry(number: u64, capacity: u64) -> u64 {
    NOW + number * 3900 / capacity + 300 + mix(number ^ 0x5bd1_e995) % 7201
}

fn mix(x: u64) -> u64 {
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mix(*state)
}

/// Nanoseconds this thread has computed: other programs do not show.
fn cpu_now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists, and the place to write to lives across the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn fill(cache: &impl Cache, count: u64, capacity: u64) {
    for number in 0..count {
        cache.insert(id(number), expiry(number, capacity), Arc::new(number));
    }
}

/// Nanoseconds for each of `count` operations, given their numbers; prepared outside the clock.
fn timed<T>(count: u64, mut prepare: impl FnMut(u64) -> T, mut operation: impl FnMut(T)) -> f64 {
    const BATCH: u64 = 512;
    let mut total = 0.0;
    for batch in 0..count / BATCH {
        let prepared: Vec<T> = (0..BATCH).map(|i| prepare(batch * BATCH + i)).collect();
        let begin = cpu_now();
        prepared.into_iter().for_each(&mut operation);
        total += cpu_now() - begin;
    }
    total / (count / BATCH * BATCH) as f64
}

/// Insertions into a full cache: each makes another session leave.
fn insertions<C: Cache>(capacity: u64) -> f64 {
    let cache = C::new(capacity as usize);
    fill(&cache, capacity * 2, capacity);
    let prepare = |i| {
        let number = capacity * 2 + i;
        (id(number), expiry(number, capacity), Arc::new(number))
    };
    let count = capacity.clamp(100_000, 500_000);
    timed(count, prepare, |(id, expiry, value)| cache.insert(id, expiry, value))
}

/// Look-ups that find their session. The cache has room for twice as many: all stay.
fn lookups<C: Cache>(sessions: u64) -> f64 {
    let cache = C::new(sessions as usize * 2);
    fill(&cache, sessions, sessions);
    let (mut random, mut found) = (1, 0u64);
    const COUNT: u64 = 500_000;
    let cost = timed(
        COUNT,
        |_| id(next_random(&mut random) % sessions),
        |id| found += u64::from(cache.get(&id, NOW).is_some()),
    );
    assert!(found >= COUNT / 512 * 512 * 99 / 100, "{found} found");
    cost
}

/// Million operations a second: 95% look-ups, 5% a session out and in again.
fn mixed<C: Cache>(sessions: u64, threads: u64) -> f64 {
    let cache = C::new(sessions as usize * 2);
    fill(&cache, sessions, sessions);
    let (stop, total) = (AtomicBool::new(false), AtomicU64::new(0));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (cache, stop, total) = (&cache, &stop, &total);
            scope.spawn(move || {
                let (mut random, mut count) = (thread, 0);
                while !stop.load(Relaxed) {
                    for _ in 0..64 {
                        one_of_the_mix(cache, next_random(&mut random), sessions);
                    }
                    count += 64;
                }
                total.fetch_add(count, Relaxed);
            });
        }
        std::thread::sleep(Duration::from_millis(400));
        stop.store(true, Relaxed);
    });
    total.load(Relaxed) as f64 / begin.elapsed().as_secs_f64() / 1e6
}

fn one_of_the_mix(cache: &impl Cache, drawn: u64, sessions: u64) {
    let number = (drawn >> 8) % sessions;
    let id = id(number);
    if drawn & 0xff < 13 {
        if let Some(value) = cache.remove(&id) {
            cache.insert(id, expiry(number, sessions), value);
        }
    } else {
        std::hint::black_box::<Option<Value>>(cache.get(&id, NOW));
    }
}

struct Workload {
    name: &'static str,
    unit: &'static str,
    more_is_better: bool,
    /// One measurement for each of [`NAMES`].
    caches: [fn() -> f64; 4],
}

macro_rules! workload {
    ($name:literal, $unit:literal, $more:literal, $measure:ident($($argument:expr),*)) => {
        Workload {
            name: $name,
            unit: $unit,
            more_is_better: $more,
            caches: [
                || $measure::<Engine>($($argument),*),
                || $measure::<Quick>($($argument),*),
                || $measure::<Moka>($($argument),*),
                || $measure::<Dash>($($argument),*),
            ],
        }
    };
}

fn workloads(quick: bool) -> Vec<Workload> {
    let mut all = vec![
        workload!("insert + evict, 20,480", "ns", false, insertions(20_480)),
        workload!("look-up, 20,480", "ns", false, lookups(20_480)),
        workload!("95/5 mixed, 20,480, 1 thread", "M/s", true, mixed(20_480, 1)),
        workload!("95/5 mixed, 20,480, 8 threads", "M/s", true, mixed(20_480, 8)),
    ];
    if !quick {
        all.push(workload!("insert + evict, 1,000,000", "ns", false, insertions(1_000_000)));
        all.push(workload!("look-up, 1,000,000", "ns", false, lookups(1_000_000)));
        all.push(workload!("95/5 mixed, 1,000,000, 8 threads", "M/s", true, mixed(1_000_000, 8)));
    }
    all
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) / 2]
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let runs = arguments.iter().position(|argument| argument == "--runs");
    let runs = runs.and_then(|at| arguments.get(at + 1)?.parse().ok());
    let runs: usize = runs.unwrap_or(if quick { 1 } else { 5 });
    println!("| operation | {} |", NAMES.join(" | "));
    println!("|---|--:|--:|--:|--:|");
    for workload in workloads(quick) {
        let mut figures: [Vec<f64>; 4] = Default::default();
        for _ in 0..runs {
            for (figures, measure) in figures.iter_mut().zip(workload.caches) {
                figures.push(measure());
            }
        }
        println!("{}", line(&workload, figures.map(median)));
    }
    println!("\nIn brackets: how many times as good the engine is.");
}

fn line(workload: &Workload, figures: [f64; 4]) -> String {
    let unit = workload.unit;
    let mut text = format!("| {} | {:.1} {unit} |", workload.name, figures[0]);
    for other in &figures[1..] {
        let ratio = if workload.more_is_better { figures[0] / other } else { other / figures[0] };
        text.push_str(&format!(" {other:.1} {unit} ({ratio:.2}x) |"));
    }
    text
}
