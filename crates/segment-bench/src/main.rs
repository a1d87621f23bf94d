//! The segment against a rough zone as nginx has one (`zone.rs`): two processes on one cache, by
//! the processor time of an operation, turn by turn.
//!
//! And by itself: what an attach takes, how many sessions a MiB holds, and how long an operation
//! takes beside a process that has stopped with a lock in its hand, or died with it.

mod processes;
mod zone;

use std::ffi::CString;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use processes::{fork, kill_and_wait, stop_with_a_lock, two_at_work, wait_until_stopped};
use sslcache_bench::{arguments, median, mix, next_random, publish};
use sslcache_segment::{AtSteps, Buffer, Key, MAX_RECORD, Options, Record, Store, Wanted};
use zone::{BLOCK, Id, Zone};

const USAGE: &str = "usage: cargo run --release --package sslcache-segment-bench --
           [--quick] [--runs N] [--markdown FILE]
  --quick          20,000 sessions only
  --runs N         of each measurement, turn by turn; the medians count (default 7)
  --markdown FILE  write the tables there, too; if FILE has the lines <!-- segment --> and
                   <!-- /segment -->, between those
";

/// A session with a name of 15 bytes, without its id, sealed.
const LENGTH: usize = 153;
const NOW: u32 = 1_700_000_000;

fn key(number: u64) -> Key {
    let (low, high) = (mix(number + 1), mix(number ^ 0x5555_5555_1234_4321));
    Key::new((u128::from(high) << 64 | u128::from(low)).to_le_bytes())
}

fn id(number: u64) -> Id {
    std::array::from_fn(|word| mix(number + 1).wrapping_mul(2 * word as u64 + 1))
}

/// What is compared.
trait Cache {
    fn new(sessions: u64) -> Self;
    fn get(&self, number: u64, room: &mut Buffer) -> bool;
    fn take(&self, number: u64, room: &mut Buffer) -> bool;
    fn put(&self, number: u64);
}

impl Cache for Store {
    /// With a third more room than sessions: sets fill unevenly.
    fn new(sessions: u64) -> Self {
        Store::anonymous(Options::SMALLEST + sessions * 4 / 3 / 71 * (16 << 10)).expect("memory")
    }
    fn get(&self, number: u64, room: &mut Buffer) -> bool {
        Store::get(self, &Wanted { key: key(number), name: 0, now: NOW }, room).is_ok()
    }
    fn take(&self, number: u64, room: &mut Buffer) -> bool {
        Store::take(self, &Wanted { key: key(number), name: 0, now: NOW }, room).is_ok()
    }
    fn put(&self, number: u64) {
        let bytes = [number as u8; LENGTH];
        let record = Record { expiry: NOW + 300, name: 0, key_id: 0, bytes: &bytes };
        std::hint::black_box(Store::put(self, key(number), &record, NOW));
    }
}

impl Cache for Zone {
    fn new(sessions: u64) -> Self {
        Zone::new(sessions as usize * 4 / 3)
    }
    fn get(&self, number: u64, room: &mut Buffer) -> bool {
        Zone::get(self, &id(number), NOW.into(), block(room)).is_some()
    }
    fn take(&self, number: u64, room: &mut Buffer) -> bool {
        Zone::take(self, &id(number), NOW.into(), block(room)).is_some()
    }
    fn put(&self, number: u64) {
        let session = [number as u8; LENGTH];
        Zone::put(self, &id(number), NOW.into(), u64::from(NOW) + 300, &session);
    }
}

fn block(room: &mut Buffer) -> &mut [u8; BLOCK] {
    room.first_chunk_mut().expect("there is more room than that")
}

/// Nanoseconds of processor time of an operation, while two processes work on one cache: a
/// look-up; and a session taken and put again, which is two.
fn measure<C: Cache>(sessions: u64) -> [f64; 2] {
    let cache = C::new(sessions);
    (0..sessions).for_each(|number| cache.put(number));
    let get = two_at_work(|process| {
        let (mut random, mut room, cache) = (process, [0; MAX_RECORD], &cache);
        move || {
            let number = next_random(&mut random) % sessions;
            std::hint::black_box(cache.get(number, &mut room));
        }
    });
    // Each process has its half: what one has taken the other does not miss.
    let take_and_put = two_at_work(|process| {
        let (mut random, mut room, cache) = (process, [0; MAX_RECORD], &cache);
        move || {
            let number = next_random(&mut random) % (sessions / 2) * 2 + process;
            std::hint::black_box(cache.take(number, &mut room));
            cache.put(number);
        }
    });
    [get, take_and_put / 2.0]
}

fn against_the_zone(sizes: &[u64], runs: usize) -> String {
    let mut table = String::from(
        "| two processes, processor time of an operation | segment | zone | times as good |\n\
         |---|--:|--:|--:|\n",
    );
    for &sessions in sizes {
        let all: Vec<[[f64; 2]; 2]> =
            (0..runs).map(|_| [measure::<Store>(sessions), measure::<Zone>(sessions)]).collect();
        for (operation, name) in ["get", "take, put"].into_iter().enumerate() {
            let of = |cache: usize| median(all.iter().map(|run| run[cache][operation]));
            let ratio = median(all.iter().map(|run| run[1][operation] / run[0][operation]));
            let (ours, theirs) = (of(0), of(1));
            table += &format!(
                "| {name}, {sessions} sessions | {ours:.0} ns | {theirs:.0} ns | {ratio:.1}x |\n"
            );
        }
    }
    table
}

