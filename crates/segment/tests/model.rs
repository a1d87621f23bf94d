//! A set against a vector: the same operations, the same answers.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use sslcache_segment::{
    Found, Key, MAX_RECORD, Miss, Options, Put, Record, SEALING_KEYS, Store, Wanted,
};

/// What a set has, as docs and modules say.
const SLOTS: usize = 71;
const CELLS: usize = 213;
const CELL: usize = 64;

const BEGIN: u32 = 1_700_000_000;

#[derive(Clone, Debug)]
struct Kept {
    key: u8,
    name: u32,
    expiry: u32,
    bytes: Vec<u8>,
    key_id: u8,
    used: bool,
}

impl Kept {
    fn cells(&self) -> usize {
        self.bytes.len().div_ceil(CELL).max(1)
    }
}

/// The records of a set, and what was counted.
#[derive(Default)]
struct Model {
    kept: Vec<Kept>,
    evicted: u64,
    expired_away: u64,
}

impl Model {
    fn put(&mut self, record: Kept, now: u32) {
        self.kept.retain(|kept| kept.key != record.key);
        while self.kept.len() >= SLOTS || self.cells() + record.cells() > CELLS {
            let rank = |at: &usize| {
                let Kept { expiry, used, .. } = self.kept[*at];
                (expiry > now, expiry > now && used, expiry)
            };
            let victim = (0..self.kept.len()).min_by_key(rank).unwrap();
            let victim = self.kept.remove(victim);
            if victim.expiry <= now {
                self.expired_away += 1;
            } else {
                self.evicted += 1;
                if victim.used {
                    self.kept.iter_mut().for_each(|kept| kept.used = false);
                }
            }
        }
        self.kept.push(record);
    }

    fn cells(&self) -> usize {
        self.kept.iter().map(Kept::cells).sum()
    }

    fn find(&self, key: u8, name: u32, now: u32) -> Result<usize, Miss> {
        let at = self.kept.iter().position(|kept| kept.key == key).ok_or(Miss::Unknown)?;
        let kept = &self.kept[at];
        if kept.name != name {
            return Err(Miss::OtherName);
        }
        if kept.expiry <= now { Err(Miss::Expired) } else { Ok(at) }
    }
}

#[derive(Clone, Debug)]
enum Operation {
    Put { key: u8, name: u32, lifetime: u32, length: usize, key_id: u8 },
    Get { key: u8, name: u32 },
    Peek { key: u8, name: u32 },
    Take { key: u8, name: u32 },
    Remove { key: u8 },
    Wait { seconds: u32 },
}

fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![20 => 100..200usize, 4 => 0..2000usize, 1 => MAX_RECORD - 200..MAX_RECORD + 2]
}

fn operations(keys: Range<u8>) -> impl Strategy<Value = Vec<Operation>> {
    let name = || prop_oneof![9 => Just(1u32), 1 => Just(2u32)];
    let key = move || keys.clone();
    let put = (key(), name(), 1..1000u32, lengths(), 0..SEALING_KEYS as u8).prop_map(
        |(key, name, lifetime, length, key_id)| Operation::Put {
            key,
            name,
            lifetime,
            length,
            key_id,
        },
    );
    let operation = prop_oneof![
        10 => put,
        4 => (key(), name()).prop_map(|(key, name)| Operation::Get { key, name }),
        2 => (key(), name()).prop_map(|(key, name)| Operation::Peek { key, name }),
        2 => (key(), name()).prop_map(|(key, name)| Operation::Take { key, name }),
        1 => key().prop_map(|key| Operation::Remove { key }),
        1 => (0..300u32).prop_map(|seconds| Operation::Wait { seconds }),
    ];
    vec(operation, 1..600)
}

/// All of one set, however many sets there are.
fn key(number: u8) -> Key {
    let mut bytes = [0; 16];
    bytes[0] = number;
    // Tags that some share, and one that is like an empty slot's.
    bytes[8] = number % 16;
    Key::new(bytes)
}

