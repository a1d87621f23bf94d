//! Workers that are killed and stopped, at random and at steps, and what they knew of their
//! records.
//!
//! Each key has an owner, which notes the version that it is about to store, and then that it is
//! stored. Everybody looks the keys up: what is found has to be whole, and a version between the
//! two; and what was stored for certain has to be there. Tokens are stored once; everybody tries
//! to take them. The next worker of a number goes on with the keys of the one that was killed.

use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use sslcache_segment::{MAX_RECORD, Put, Record, Step, Store, Wanted};

use crate::children::{Place, ended, open, signal, stopped, wait_until};
use crate::control::{Control, KEYS, TOKENS};
use crate::probe::{Probe, Random, key, payload, probe, version};

const NOW: u32 = 100;
const WORKERS: usize = 4;
/// Enough that no key has to leave: tokens expire sooner.
const ROOMY: u64 = 8 << 20;
const FULL: u64 = 2 << 20;
/// Steps of a worker with the lock of a set.
const HOLDING: [Step; 7] = [
    Step::Locked,
    Step::Retired,
    Step::Wiped,
    Step::Freed,
    Step::CellWritten,
    Step::Written,
    Step::Published,
];

/// A worker's life.
struct Life {
    control: &'static Control,
    store: Store<Probe>,
    worker: usize,
    random: Random,
    room: Box<[u8; MAX_RECORD]>,
}

fn live(directory: &Path, worker: usize, size: u64, mut act: impl FnMut(&mut Life)) {
    let control = Control::of(directory);
    let probe = |process| probe(process, control, worker, 300);
    let store = open(directory, size, probe).expect("a segment");
    let random = Random(u64::from(std::process::id()) << 32 | worker as u64);
    let mut life = Life { control, store, worker, random, room: Box::new([0; MAX_RECORD]) };
    while !control.stops() {
        let begin = Instant::now();
        act(&mut life);
        let worker = &control.workers[worker];
        worker.longest.fetch_max(begin.elapsed().as_nanos() as u64, SeqCst);
        worker.operations.fetch_add(1, SeqCst);
    }
}

pub fn keeper(directory: &Path, worker: usize) {
    live(directory, worker, ROOMY, |life| match life.random.below(100) {
        0..40 => life.store_own(),
        40..75 => life.look_up(),
        75..85 => life.store_token(),
        _ => life.take_token(),
    });
}

pub fn filler(directory: &Path, worker: usize) {
    live(directory, worker, FULL, |life| {
        let number = 1 << 50 | life.random.below(20_000);
        let wanted = Wanted { key: key(number), name: 0, now: NOW };
        match life.random.below(100) {
            0..50 => life.store_any(number),
            50..85 => {
                let found = life.store.get(&wanted, &mut life.room);
                life.is_whole(number, found.ok().map(|found| found.length));
            }
            85..95 => drop(life.store.remove(wanted.key)),
            _ => {
                let found = life.store.take(&wanted, &mut life.room);
                life.is_whole(number, found.ok().map(|found| found.length));
            }
        }
    });
}

impl Life {
    fn put(&self, number: u64, expiry: u32, bytes: &[u8]) -> bool {
        let record = Record { expiry, name: 0, key_id: 0, bytes };
        let put = self.store.put(key(number), &record, NOW);
        if put == Put::Busy {
            self.control.workers[self.worker].busy.fetch_add(1, SeqCst);
        }
        put == Put::Stored
    }

    /// Records of all lengths, some of them long.
    fn store_any(&mut self, number: u64) {
        let length = match self.random.below(16) {
            0 => 1700,
            1 => 200 + self.random.below(8000),
            _ => 100 + self.random.below(150),
        };
        let bytes = payload(number, self.random.next(), length as usize);
        let expiry = 1000 + self.random.below(1000) as u32;
        self.put(number, expiry, &bytes);
    }

