//! The protocols of a set under the orders of loads and stores that the memory model allows: those
//! with up to three switches between processes, as many as fit into some seconds. `tests/loom.sh`
//! runs it.
//!
//! A process is a thread here, its death a panic that leaves the lock as it is; and a set has
//! three slots and four cells of eight bytes.

use std::cell::Cell;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use loom::thread;

use crate::host::{Host, Step};
use crate::layout::{CELL, Key, MAX_RECORD, Set};
use crate::lookup::{Found, Miss, Wanted};
use crate::put::{Put, Record};

/// A process, which may die at a step.
struct Process {
    pid: u32,
    time: u64,
    /// Where it dies: at this step, when it has come there as often.
    dies: Option<Step>,
    /// The dead, one bit for each.
    dead: Arc<AtomicU32>,
    is_dead: Cell<bool>,
}

/// What is thrown where a process dies: what it holds stays held.
struct Death;

impl Process {
    fn new(pid: u32, dead: &Arc<AtomicU32>) -> Self {
        Process { pid, time: 0, dies: None, dead: dead.clone(), is_dead: Cell::new(false) }
    }
}

impl Host for Process {
    fn pid(&self) -> u32 {
        self.pid
    }
    fn milliseconds(&self) -> u64 {
        self.time
    }
    fn microseconds(&self) -> u64 {
        0
    }
    fn is_gone(&self, pid: u32) -> bool {
        self.dead.load(Ordering::Acquire) >> pid & 1 != 0
    }
    fn wait(&self, _: u32) {
        thread::yield_now();
    }
    fn step(&self, step: Step) {
        if self.dies == Some(step) && !self.is_dead.replace(true) {
            // (Without the hook that tells of panics.)
            std::panic::resume_unwind(Box::new(Death));
        }
    }
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    check_for(Duration::from_secs(4), model);
}

fn check_for(limit: Duration, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 20_000;
    builder.max_duration = Some(limit);
    builder.check(model);
}

const NOW: u32 = 100;

fn key(number: u8) -> Key {
    Key::new([number; 16])
}

fn wanted(number: u8) -> Wanted {
    Wanted { key: key(number), name: 0, now: NOW }
}

/// Stores so many cells, each full of this byte.
fn put(set: &Set, process: &Process, number: u8, fill: u8, cells: usize) -> Put {
    let bytes = [fill; MAX_RECORD];
    let bytes = &bytes[..cells * CELL];
    let record = Record { expiry: NOW + u32::from(fill), name: 0, key_id: 0, bytes };
    set.put(process, key(number), &record, NOW, false).0
}

/// The same in the place of one that is there.
fn put_again(set: &Set, process: &Process, number: u8, fill: u8) -> Put {
    let record = Record { expiry: NOW + u32::from(fill), name: 0, key_id: 0, bytes: &[fill; CELL] };
    set.put(process, key(number), &record, NOW, true).0
}

/// What a look-up found, if it was whole.
fn whole(found: Result<Found, Miss>, out: &[u8; MAX_RECORD]) -> Option<u8> {
    let found = found.ok()?;
    let bytes = &out[..found.length];
    assert!(bytes.iter().all(|&byte| byte == bytes[0]), "the halves of two records: {bytes:?}");
    assert_eq!(found.expiry, NOW + u32::from(bytes[0]), "the facts of another");
    Some(bytes[0])
}

fn get(set: &Set, process: &Process, number: u8) -> Option<u8> {
    let mut out = [0; MAX_RECORD];
    whole(set.get(process, &wanted(number), &mut out), &out)
}

fn take(set: &Set, process: &Process, number: u8) -> Option<u8> {
    let mut out = [0; MAX_RECORD];
    whole(set.take(process, &wanted(number), &mut out), &out)
}

fn is_sound(set: &Set, process: &Process) {
    assert_eq!(set.check(process, |_| true), Ok(()));
}

/// A set, and three processes.
fn world() -> (Arc<Set>, [Process; 3]) {
    let dead = Arc::new(AtomicU32::new(0));
    (Arc::new(Set::new()), [1, 2, 3].map(|pid| Process::new(pid, &dead)))
}

