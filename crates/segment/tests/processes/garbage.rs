//! Memory that somebody has scribbled over: nothing crashes, nothing loops, nothing is read
//! outside.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Child;
use std::sync::atomic::Ordering::SeqCst;

use sslcache_segment::{MAX_RECORD, Put, Record, Store, Wanted};

use crate::children::{Place, ended, open, wait_until};
use crate::control::Control;
use crate::probe::{Random, key, payload};

/// A megabyte, of which the sets are what is behind the first 32 KiB.
const SIZE: u64 = 1 << 20;
const HEAD: u64 = 32 << 10;
const SET: u64 = 16 << 10;
/// Where the parts of a set are, as the drawing in the crate has it.
const LOCK: u64 = 0;
const TAGS: u64 = 64;
const DESCRIPTORS: u64 = 1912;
const NEXT: u64 = 2480;
const NOW: u32 = 100;

/// Does everything with everything, a number of times, or until it is told to stop.
pub fn survivor(directory: &Path, number: usize) {
    let control = Control::of(directory);
    let store = open(directory, SIZE, |process| process).expect("a segment");
    let mut random = Random(number as u64 + 7);
    while !control.stops() {
        use_somehow(&store, &mut random);
        control.workers[number].operations.fetch_add(1, SeqCst);
    }
}

fn use_somehow(store: &Store, random: &mut Random) {
    let mut room = [0; MAX_RECORD];
    let number = random.below(3000);
    let wanted = Wanted { key: key(number), name: 0, now: NOW };
    let found = match random.below(10) {
        0..5 => {
            let most = if random.below(10) == 0 { 8000 } else { 150 };
            let length = 100 + random.below(most);
            let bytes = payload(number, 1, length as usize);
            let expiry = NOW + 1 + random.below(1000) as u32;
            store.put(wanted.key, &Record { expiry, name: 0, key_id: 0, bytes: &bytes }, NOW);
            return;
        }
        5 | 6 => store.get(&wanted, &mut room),
        7 => store.take(&wanted, &mut room),
        8 => store.peek(&wanted),
        _ => {
            store.remove(wanted.key);
            return;
        }
    };
    assert!(found.is_ok_and(|found| found.length <= MAX_RECORD) || found.is_err());
}

fn file(place: &Place) -> File {
    OpenOptions::new().read(true).write(true).open(place.segment()).expect("the segment")
}

fn scribble(file: &File, at: u64, words: u64, random: &mut Random) {
    let bytes: Vec<u8> = (0..words).flat_map(|_| random.next().to_le_bytes()).collect();
    file.write_all_at(&bytes, at).unwrap();
}

/// In a segment that everybody has scribbled over, each operation still comes to an end, and a lock
/// that nobody holds is free after a minute; here the words of the locks are put in order.
fn is_usable(place: &Place) {
    let (store, file) = (place.open(SIZE), file(place));
    for set in 0..store.sets() as u64 {
        file.write_all_at(&[0; 8], HEAD + set * SET + LOCK).unwrap();
    }
    let mut room = [0; MAX_RECORD];
    for number in 0..3000 {
        let bytes = payload(number, 2, 150);
        let record = Record { expiry: u32::MAX, name: 0, key_id: 0, bytes: &bytes };
        assert_eq!(store.put(key(number), &record, NOW), Put::Stored);
        let wanted = Wanted { key: key(number), name: 0, now: NOW };
        let found = store.take(&wanted, &mut room).expect("just stored");
        assert_eq!(&room[..found.length], bytes);
        store.put(key(number), &record, NOW);
    }
}

fn run_for(place: &Place, operations: u64) {
    let control = place.control();
    let mut children: Vec<Child> = (0..2).map(|number| place.start("survive", number)).collect();
    wait_until("they work", || {
        (0..2).all(|number| {
            assert!(children[number].try_wait().unwrap().is_none(), "it ended");
            control.workers[number].operations.load(SeqCst) >= operations
        })
    });
    control.stop.store(1, SeqCst);
    assert!(children.iter_mut().all(|child| ended(child).success()));
}

pub fn before() {
    for round in 0..6 {
        let place = Place::new();
        drop(place.open(SIZE));
        let (file, mut random) = (file(&place), Random(round));
        if round < 3 {
            // All of it: each lock is held by nobody knows whom.
            scribble(&file, HEAD, (SIZE - HEAD) / 8, &mut random);
        } else {
            // All but the locks.
            for set in 0..(SIZE - HEAD) / SET {
                scribble(&file, HEAD + set * SET + TAGS, (SET - TAGS) / 8, &mut random);
            }
        }
        run_for(&place, 300);
        is_usable(&place);
    }
}

