//! What is done with a segment as a whole: looked at, swept, emptied, and moved to another size.

use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::AsFd;

use sslcache_segment::{
    Key, Listed, MAX_RECORD, Miss, Options, Put, Record, Store, Successor, View, Wanted,
};

const NOW: u32 = 1_700_000_000;
const SIZE: u64 = 1 << 20;

/// A segment with a name, for one test.
struct Place {
    directory: File,
    name: CString,
}

impl Place {
    fn new(test: &str) -> Self {
        let name = CString::new(format!("sslcache-whole-{}-{test}", std::process::id())).unwrap();
        Place { directory: File::open("/dev/shm").unwrap(), name }
    }

    fn open(&self, size: u64) -> Store {
        let options = Options { size, ..Options::default() };
        Store::open(self.directory.as_fd(), &self.name, &options).unwrap()
    }

    fn view(&self) -> View {
        View::open(self.directory.as_fd(), &self.name).unwrap()
    }

    fn path(&self) -> String {
        format!("/dev/shm/{}.v1", self.name.to_str().unwrap())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path());
    }
}

/// Keys that are spread over all sets.
fn key(number: u32) -> Key {
    let spread = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    Key::new(u128::from(number).wrapping_mul(spread).to_le_bytes())
}

fn bytes(number: u32) -> Vec<u8> {
    vec![number as u8; 50 + number as usize % 400]
}

/// Every third one expires soon.
fn expiry(number: u32) -> u32 {
    if number % 3 == 0 { NOW + 10 } else { NOW + 1000 + number }
}

fn put(store: &Store, number: u32) {
    let bytes = bytes(number);
    let record = Record { expiry: expiry(number), name: number % 7, key_id: 1, bytes: &bytes };
    assert_eq!(store.put(key(number), &record, NOW), Put::Stored);
}

fn get(store: &Store, number: u32, now: u32) -> Result<Vec<u8>, Miss> {
    let mut room = [0; MAX_RECORD];
    let found = store.get(&Wanted { key: key(number), name: number % 7, now }, &mut room)?;
    assert_eq!((found.expiry, found.key_id), (expiry(number), 1));
    Ok(room[..found.length].to_vec())
}

/// Those of these records that are there, whole.
fn there(store: &Store, numbers: u32, now: u32) -> Vec<u32> {
    let is_there = |&number: &u32| match get(store, number, now) {
        Ok(found) => {
            assert_eq!(found, bytes(number));
            true
        }
        Err(_) => false,
    };
    (0..numbers).filter(is_there).collect()
}

#[test]
fn a_view_sees_what_is_there_and_changes_nothing() {
    let place = Place::new("view");
    assert!(View::open(place.directory.as_fd(), &place.name).is_err(), "it makes none");
    let store = place.open(SIZE);
    let view = place.view();
    (0..100).for_each(|number| put(&store, number));
    get(&store, 5, NOW).unwrap();
    assert!(store.remove(key(7)));
    let mut listed: Vec<Listed> = view.records().collect();
    assert_eq!(listed.len(), 99);
    listed.sort_by_key(|record| record.expiry);
    let five = listed.iter().find(|record| record.key == key(5)).unwrap();
    assert_eq!((five.name, five.expiry, five.key_id), (5, expiry(5), 1));
    assert_eq!((five.length, five.is_used), (bytes(5).len(), true));
    assert!(listed.iter().all(|record| record.is_used == (record.key == key(5))));
    assert!(listed.windows(2).all(|two| two[0].set < view.sets() && two[0].key != two[1].key));
    let census = view.census(NOW + 10);
    assert_eq!((census.live, census.expired, census.used), (65, 34, 1));
    assert_eq!((view.statistics().stored, view.statistics().hits), (100, 1));
    assert_eq!((view.size(), view.sets()), (fs::metadata(place.path()).unwrap().len(), 62));
}

#[test]
fn a_sweep_wipes_what_has_expired_and_what_has_gone() {
    let place = Place::new("sweep");
    let store = place.open(SIZE);
    (0..300).for_each(|number| put(&store, number));
    assert_eq!(store.sweep(NOW), Default::default(), "nothing to do");
    let swept = store.sweep(NOW + 10);
    assert_eq!((swept.records, swept.wiped, swept.busy), (100, 100, 0));
    assert_eq!(there(&store, 300, NOW), (0..300).filter(|n| n % 3 != 0).collect::<Vec<_>>());
    let census = store.census(NOW);
    assert_eq!((census.live, census.expired, census.dead), (200, 0, 0));
    assert_eq!(store.statistics().expired_away, 100);
    assert_eq!(store.check(), Ok(()));
    // In the file: nothing of those that left.
    let file = fs::read(place.path()).unwrap();
    let is_in_file = |number| file.windows(50).any(|part| part == &bytes(number)[..50]);
    assert!(is_in_file(100) && !is_in_file(66) && !is_in_file(99));
    (0..300).for_each(|number| put(&store, number));
    assert_eq!(there(&store, 300, NOW).len(), 300, "the room can be used again");
}