#[test]
fn one_process_has_the_lock_at_a_time() {
    check(|| {
        let (set, [first, second, _]) = world();
        let inside = Arc::new(AtomicBool::new(false));
        let enter = |set: &Set, process: &Process, inside: &AtomicBool| {
            let held = set.lock.lock(process).unwrap();
            assert!(!inside.swap(true, Ordering::Relaxed), "two at once");
            inside.store(false, Ordering::Relaxed);
            drop(held);
        };
        let (other_set, other_inside) = (set.clone(), inside.clone());
        let thread = thread::spawn(move || enter(&other_set, &second, &other_inside));
        enter(&set, &first, &inside);
        thread.join().unwrap();
        assert_eq!(set.lock.holder(), None);
    });
}

#[test]
fn a_dead_holder_is_followed_by_one_process() {
    check(|| {
        let (set, [first, second, third]) = world();
        std::mem::forget(set.lock.lock(&first));
        first.dead.fetch_or(1 << 1, Ordering::Release);
        let other = set.clone();
        let thread = thread::spawn(move || other.lock.lock(&second).unwrap().was_taken_over());
        let taken_over = set.lock.lock(&third).unwrap().was_taken_over();
        assert!(taken_over != thread.join().unwrap(), "the other one found it free");
    });
}

#[test]
fn one_of_two_takes() {
    check(|| {
        let (set, [first, second, third]) = world();
        assert_eq!(put(&set, &first, 1, 7, 2), Put::Stored);
        let other = set.clone();
        let thread = thread::spawn(move || take(&other, &second, 1));
        let mine = take(&set, &third, 1);
        let theirs = thread.join().unwrap();
        assert!(matches!((mine, theirs), (Some(7), None) | (None, Some(7))));
        is_sound(&set, &first);
    });
}

#[test]
fn what_is_found_beside_a_replacement_is_the_old_or_the_new() {
    check(|| {
        let (set, [first, second, _]) = world();
        assert_eq!(put(&set, &first, 1, 7, 2), Put::Stored);
        let other = set.clone();
        let thread = thread::spawn(move || put(&other, &second, 1, 8, 1));
        let found = get(&set, &first, 1);
        assert!(matches!(found, None | Some(7 | 8)), "{found:?}");
        assert_eq!(thread.join().unwrap(), Put::Stored);
        assert_eq!(get(&set, &first, 1), Some(8));
        is_sound(&set, &first);
    });
}

#[test]
fn what_is_taken_beside_a_replacement_is_whole_and_taken_once() {
    check(|| {
        let (set, [first, second, _]) = world();
        assert_eq!(put(&set, &first, 1, 7, 2), Put::Stored);
        let other = set.clone();
        let thread = thread::spawn(move || put(&other, &second, 1, 8, 2));
        let taken = take(&set, &first, 1);
        assert_eq!(thread.join().unwrap(), Put::Stored);
        let left = get(&set, &first, 1);
        let expected = if taken == Some(8) { None } else { Some(8) };
        assert_eq!(left, expected, "after {taken:?}");
        is_sound(&set, &first);
    });
}

/// What is changed by one and taken by another is taken once: it does not come back.
#[test]
fn what_is_taken_is_not_put_again() {
    check(|| {
        let (set, [first, second, _]) = world();
        assert_eq!(put(&set, &first, 1, 7, 1), Put::Stored);
        let other = set.clone();
        let thread = thread::spawn(move || put_again(&other, &second, 1, 8));
        let taken = take(&set, &first, 1);
        let expected = match taken {
            Some(7) => (Put::Gone, None),
            Some(8) => (Put::Stored, None),
            // Just between the old and the new.
            _ => (Put::Stored, Some(8)),
        };
        assert_eq!(thread.join().unwrap(), expected.0, "after {taken:?}");
        assert_eq!(get(&set, &first, 1), expected.1, "after {taken:?}");
        is_sound(&set, &first);
    });
}