pub fn meanwhile() {
    let place = Place::new();
    drop(place.open(SIZE));
    let (control, file, mut random) = (place.control(), file(&place), Random(1));
    let mut children: Vec<Child> = (0..2).map(|number| place.start("survive", number)).collect();
    let count = |number: usize| control.workers[number].operations.load(SeqCst);
    wait_until("they work under fire", || {
        for child in &mut children {
            assert!(child.try_wait().unwrap().is_none(), "it ended");
        }
        for _ in 0..100 {
            let set = HEAD + random.below((SIZE - HEAD) / SET) * SET;
            // Mostly where it hurts: what is before the cells. Locks too, but seldom: each takes a
            // `put` three milliseconds.
            let at = match random.below(100) {
                0 => LOCK,
                1..80 => TAGS + random.below((2752 - TAGS) / 8) * 8,
                _ => TAGS + random.below((SET - TAGS) / 8) * 8,
            };
            scribble(&file, set + at, 1, &mut random);
        }
        count(0) > 3000 && count(1) > 3000
    });
    control.stop.store(1, SeqCst);
    assert!(children.iter_mut().all(|child| ended(child).success()));
    is_usable(&place);
}

/// What every descriptor becomes, and where every cell leads.
type Damage = (u64, fn(u64) -> u8);

/// Damage with intent: what a loop or an index could trip over.
pub fn of_each_kind() {
    const LIVE: u64 = 1;
    const RUN: u64 = 1 << 30;
    let linked = |first: u64, length: u64| LIVE | first << 8 | length << 16;
    let run = |first, length| linked(first, length) | RUN;
    let kinds: [Damage; 10] = [
        (linked(0, 8256), |_| 0),                  // a cell that follows itself
        (linked(3, 8256), |cell| cell as u8 ^ 1),  // circles of two
        (linked(255, 100), |_| 255),               // a cell that is none
        (linked(0, 16383), |cell| cell as u8 + 1), // longer than any record
        (linked(0, 8256), |cell| cell as u8 + 1),  // all the same cells
        (run(0, 150), |_| 0),                      // the same, as a run
        (run(200, 8256), |_| 0),                   // a run beyond the end
        (run(255, 16383), |_| 0),
        (LIVE | 3, |_| 0), // a state that is none yet
        (u64::MAX, |_| 255),
    ];
    for (word, next) in kinds {
        let place = Place::new();
        let store = place.open(SIZE);
        let mut random = Random(1);
        (0..2000).for_each(|_| use_somehow(&store, &mut random));
        let file = file(&place);
        for set in (0..(SIZE - HEAD) / SET).map(|set| HEAD + set * SET) {
            file.write_all_at(&word.to_le_bytes().repeat(71), set + DESCRIPTORS).unwrap();
            let next: Vec<u8> = (0..213).map(|cell: u64| next(cell % 255)).collect();
            file.write_all_at(&next, set + NEXT).unwrap();
        }
        (0..1500).for_each(|_| use_somehow(&store, &mut random));
        is_usable(&place);
        assert!(store.statistics().damaged > 0 || word & 3 != LIVE);
    }
}

/// Looks at what is in the file, again and again.
pub fn looker(directory: &Path, number: usize) {
    let control = Control::of(directory);
    let store = open(directory, SIZE, |process| process).expect("a segment");
    while !control.stops() {
        control.workers[number].operations.fetch_add(1 + store.census(NOW).live, SeqCst);
    }
}

/// As with every mapped file: SIGBUS. What has no name cannot be made shorter.
pub fn shorter() {
    let place = Place::new();
    let control = place.control();
    drop(place.open(SIZE));
    let mut child = place.start("look", 0);
    wait_until("it looks", || control.workers[0].operations.load(SeqCst) > 0);
    file(&place).set_len(SIZE / 2).unwrap();
    assert_eq!(ended(&mut child).signal(), Some(libc::SIGBUS));
    // One that comes after that is told.
    assert!(open(&place.path, SIZE, |process| process).is_err());

    let anonymous = Store::anonymous(SIZE).unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|line| line.contains("memfd:sslcache")).expect("it is mapped");
    let range = line.split(' ').next().unwrap();
    let mapped = OpenOptions::new().write(true).open(format!("/proc/self/map_files/{range}"));
    match mapped {
        Ok(file) => assert!(file.set_len(4096).is_err(), "it is sealed"),
        Err(error) => println!("  not tried: {error}"),
    }
    assert_eq!(anonymous.check(), Ok(()));
}