    fn is_whole(&self, number: u64, length: Option<usize>) -> Option<u64> {
        let version = version(number, &self.room[..length?]);
        if version.is_none() {
            self.control.faults.damaged.fetch_add(1, SeqCst);
        }
        version
    }

    fn store_own(&mut self) {
        let own = self.random.below((KEYS / WORKERS) as u64) as usize * WORKERS + self.worker;
        let version = self.control.trying[own].load(SeqCst) + 1;
        self.control.trying[own].store(version, SeqCst);
        let bytes = payload(own as u64, version, 60 + self.random.below(140) as usize);
        if self.put(own as u64, 1000, &bytes) {
            self.control.acknowledged[own].store(version, SeqCst);
        }
    }

    fn look_up(&mut self) {
        let number = self.random.below(KEYS as u64);
        let known = || {
            let at = number as usize;
            (self.control.acknowledged[at].load(SeqCst), self.control.trying[at].load(SeqCst))
        };
        let before = known();
        let wanted = Wanted { key: key(number), name: 0, now: NOW };
        let found = self.store.get(&wanted, &mut self.room);
        let after = known();
        match found {
            Ok(found) => {
                let version = self.is_whole(number, Some(found.length));
                if version.is_some_and(|version| version < before.0 || version > after.1) {
                    self.control.faults.stale.fetch_add(1, SeqCst);
                }
            }
            // It was stored, and nobody was storing it again.
            Err(_) if before == after && before.0 == before.1 && before.0 > 0 => {
                self.control.faults.lost.fetch_add(1, SeqCst);
            }
            Err(_) => {}
        }
    }

    fn store_token(&mut self) {
        let token = self.control.tokens.fetch_add(1, SeqCst) as usize;
        if token < TOKENS {
            let number = 1 << 41 | token as u64;
            // It expires before every key, so that it leaves before them.
            if self.put(number, 500, &payload(number, 1, 180)) {
                self.control.token_stored[token].store(1, SeqCst);
            }
        }
    }

    fn take_token(&mut self) {
        let given = self.control.tokens.load(SeqCst).min(TOKENS as u64);
        let token = given.saturating_sub(1 + self.random.below(40));
        let number = 1 << 41 | token;
        let wanted = Wanted { key: key(number), name: 0, now: NOW };
        if let Ok(found) = self.store.take(&wanted, &mut self.room) {
            self.control.token_taken[token as usize].fetch_add(1, SeqCst);
            self.is_whole(number, Some(found.length));
        }
    }
}

/// Kills workers of a role, one after the other, and stops some. Returns how many died with a lock.
fn torment(place: &Place, role: &str, size: u64, kills: usize) -> (Store, u64) {
    let (control, store) = (place.control(), place.open(size));
    let start = |worker| place.start(role, worker);
    let mut children: Vec<Child> = (0..WORKERS).map(start).collect();
    let mut random = Random(u64::from(std::process::id()));
    let begin = Instant::now();
    for number in 0..kills {
        let worker = random.below(WORKERS as u64) as usize;
        if random.below(10) == 0 {
            stop(control, &children[worker], worker, &mut random);
        }
        kill(control, &mut children[worker], worker, &mut random, number);
        children[worker] = start(worker);
    }
    let seconds = begin.elapsed().as_secs_f64();
    wait_for_all(control, None);
    control.stop.store(1, SeqCst);
    assert!(children.iter_mut().all(|child| ended(child).success()));
    let holders = store.statistics().taken_over + store.census(NOW).locked;
    let sum = |count: fn(&crate::control::Worker) -> &AtomicU64| {
        control.workers.iter().map(|worker| count(worker).load(SeqCst)).sum::<u64>()
    };
    let longest = control.workers.iter().map(|worker| worker.longest.load(SeqCst)).max();
    println!(
        "  {role}: {kills} killed in {seconds:.1} s, {holders} of them with a lock; {} operations, \
         {} not stored, the longest {:.1} ms",
        sum(|worker| &worker.operations),
        sum(|worker| &worker.busy),
        longest.unwrap_or(0) as f64 / 1e6
    );
    assert!(control.faults.none(), "{:?}", control.faults);
    assert_eq!(store.statistics().damaged, 0);
    assert!(holders * 3 >= kills as u64, "too few died with a lock: {holders} of {kills}");
    (store, holders)
}

