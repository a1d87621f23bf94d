//! Death and standstill at each named step.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;

use sslcache_segment::{MAX_RECORD, Miss, Options, Put, Record, Step, Store, Wanted};

use crate::children::{Place, ended, open, signal, stopped};
use crate::probe::{Random, key, payload, probe, version};

const NOW: u32 = 100;
/// More than there is room for.
const RECORDS: u64 = 90;

/// The steps that a process comes to which uses a segment.
fn steps_of_use() -> impl Iterator<Item = Step> {
    Step::ALL.into_iter().filter(|&step| step < Step::FileMade && step != Step::TakenOver)
}

/// Uses a full set in every way, until it is told to stop.
pub fn helper(directory: &Path, number: usize) {
    let control = crate::control::Control::of(directory);
    let probe = |process| probe(process, control, number, 0);
    let store = open(directory, Options::SMALLEST, probe).expect("a segment");
    let mut random = Random(number as u64);
    let mut room = [0; MAX_RECORD];
    while !control.stops() {
        let number = random.below(RECORDS);
        let wanted = Wanted { key: key(number), name: 0, now: NOW };
        match random.below(8) {
            0 => drop(store.take(&wanted, &mut room)),
            1 => drop(store.remove(wanted.key)),
            2 | 3 => drop(store.get(&wanted, &mut room)),
            _ => drop(store.put(key(number), &record(&payload(number, 1, 170), number), NOW)),
        }
        control.workers[0].operations.fetch_add(1, SeqCst);
    }
}

fn record(bytes: &[u8], number: u64) -> Record<'_> {
    Record { expiry: 1000 + number as u32, name: 0, key_id: 0, bytes }
}

/// What is there is whole, and everything can be done.
fn is_usable(store: &Store) {
    let mut room = [0; MAX_RECORD];
    for number in 0..RECORDS {
        match store.get(&Wanted { key: key(number), name: 0, now: NOW }, &mut room) {
            Ok(found) => assert_eq!(version(number, &room[..found.length]), Some(1)),
            Err(why) => assert_eq!(why, Miss::Unknown),
        }
    }
    for number in 0..2 * RECORDS {
        let bytes = payload(number, 1, 170);
        assert_eq!(store.put(key(number), &record(&bytes, number), NOW), Put::Stored);
        let wanted = Wanted { key: key(number), name: 0, now: NOW };
        let found = store.take(&wanted, &mut room).expect("just stored");
        assert_eq!(&room[..found.length], bytes);
        assert_eq!(store.put(key(number), &record(&bytes, number), NOW), Put::Stored);
    }
    assert_eq!(store.check(), Ok(()));
}

pub fn kills() {
    for step in steps_of_use() {
        let place = Place::new();
        let (control, store) = (place.control(), place.open(Options::SMALLEST));
        control.order(0, step, libc::SIGKILL);
        let status = ended(&mut place.start("step", 0));
        assert_eq!(status.signal(), Some(libc::SIGKILL), "{step:?}");
        is_usable(&store);
        assert_eq!(store.statistics().damaged, 0, "{step:?}");
    }
}

/// Steps at which the lock is held.
fn holds(step: Step) -> bool {
    !matches!(step, Step::Copied | Step::Removed | Step::Unlocked)
}

pub fn stops() {
    for step in steps_of_use() {
        let place = Place::new();
        let (control, store) = (place.control(), place.open(Options::SMALLEST));
        control.order(0, step, libc::SIGSTOP);
        let mut child = place.start("step", 0);
        stopped(&child);
        while_it_stands(&store, step);
        signal(&child, libc::SIGCONT);
        control.stop.store(1, SeqCst);
        assert!(ended(&mut child).success());
        is_usable(&store);
        assert_eq!(store.statistics().damaged, 0, "{step:?}");
        assert_eq!(store.statistics().taken_over, 0, "{step:?}");
    }
}

/// A stopped holder holds up `put` in its set, and nothing else.
fn while_it_stands(store: &Store, step: Step) {
    let census = store.census(NOW);
    let is_locked = census.locked == 1;
    // Where a step comes while the lock is held and while it is not, either will do.
    assert!(is_locked || !holds(step) || step == Step::Locked, "{step:?}");
    let mut room = [0; MAX_RECORD];
    let (mut found, mut taken) = (0, 0);
    for number in 0..RECORDS {
        let wanted = Wanted { key: key(number), name: 0, now: NOW };
        found += u64::from(store.get(&wanted, &mut room).is_ok());
        if number % 2 == 0 {
            taken += u64::from(store.take(&wanted, &mut room).is_ok());
            assert_eq!(store.peek(&wanted), Err(Miss::Unknown), "it is gone");
        } else {
            store.remove(wanted.key);
            assert_eq!(store.peek(&wanted), Err(Miss::Unknown), "it is gone");
        }
    }
    assert_eq!(found, census.live, "{step:?}");
    assert!(taken <= found);
    let put = store.put(key(RECORDS), &record(&payload(RECORDS, 1, 170), 0), NOW);
    assert_eq!(put, if is_locked { Put::Busy } else { Put::Stored }, "{step:?}");
    store.remove(key(RECORDS));
}

/// Takes a dead holder's lock over, and dies with it at once; the next one does the same.
pub fn follower() {
    let place = Place::new();
    let (control, store) = (place.control(), place.open(Options::SMALLEST));
    let die_at = |step| {
        control.order(0, step, libc::SIGKILL);
        let status = ended(&mut place.start("step", 0));
        assert_eq!(status.signal(), Some(libc::SIGKILL), "{step:?}");
    };
    die_at(Step::Written);
    for _ in 0..3 {
        die_at(Step::TakenOver);
        assert_eq!(store.census(NOW).locked, 1);
    }
    die_at(Step::Freed);
    is_usable(&store);
    assert_eq!(store.statistics().damaged, 0);
}