#[test]
fn after_a_clear_nobody_finds_anything() {
    let place = Place::new("clear");
    let [store, other] = [(); 2].map(|()| place.open(SIZE));
    (0..300).for_each(|number| put(&store, number));
    let swept = store.clear();
    assert_eq!((swept.records, swept.wiped, swept.busy), (300, 300, 0));
    assert_eq!(there(&other, 300, NOW), []);
    assert_eq!(store.statistics().removed, 300);
    let file = fs::read(place.path()).unwrap();
    assert!(!file.windows(50).any(|part| part == &bytes(1)[..50]));
}

/// Everything that a server relies on is in the successor; the old one has nothing more.
#[test]
fn a_successor_has_all_that_was_there() {
    let place = Place::new("successor");
    let old = place.open(SIZE);
    (0..1000).for_each(|number| put(&old, number));
    (0..50).for_each(|number| drop(get(&old, number, NOW).unwrap()));
    assert_eq!((old.key_id(77), old.key_id(78)), (Some(0), Some(1)));
    assert!(old.is_index_key(99));
    old.begin_epoch(5);
    for size in [4 * SIZE, SIZE * 3 / 4] {
        let old = place.open(size);
        let options = Options { size, ..Options::default() };
        let successor = Successor::new(place.directory.as_fd(), &options).unwrap();
        let moved = successor.take_over(&old, NOW);
        assert_eq!((moved.moved, moved.expired, moved.lost), (1000, 0, 0));
        assert_eq!(old.census(NOW).live, 0, "each is in one of them alone");
        let new = successor.replace(place.directory.as_fd(), &place.name).unwrap();
        assert_eq!(new.check(), Ok(()));
        assert_eq!(new.sealing_keys(), [77, 78, 0, 0]);
        assert_eq!((new.index_key(), new.epoch(5), new.epoch(6)), (99, 1, 0));
        assert_eq!(new.census(NOW).used, 50);
        let named = place.open(SIZE);
        assert_eq!(named.sets() as u64, (size - (32 << 10)) / (16 << 10));
        let entries = fs::read_dir("/dev/shm").unwrap().map(|entry| entry.unwrap().file_name());
        let ours = |name: &std::ffi::OsString| {
            name.to_string_lossy().contains(place.name.to_str().unwrap())
        };
        assert_eq!(entries.filter(ours).count(), 1, "and no other file");
    }
    let now = place.open(SIZE);
    assert_eq!(there(&now, 1000, NOW).len(), 1000);
}

#[test]
fn a_smaller_successor_keeps_what_was_found_and_nothing_expired() {
    let place = Place::new("smaller");
    let old = place.open(4 * SIZE);
    (0..3000).for_each(|number| put(&old, number));
    (0..100).filter(|n| n % 3 != 0).for_each(|number| drop(get(&old, number, NOW).unwrap()));
    let options = Options { size: SIZE / 2, ..Options::default() };
    let successor = Successor::new(place.directory.as_fd(), &options).unwrap();
    let moved = successor.take_over(&old, NOW + 10);
    assert_eq!((moved.moved, moved.expired, moved.lost), (2000, 1000, 0));
    let new = successor.replace(place.directory.as_fd(), &place.name).unwrap();
    let kept = there(&new, 3000, NOW);
    assert!(kept.len() < 1800, "{}", kept.len());
    assert!(kept.iter().all(|number| number % 3 != 0));
    assert_eq!(kept.iter().filter(|&&number| number < 100).count(), 66, "those that were found");
}

/// Of one that is taken from the old segment while it moves, nobody gets a second one.
#[test]
fn whatever_moves_is_found_once() {
    let place = Place::new("once");
    let old = place.open(4 * SIZE);
    (0..5000).for_each(|number| put(&old, number));
    let options = Options { size: 8 * SIZE, ..Options::default() };
    let successor = Successor::new(place.directory.as_fd(), &options).unwrap();
    let take = |store: &Store, number: u32| {
        let wanted = Wanted { key: key(number), name: number % 7, now: NOW };
        store.take(&wanted, &mut [0; MAX_RECORD]).is_ok()
    };
    let (moved, taken) = std::thread::scope(|scope| {
        let worker = scope.spawn(|| (0..5000).rev().filter(|&n| take(&old, n)).count());
        (successor.take_over(&old, NOW), worker.join().unwrap())
    });
    let new = successor.replace(place.directory.as_fd(), &place.name).unwrap();
    let left = (0..5000).filter(|&number| take(&new, number)).count();
    assert_eq!(left as u64, moved.moved);
    assert_eq!(left + taken, 5000);
}