/// Kills a worker: at a moment, or, every second one, at a step with the lock.
fn kill(control: &Control, child: &mut Child, worker: usize, random: &mut Random, number: usize) {
    if number % 2 == 0 {
        std::thread::sleep(Duration::from_micros(200 + random.below(4000)));
        signal(child, libc::SIGKILL);
    } else {
        let step = HOLDING[random.below(HOLDING.len() as u64) as usize];
        control.order(worker, step, libc::SIGKILL);
    }
    ended(child);
    control.cancel_order(worker);
}

/// Stops a worker, at a moment or at a step; meanwhile all others go on.
fn stop(control: &Control, child: &Child, worker: usize, random: &mut Random) {
    if random.below(2) == 0 {
        signal(child, libc::SIGSTOP);
    } else {
        control.order(worker, HOLDING[random.below(7) as usize], libc::SIGSTOP);
    }
    stopped(child);
    wait_for_all(control, Some(worker));
    signal(child, libc::SIGCONT);
}

/// Until each worker, but for one, has done something more.
fn wait_for_all(control: &Control, but: Option<usize>) {
    let count = |worker: usize| control.workers[worker].operations.load(SeqCst);
    let before: Vec<u64> = (0..WORKERS).map(count).collect();
    wait_until("all workers go on", || {
        (0..WORKERS).all(|worker| Some(worker) == but || count(worker) > before[worker] + 20)
    });
}

pub fn keeping(kills: usize) {
    let place = Place::new();
    let (store, _) = torment(&place, "keep", ROOMY, kills);
    let control = place.control();
    assert_eq!(store.check(), Ok(()));
    let mut room = [0; MAX_RECORD];
    let mut find = |number: u64| {
        let wanted = Wanted { key: key(number), name: 0, now: NOW };
        let found = store.get(&wanted, &mut room).ok()?;
        Some(version(number, &room[..found.length]).expect("whole"))
    };
    let (mut there, mut in_doubt) = (0, 0);
    for number in 0..KEYS {
        let acknowledged = control.acknowledged[number].load(SeqCst);
        let trying = control.trying[number].load(SeqCst);
        match find(number as u64) {
            Some(version) => {
                assert!((acknowledged..=trying).contains(&version), "key {number}: {version}");
                there += 1;
            }
            // Its owner was killed while it stored the next version.
            None => {
                assert!(acknowledged < trying || acknowledged == 0, "key {number} is lost");
                in_doubt += u64::from(acknowledged > 0);
            }
        }
    }
    let given = control.tokens.load(SeqCst).min(TOKENS as u64) as usize;
    let (mut taken, mut unknown) = (0, 0);
    for token in 0..given {
        let stored = control.token_stored[token].load(SeqCst) == 1;
        match control.token_taken[token].load(SeqCst) {
            0 => unknown += u64::from(stored && find(1 << 41 | token as u64).is_none()),
            1 => taken += 1,
            times => panic!("token {token} was taken {times} times"),
        }
    }
    println!(
        "  keys: {there} there, {in_doubt} gone with their owner; tokens: {given}, \
         {taken} taken once, {unknown} taken by one who was killed, or gone for want of room"
    );
    assert!(there > 0 && taken > 0);
    assert!(in_doubt <= kills as u64);
}

pub fn full(kills: usize) {
    let place = Place::new();
    let (store, _) = torment(&place, "full", FULL, kills);
    assert_eq!(store.check(), Ok(()));
    assert!(store.statistics().evicted > 0);
}