/// Cells and slots of what was evicted are written again while a look-up copies them.
#[test]
fn what_is_found_beside_an_eviction_is_whole() {
    check(|| {
        let (set, [first, second, _]) = world();
        assert_eq!(put(&set, &first, 1, 7, 3), Put::Stored);
        let other = set.clone();
        let thread = thread::spawn(move || put(&other, &second, 2, 8, 3));
        let found = get(&set, &first, 1);
        assert!(matches!(found, None | Some(7)));
        assert_eq!(thread.join().unwrap(), Put::Stored);
        assert_eq!((get(&set, &first, 1), get(&set, &first, 2)), (None, Some(8)));
        is_sound(&set, &first);
    });
}

/// One process wipes the cells, another one writes them again, a third is still copying.
#[test]
fn what_is_found_beside_a_removal_and_another_record_is_whole() {
    check(|| {
        let (set, [first, second, third]) = world();
        assert_eq!(put(&set, &first, 1, 7, 3), Put::Stored);
        let (removing, storing) = (set.clone(), set.clone());
        let removal = thread::spawn(move || removing.remove(&second, key(1)));
        let storage = thread::spawn(move || put(&storing, &third, 2, 8, 3));
        let found = get(&set, &first, 1);
        assert!(matches!(found, None | Some(7)));
        removal.join().unwrap();
        assert_eq!(storage.join().unwrap(), Put::Stored);
        assert_eq!((get(&set, &first, 1), get(&set, &first, 2)), (None, Some(8)));
        is_sound(&set, &first);
    });
}

#[test]
fn two_that_store_one_key_leave_one_record() {
    check(|| {
        let (set, [first, second, third]) = world();
        let other = set.clone();
        let thread = thread::spawn(move || put(&other, &second, 1, 8, 2));
        assert_eq!(put(&set, &first, 1, 7, 2), Put::Stored);
        assert_eq!(thread.join().unwrap(), Put::Stored);
        is_sound(&set, &third);
        assert!(take(&set, &third, 1).is_some());
        assert_eq!(take(&set, &third, 1), None);
    });
}

/// Wherever a process dies in a `put`: the other's `put` and look-up go on, and what is there is
/// whole.
#[test]
fn a_process_that_dies_in_a_put_holds_up_nobody() {
    for step in [
        Step::Locked,
        Step::Retired,
        Step::Evicted,
        Step::Wiped,
        Step::Freed,
        Step::CellWritten,
        Step::Written,
        Step::Published,
    ] {
        let deaths = std::sync::Arc::new(AtomicUsize::new(0));
        let died = deaths.clone();
        check_for(Duration::from_secs(2), move || {
            let (set, [mut first, second, third]) = world();
            assert_eq!(put(&set, &first, 1, 6, 2), Put::Stored);
            assert_eq!(put(&set, &first, 2, 5, 2), Put::Stored);
            first.dies = Some(step);
            let other = set.clone();
            let work = move || dies_in(&first, || put(&other, &first, 1, 8, 3));
            let dying = thread::spawn(work);
            let found = get(&set, &second, 1);
            assert!(matches!(found, None | Some(6 | 8)), "{found:?}");
            assert_eq!(put(&set, &second, 3, 9, 1), Put::Stored);
            died.fetch_add(dying.join().unwrap().into(), std::sync::atomic::Ordering::Relaxed);
            is_sound(&set, &third);
            assert_eq!(get(&set, &third, 3), Some(9));
            let left = get(&set, &third, 1);
            assert!(matches!(left, None | Some(6 | 8)), "{left:?}");
            assert_eq!(put(&set, &third, 1, 9, 2), Put::Stored);
        });
        assert!(deaths.load(std::sync::atomic::Ordering::Relaxed) > 0, "nobody died: {step:?}");
    }
}

/// Runs what dies, unless it does not come to that step, and tells the others.
fn dies_in(process: &Process, work: impl FnOnce() -> Put) -> bool {
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err();
    if died {
        process.dead.fetch_or(1 << process.pid, Ordering::Release);
    }
    died
}