fn compare(operations: Vec<Operation>, size: u64) {
    let store = Store::anonymous(size).unwrap();
    let mut model = Model::default();
    let (mut now, mut unique, mut too_large) = (BEGIN, 0, 0);
    let mut room = [0; MAX_RECORD];
    for operation in operations {
        match operation {
            Operation::Put { key: number, name, lifetime, length, key_id } => {
                // Only one record expires at one instant: what leaves is then determined.
                unique += 1;
                let expiry = now + lifetime * 1000 + unique;
                let bytes: Vec<u8> = (0..length).map(|at| number ^ at as u8).collect();
                let record = Record { expiry, name, key_id, bytes: &bytes };
                let put = store.put(key(number), &record, now);
                if length > MAX_RECORD {
                    assert_eq!(put, Put::TooLarge);
                    too_large += 1;
                    continue;
                }
                assert_eq!(put, Put::Stored);
                let key = number;
                model.put(Kept { key, name, expiry, bytes, key_id, used: false }, now);
            }
            Operation::Get { key: number, name } => {
                let found = store.get(&Wanted { key: key(number), name, now }, &mut room);
                let expected = model.find(number, name, now);
                agree(found, expected, &model, Some(&room));
                if let Ok(at) = expected {
                    model.kept[at].used = true;
                }
            }
            Operation::Peek { key: number, name } => {
                let found = store.peek(&Wanted { key: key(number), name, now });
                agree(found, model.find(number, name, now), &model, None);
            }
            Operation::Take { key: number, name } => {
                let found = store.take(&Wanted { key: key(number), name, now }, &mut room);
                let expected = model.find(number, name, now);
                agree(found, expected, &model, Some(&room));
                if let Ok(at) = expected {
                    model.kept.remove(at);
                }
            }
            Operation::Remove { key: number } => {
                let before = model.kept.len();
                model.kept.retain(|kept| kept.key != number);
                assert_eq!(store.remove(key(number)), model.kept.len() < before);
            }
            Operation::Wait { seconds } => now += seconds * 1000,
        }
        assert_eq!(store.check(), Ok(()));
        let live = |kept: &&Kept| kept.expiry > now;
        let census = store.census(now);
        assert_eq!(census.live, model.kept.iter().filter(live).count() as u64);
        assert_eq!(census.cells_in_use, model.cells() as u64);
        assert_eq!((census.dead, census.locked), (0, 0), "nobody is at work");
    }
    let statistics = store.statistics();
    assert_eq!(statistics.evicted, model.evicted);
    assert_eq!(statistics.expired_away, model.expired_away);
    assert_eq!((statistics.too_large, statistics.damaged), (too_large, 0));
}

fn agree(
    found: Result<Found, Miss>,
    expected: Result<usize, Miss>,
    model: &Model,
    room: Option<&[u8; MAX_RECORD]>,
) {
    match expected {
        Err(why) => assert_eq!(found, Err(why)),
        Ok(at) => {
            let Kept { expiry, bytes, key_id, .. } = &model.kept[at];
            let length = bytes.len();
            assert_eq!(found, Ok(Found { length, expiry: *expiry, key_id: *key_id }));
            if let Some(room) = room {
                assert_eq!(&room[..length], bytes);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn a_set_is_as_its_model(operations in operations(0..200)) {
        compare(operations, Options::SMALLEST);
    }

    #[test]
    fn a_set_with_few_keys_is_as_its_model(operations in operations(0..8)) {
        compare(operations, Options::SMALLEST + (16 << 10));
    }
}

#[test]
fn three_cells_for_each_slot() {
    let store = Store::anonymous(Options::SMALLEST).unwrap();
    for number in 0..100 {
        let bytes = [number; 3 * CELL];
        let record = Record { expiry: u32::MAX, name: 0, key_id: 0, bytes: &bytes };
        assert_eq!(store.put(key(number), &record, BEGIN), Put::Stored);
    }
    let census = store.census(BEGIN);
    assert_eq!((census.live, census.cells_in_use), (SLOTS as u64, CELLS as u64));
    assert_eq!((census.slots, census.cells), (SLOTS as u64, CELLS as u64));
}

#[test]
fn keys_and_epochs_are_known_to_all() {
    let store = Store::anonymous(Options::SMALLEST).unwrap();
    assert_eq!(store.index_key(), 0);
    assert!(store.is_index_key(7) && store.is_index_key(7) && !store.is_index_key(8));
    assert_eq!([10, 11, 10, 12, 13].map(|check| store.key_id(check).unwrap()), [0, 1, 0, 2, 3]);
    assert_eq!(store.key_id(14), None, "all ids are given");
    assert!(store.replace_key(1, 11, 14) && !store.replace_key(1, 11, 15));
    assert!(!store.replace_key(SEALING_KEYS as u8, 0, 15));
    assert_eq!(store.sealing_keys(), [10, 14, 12, 13]);
    assert_eq!(store.epoch(3), 0);
    store.begin_epoch(3);
    assert_eq!([store.epoch(2), store.epoch(3), store.epoch(3 + 1024)], [0, 1, 1]);
}