/// The median time of opening a segment of this size that is there, in microseconds.
fn attach(size: u64, runs: usize) -> f64 {
    let name = CString::new(format!("sslcache-bench-{}", std::process::id())).expect("a name");
    let directory = File::open("/dev/shm").expect("/dev/shm");
    let options = Options { size, ..Options::default() };
    let made = Store::open(directory.as_fd(), &name, &options).expect("a segment");
    let times = (0..runs * 30).map(|_| {
        let begin = Instant::now();
        let attached = Store::attach(directory.as_fd(), &name, &options).expect("a segment");
        // What a first look at it needs is part of it.
        std::hint::black_box(attached.epoch(0));
        let time = begin.elapsed();
        assert_eq!(attached.sets(), made.sets());
        time.as_secs_f64() * 1e6
    });
    let time = median(times);
    let _ = std::fs::remove_file(format!("/dev/shm/{}.v1", name.to_str().expect("a name")));
    time
}

/// Sessions for each MiB of a segment into which far more were put.
fn sessions_per_mib(mib: u64) -> f64 {
    let store = Store::anonymous(mib << 20).expect("memory");
    (0..mib * 20_000).for_each(|number| Cache::put(&store, number));
    assert_eq!(store.check(), Ok(()));
    store.census(NOW).live as f64 / mib as f64
}

/// The longest operation, in milliseconds, beside a process that has the lock of one set and does
/// not give it back; and how many records were not stored meanwhile.
fn beside_a_holder(is_dead: bool) -> (f64, u64) {
    // So many that every set has room for its own.
    const SESSIONS: u64 = 2000;
    let name = CString::new(format!("sslcache-bench-{}", std::process::id())).expect("a name");
    let directory = File::open("/dev/shm").expect("/dev/shm");
    let options = Options { size: 1 << 20, ..Options::default() };
    let open = || Store::open(directory.as_fd(), &name, &options).expect("a segment");
    let store = open();
    (0..SESSIONS).for_each(|number| Cache::put(&store, number));
    let holder = fork(|| {
        let stopper = |process| AtSteps(process, stop_with_a_lock);
        let stopper = Store::open_as(directory.as_fd(), &name, &options, stopper);
        let bytes = [0; LENGTH];
        let record = Record { expiry: NOW + 300, name: 0, key_id: 0, bytes: &bytes };
        stopper.expect("a segment").put(key(1), &record, NOW);
    });
    wait_until_stopped(holder);
    if is_dead {
        kill_and_wait(holder);
    }
    let (mut longest, mut room) = (0.0f64, [0; MAX_RECORD]);
    let mut timed = |operation: &mut dyn FnMut()| {
        let begin = Instant::now();
        operation();
        longest = longest.max(begin.elapsed().as_secs_f64() * 1e3);
    };
    for number in 0..SESSIONS {
        timed(&mut || assert!(Cache::get(&store, number, &mut room)));
        timed(&mut || assert!(Cache::take(&store, number, &mut room)));
        timed(&mut || Cache::put(&store, number));
    }
    if !is_dead {
        kill_and_wait(holder);
    }
    let _ = std::fs::remove_file(format!("/dev/shm/{}.v1", name.to_str().expect("a name")));
    (longest, store.statistics().busy)
}

fn alone(runs: usize) -> String {
    let mut table = String::from("| the segment by itself | |\n|---|--:|\n");
    for (size, name) in [(1 << 20, "1 MiB"), (64 << 20, "64 MiB"), (1 << 30, "1 GiB")] {
        table += &format!("| attach to {name} | {:.0} us |\n", attach(size, runs));
    }
    for mib in [1, 16] {
        let sessions = sessions_per_mib(mib);
        table += &format!("| sessions of {LENGTH} bytes in a MiB, of {mib} | {sessions:.0} |\n");
    }
    for (is_dead, what) in [(false, "stopped"), (true, "dead")] {
        let all: Vec<_> = (0..runs).map(|_| beside_a_holder(is_dead)).collect();
        let longest = median(all.iter().map(|run| run.0));
        let busy = median(all.iter().map(|run| run.1 as f64));
        table += &format!(
            "| longest of 6,000 operations beside a {what} holder of a lock | {longest:.1} ms |\n\
             | not stored meanwhile, of 2,000 | {busy} |\n"
        );
    }
    table
}

struct Arguments {
    quick: bool,
    runs: usize,
    markdown: Option<String>,
}

impl Arguments {
    fn read() -> Option<Arguments> {
        let mut read = Arguments { quick: false, runs: 7, markdown: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => read.quick = true,
                "--runs" => read.runs = arguments.next()?.parse().ok().filter(|&n| n > 0)?,
                "--markdown" => read.markdown = Some(arguments.next()?),
                _ => return None,
            }
        }
        Some(read)
    }
}

fn main() -> ExitCode {
    let arguments = match arguments(USAGE, Arguments::read) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let sizes: &[u64] = if arguments.quick { &[20_000] } else { &[20_000, 200_000] };
    let tables = [against_the_zone(sizes, arguments.runs), alone(arguments.runs)].join("\n");
    publish(arguments.markdown.as_deref().map(Path::new), "segment", &tables)
}
