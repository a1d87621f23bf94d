//! How the memory is laid out: integers at fixed places, and nothing else.
//!
//! ```text
//!  0      +---------------------------------------------------------------------------+
//!         | header: what this is, and how large; which keys seal                      |  4 KiB
//!  4 KiB  +---------------------------------------------------------------------------+
//!         | epochs: 1,024 numbers, each of which makes many keys new ones at once     |  4 KiB
//!  8 KiB  +---------------------------------------------------------------------------+
//!         | counters: 64 stripes of 256 bytes; a process counts in one of them        | 16 KiB
//!  24 KiB +---------------------------------------------------------------------------+
//!         | request slots: 64 lines, reserved for a daemon that asks other machines   |  4 KiB
//!  28 KiB +---------------------------------------------------------------------------+
//!         | reserved                                                                  |  4 KiB
//!  32 KiB +---------------------------------------------------------------------------+
//!         | set 0                                                                     | 16 KiB
//!         +---------------------------------------------------------------------------+
//!         | set 1, set 2, ... to the end of the file                                  |
//!         +---------------------------------------------------------------------------+
//!
//!  A set has 71 slots for records, and 213 cells of 64 bytes for what is in them:
//!
//!  0      +--------+--------+---------------------------------------------------------+
//!         | lock   | untidy | reserved                                                |   64 B
//!  64     +--------+--------+---------------------------------------------------------+
//!         | tags         72 x 16 bits of the keys: what a look-up searches            |  144 B
//!  208    | entries      71 x (key 128 bits, expiry 32 bits, hash of the name 32 bits)| 1704 B
//!  1912   | descriptors  71 x 64 bits: `descriptor.rs`                                |  568 B
//!  2480   | next         216 x 8 bits: the cell that follows each cell                |  216 B
//!  2696   | reserved                                                                  |   56 B
//!  2752   +---------------------------------------------------------------------------+
//!         | cells        213 x 64 bytes                                               | 13.3 KiB
//!  16384  +---------------------------------------------------------------------------+
//!
//!      slot 3                  cells:
//!      descriptor: LIVE, run,      7 | first 64 bytes |
//!      first 7, length 150     --> 8 | next 64 bytes  |
//!                                  9 | last 22 bytes  |
//!
//!      slot 4                  next: [ .. 20 -> 31, 31 -> 12, .. ]
//!      descriptor: LIVE,          20 | first 64 bytes |
//!      first 20, length 150    -->31 | next 64 bytes  |
//!                                 12 | last 22 bytes  |
//! ```
//!
//! Three cells hold a record of up to 192 bytes (a session of TLS, sealed, with a name of some 35
//! bytes), and there are three for each slot: its home. Longer records take whatever is free.
//!
//! **Nothing in here is trusted.** Any process that shares the memory may have stored anything
//! anywhere. So there is no pointer in it; every number that is an index or a length is compared
//! with its bound before it is used; a chain of cells is followed as far as its length says and a
//! length is bounded; and every loop over slots has an end. The number of sets is what the file
//! was when it was opened. What a wrong number can lead to is a record that is not found, or one
//! that is none, which the seal of the record tells.
//!
//! All zeros are a segment without records (but for the header), so that a new one need not be
//! written.

use crate::atomic::{AtomicU8, AtomicU64, Ordering};
use crate::counters::Stripe;
use crate::descriptor::{Descriptor, Place};
use crate::lock::Lock;
use std::sync::atomic::{AtomicU32, AtomicU64 as Word};

/// Slots of a set. (loom, which tries all orders, has sets of its own.)
pub(crate) const SLOTS: usize = if cfg!(loom) { 3 } else { 71 };
/// Cells of a set.
pub(crate) const CELLS: usize = if cfg!(loom) { 4 } else { 213 };
/// 64-bit words of a cell.
pub(crate) const CELL_WORDS: usize = if cfg!(loom) { 1 } else { 8 };
/// Bytes of a cell.
pub(crate) const CELL: usize = CELL_WORDS * 8;
/// Tags in a word.
pub(crate) const LANES: usize = 4;
/// Cells of a slot's home.
pub(crate) const HOME_CELLS: usize = CELLS / SLOTS;
const TAG_WORDS: usize = SLOTS.div_ceil(LANES);
/// Cells of the longest record.
pub(crate) const MOST_CELLS: usize = if cfg!(loom) { 3 } else { 129 };
/// Bytes of the longest record: 8 KiB, and what sealing adds to that.
pub const MAX_RECORD: usize = MOST_CELLS * CELL;

/// Epochs.
pub const EPOCHS: usize = 1024;
/// Keys that may seal at one time.
pub const SEALING_KEYS: usize = 4;
pub(crate) const STRIPES: usize = 64;
const REQUESTS: usize = 64;

/// Bytes of a set.
pub(crate) const SET: usize = 16 << 10;
/// Bytes before the first one.
pub(crate) const HEAD: usize = 32 << 10;

/// What is before the sets.
#[repr(C)]
pub(crate) struct Head {
    pub(crate) header: Header,
    pub(crate) epochs: [AtomicU32; EPOCHS],
    pub(crate) stripes: [Stripe; STRIPES],
    _requests: [Request; REQUESTS],
    _reserved: [Word; 512],
}

/// Words that say what the segment is: `identity.rs`.
pub(crate) const IDENTITY_WORDS: usize = 16;

/// The first page.
#[repr(C)]
pub(crate) struct Header {
    /// Written before anybody can see it, and never again.
    _identity: [Word; IDENTITY_WORDS],
    /// Tells which key each key id of a descriptor stands for; 0: none.
    pub(crate) sealing_keys: [Word; SEALING_KEYS],
    /// Tells which key the keys of the records were made with; 0: none yet.
    pub(crate) index_key: Word,
    /// For the daemon: its state and heartbeat, the doorbell, the circuit breaker.
    _daemon: [Word; 11],
    _reserved: [Word; 480],
}

/// A line for a question to other machines.
#[repr(C)]
struct Request {
    _words: [Word; 8],
}

/// A set: what is found by one hash.
#[repr(C, align(64))]
pub(crate) struct Set {
    pub(crate) lock: Lock,
    /// Not 0 where a record may be away from its slot's home, or DEAD.
    pub(crate) untidy: AtomicU64,
    _reserved: [AtomicU64; 6],
    tags: [AtomicU64; TAG_WORDS],
    entries: [Entry; SLOTS],
    descriptors: [AtomicU64; SLOTS],
    next: [AtomicU8; CELLS.next_multiple_of(8)],
    cells: [Cell; CELLS],
}

/// What a look-up compares: together, for it has to fetch them from memory.
#[repr(C)]
struct Entry {
    key: [AtomicU64; 2],
    facts: AtomicU64,
}

#[repr(C, align(64))]
struct Cell([AtomicU64; CELL_WORDS]);

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<Set>() == SET && std::mem::offset_of!(Set, tags) == 64);
    assert!(std::mem::offset_of!(Set, entries) == 208 && std::mem::offset_of!(Set, next) == 2480);
    assert!(std::mem::offset_of!(Set, cells) == 2752);
    assert!(size_of::<Head>() == HEAD && size_of::<Header>() == 4096 && HEAD % SET == 0);
    assert!(std::mem::offset_of!(Head, stripes) == 8192 && size_of::<Request>() == 64);
    assert!(MAX_RECORD < 1 << 14 && MOST_CELLS <= CELLS && CELLS < 1 << 8);
};

/// The key of a record: 128 bits that nobody can choose (of a keyed hash), so that no two records
/// have the same and sets fill evenly.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Key([u64; 2]);

impl Key {
    /// From the bytes of the hash.
    pub const fn new(bytes: [u8; 16]) -> Self {
        let whole = u128::from_le_bytes(bytes);
        Key([whole as u64, (whole >> 64) as u64])
    }

    /// The bytes again.
    pub const fn bytes(self) -> [u8; 16] {
        ((self.0[1] as u128) << 64 | self.0[0] as u128).to_le_bytes()
    }

    /// The set it belongs to, of so many.
    #[inline(always)]
    pub(crate) fn home(self, sets: usize) -> usize {
        ((u128::from(self.0[0]) * sets as u128) >> 64) as usize
    }

    /// Not 0, which an empty slot has.
    #[inline(always)]
    pub(crate) fn tag(self) -> u16 {
        (self.0[1] as u16).max(1)
    }
}

/// What is known of a record without opening it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Facts {
    /// When it expires, in seconds since the epoch.
    pub(crate) expiry: u32,
    /// The hash of the name it belongs to.
    pub(crate) name: u32,
}

impl Set {
    #[cfg(any(test, loom))]
    pub(crate) fn new() -> Self {
        use std::array::from_fn;
        let word = || AtomicU64::new(0);
        Set {
            lock: Lock::new(),
            untidy: word(),
            _reserved: from_fn(|_| word()),
            tags: from_fn(|_| word()),
            entries: from_fn(|_| Entry { key: from_fn(|_| word()), facts: word() }),
            descriptors: from_fn(|_| word()),
            next: from_fn(|_| AtomicU8::new(0)),
            cells: from_fn(|_| Cell(from_fn(|_| word()))),
        }
    }

    /// The slots whose tag is this one, and perhaps others. Four tags at a time: a lane of `found`
    /// has its highest bit set where the word has the tag. (The lane above such a one may have it
    /// too.)
    #[inline(always)]
    pub(crate) fn candidates(&self, tag: u16) -> impl Iterator<Item = usize> + '_ {
        const LOW: u64 = 0x0001_0001_0001_0001;
        const HIGH: u64 = LOW << 15;
        let wanted = u64::from(tag) * LOW;
        let (mut word, mut found) = (0, 0u64);
        std::iter::from_fn(move || {
            while found == 0 {
                let tags = self.tags.get(word)?.load(Ordering::Relaxed) ^ wanted;
                found = tags.wrapping_sub(LOW) & !tags & HIGH;
                word += 1;
            }
            let lane = found.trailing_zeros() as usize / 16;
            found &= found - 1;
            Some((word - 1) * LANES + lane)
        })
        .filter(|&slot| slot < SLOTS)
    }

    pub(crate) fn tag(&self, slot: usize) -> u16 {
        (self.tags[slot / LANES].load(Ordering::Relaxed) >> (slot % LANES * 16)) as u16
    }

    /// For the holder. (A word has four tags; only this one's bits change.)
    pub(crate) fn set_tag(&self, slot: usize, tag: u16) {
        let change = u64::from(self.tag(slot) ^ tag) << (slot % LANES * 16);
        self.tags[slot / LANES].fetch_xor(change, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(crate) fn key(&self, slot: usize) -> Key {
        let [low, high] = &self.entries[slot].key;
        Key([low.load(Ordering::Relaxed), high.load(Ordering::Relaxed)])
    }

    #[inline(always)]
    pub(crate) fn facts(&self, slot: usize) -> Facts {
        let facts = self.entries[slot].facts.load(Ordering::Relaxed);
        Facts { expiry: (facts >> 32) as u32, name: facts as u32 }
    }

    /// For the holder, of a slot that is FREE.
    pub(crate) fn set_key_and_facts(&self, slot: usize, key: Key, facts: Facts) {
        let entry = &self.entries[slot];
        entry.key.iter().zip(key.0).for_each(|(word, key)| word.store(key, Ordering::Relaxed));
        let facts = u64::from(facts.expiry) << 32 | u64::from(facts.name);
        entry.facts.store(facts, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(crate) fn descriptor(&self, slot: usize, order: Ordering) -> Descriptor {
        Descriptor(self.descriptors[slot].load(order))
    }

    /// Replaces the descriptor; fails, with what is there, if it is not `from`.
    #[inline(always)]
    pub(crate) fn replace(
        &self,
        slot: usize,
        from: Descriptor,
        to: Descriptor,
    ) -> Result<(), Descriptor> {
        let descriptor = &self.descriptors[slot];
        let replaced =
            descriptor.compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Acquire);
        replaced.map(|_| ()).map_err(Descriptor)
    }

    /// The cells of a record, first to last.
    #[inline(always)]
    pub(crate) fn chain(&self, record: Descriptor) -> Chain<'_> {
        let Place { first, is_run } = record.place();
        match cells_for(record.length()) {
            Some(left) => Chain { set: self, cell: first, left, is_run },
            None => Chain { set: self, cell: CELLS, left: 1, is_run },
        }
    }

    /// Marks the cells of a record; returns `false` if they are no cells, or marked already.
    #[inline(always)]
    pub(crate) fn mark(&self, record: Descriptor, used: &mut Cells) -> bool {
        let Place { first, is_run } = record.place();
        match cells_for(record.length()) {
            Some(count) if is_run && count <= 64 => used.add_run(first, count),
            _ => self.chain(record).all(|cell| cell.is_some_and(|cell| used.add(cell))),
        }
    }

    /// For the holder, of cells that no descriptor leads to.
    pub(crate) fn link(&self, cell: usize, next: usize) {
        self.next[cell].store(next as u8, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(crate) fn read_cell(&self, cell: usize, out: &mut [u8; CELL]) {
        for (word, out) in self.cells[cell].0.iter().zip(out.chunks_exact_mut(8)) {
            out.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
    }

    /// For the holder. Bytes that are left over become zeros.
    #[inline(always)]
    pub(crate) fn write_cell(&self, cell: usize, bytes: &[u8]) {
        let mut whole = [0; CELL];
        let length = bytes.len().min(CELL);
        whole[..length].copy_from_slice(&bytes[..length]);
        for (word, bytes) in self.cells[cell].0.iter().zip(whole.chunks_exact(8)) {
            let value = bytes.try_into().map_or(0, u64::from_ne_bytes);
            word.store(value, Ordering::Relaxed);
        }
    }

    /// For the holder.
    #[inline(always)]
    pub(crate) fn wipe_cell(&self, cell: usize) {
        self.cells[cell].0.iter().for_each(|word| word.store(0, Ordering::Relaxed));
    }
}

/// Where a record of this slot is at home, if it needs no more than [`HOME_CELLS`].
#[inline(always)]
pub(crate) fn home(slot: usize) -> Place {
    Place { first: slot * HOME_CELLS, is_run: true }
}

/// How many cells a record of so many bytes has; `None`: no record has so many bytes.
#[inline(always)]
pub(crate) fn cells_for(length: usize) -> Option<usize> {
    let cells = length.saturating_sub(1) / CELL + 1;
    (cells <= MOST_CELLS).then_some(cells)
}

/// The cells of a record. `None`: a number that is no cell's; then it ends.
pub(crate) struct Chain<'a> {
    set: &'a Set,
    cell: usize,
    left: usize,
    is_run: bool,
}

impl Iterator for Chain<'_> {
    type Item = Option<usize>;

    #[inline(always)]
    fn next(&mut self) -> Option<Option<usize>> {
        self.left = self.left.checked_sub(1)?;
        let cell = self.cell;
        if cell >= CELLS {
            self.left = 0;
            return Some(None);
        }
        let link = || usize::from(self.set.next[cell].load(Ordering::Relaxed));
        self.cell = if self.is_run { cell + 1 } else { link() };
        Some(Some(cell))
    }
}

/// Which cells of a set are in use. (The last word is no cell's: a run may reach into it.)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Cells([u64; CELL_SETS + 1]);

/// Words with a bit for each cell.
const CELL_SETS: usize = CELLS.div_ceil(64);

impl Cells {
    /// Adds one; returns `false` if it was there.
    #[inline(always)]
    pub(crate) fn add(&mut self, cell: usize) -> bool {
        let (word, bit) = (&mut self.0[cell / 64], 1 << (cell % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Adds up to 64 that follow one another; returns `false` if one was there, or is none.
    #[inline(always)]
    pub(crate) fn add_run(&mut self, first: usize, count: usize) -> bool {
        if first + count > CELLS {
            return false;
        }
        let word = first / 64;
        let cells = u128::from(u64::MAX >> (64 - count)) << (first % 64);
        let (low, high) = (cells as u64, (cells >> 64) as u64);
        let new = (self.0[word] & low) | (self.0[word + 1] & high) == 0;
        self.0[word] |= low;
        self.0[word + 1] |= high;
        new
    }

    pub(crate) fn remove(&mut self, cell: usize) {
        self.0[cell / 64] &= !(1 << (cell % 64));
    }

    pub(crate) fn has(&self, cell: usize) -> bool {
        self.0[cell / 64] >> (cell % 64) & 1 != 0
    }

    /// How many are not in it.
    #[inline(always)]
    pub(crate) fn free(&self) -> usize {
        CELLS - self.0.iter().map(|word| word.count_ones() as usize).sum::<usize>()
    }

    /// Those that are not in it, a bit for each.
    #[inline(always)]
    fn others(&self) -> [u64; CELL_SETS] {
        std::array::from_fn(|word| {
            let cells = (CELLS - word * 64).min(64);
            !self.0[word] & u64::MAX >> (64 - cells)
        })
    }

    /// The first of so many that follow one another and are not in it.
    #[inline(always)]
    pub(crate) fn free_run(&self, count: usize) -> Option<usize> {
        let free = self.others();
        // Those at which a run begins of as many as there were rounds.
        let mut begins = free;
        for _ in 1..count {
            for word in 0..CELL_SETS {
                let next = begins.get(word + 1).map_or(0, |next| next << 63);
                begins[word] = free[word] & (begins[word] >> 1 | next);
            }
        }
        let word = begins.iter().position(|&begins| begins != 0)?;
        Some(word * 64 + begins[word].trailing_zeros() as usize)
    }

    /// Those that are not in it.
    pub(crate) fn free_cells(&self) -> impl Iterator<Item = usize> + use<> {
        let free = self.others();
        (0..CELLS).filter(move |&cell| free[cell / 64] >> (cell % 64) & 1 != 0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_wherever_it_is() {
        let set = Set::new();
        for slot in 0..SLOTS {
            set.set_tag(slot, 7 + slot as u16 / 2);
        }
        for slot in 0..SLOTS {
            assert_eq!(set.tag(slot), 7 + slot as u16 / 2);
            assert!(set.candidates(set.tag(slot)).any(|found| found == slot));
        }
        assert_eq!(set.candidates(1000).count(), 0);
        set.set_tag(SLOTS - 1, 0);
        assert!(set.candidates(0).all(|slot| slot < SLOTS));
        assert_eq!(set.tag(SLOTS - 2), 7 + (SLOTS as u16 - 2) / 2);
    }

    #[test]
    fn a_chain_ends_whatever_it_leads_to() {
        let set = Set::new();
        let at = |first, is_run, length| Descriptor(0).live(Place { first, is_run }, length, 0);
        let (linked, run) = (|f, l| at(f, false, l), |f, l| at(f, true, l));
        set.link(3, 5);
        set.link(5, 3);
        let chain = |d| set.chain(d).collect::<Vec<_>>();
        assert_eq!(chain(linked(3, 0)), [Some(3)]);
        assert_eq!(chain(linked(3, CELL)), [Some(3)]);
        assert_eq!(chain(linked(3, CELL + 1)), [Some(3), Some(5)]);
        assert_eq!(chain(run(3, CELL + 1)), [Some(3), Some(4)]);
        assert_eq!(chain(linked(3, MAX_RECORD)).len(), MOST_CELLS, "a circle");
        for record in [linked(CELLS, 1), run(CELLS, 1)] {
            assert_eq!(chain(record), [None]);
            assert!(!set.mark(record, &mut Cells::default()));
        }
        assert_eq!(chain(run(CELLS - 1, CELL + 1)), [Some(CELLS - 1), None]);
        set.link(5, CELLS);
        assert_eq!(chain(linked(3, 3 * CELL)), [Some(3), Some(5), None]);
        for record in [linked(3, MAX_RECORD + 1), run(3, MAX_RECORD + 1)] {
            assert_eq!(chain(record), [None], "longer than any record");
        }
    }

    #[test]
    fn cells_are_marked_alike_one_by_one_and_as_a_run() {
        let set = Set::new();
        (0..CELLS).for_each(|cell| set.link(cell, cell + 1));
        for first in 0..CELLS + 2 {
            for cells in [1, 2, 3, 63, 64, 65, MOST_CELLS] {
                let mark = |is_run, used: &mut Cells| {
                    let place = Place { first, is_run };
                    set.mark(Descriptor(0).live(place, cells * CELL, 0), used)
                };
                let (mut linked, mut run) = (Cells::default(), Cells::default());
                let is_whole = first + cells <= CELLS;
                assert_eq!([mark(true, &mut run), mark(false, &mut linked)], [is_whole; 2]);
                if is_whole {
                    assert!(run == linked && run.free() == CELLS - cells);
                    assert!(!mark(true, &mut run) && !mark(false, &mut linked), "twice");
                }
            }
        }
    }

    #[test]
    fn cells_are_counted_and_found() {
        let mut cells = Cells::default();
        assert!(cells.free() == CELLS && cells.free_cells().eq(0..CELLS));
        assert!(cells.add(64) && !cells.add(64) && cells.has(64) && cells.free() == CELLS - 1);
        assert!(cells.free_cells().eq((0..64).chain(65..CELLS)));
        assert_eq!(
            [1, 64, 65, 148, 149].map(|count| cells.free_run(count)),
            [Some(0), Some(0), Some(65), Some(65), None,]
        );
        assert!(cells.add_run(0, 63) && cells.free_run(1) == Some(63));
        assert_eq!(cells.free_run(2), Some(65));
        cells.remove(64);
        assert_eq!(cells.free_run(150), Some(63));
    }

    #[test]
    fn every_key_has_a_home() {
        for sets in [1, 2, 1022, 1 << 20] {
            assert_eq!(Key::new([0; 16]).home(sets), 0);
            assert_eq!(Key::new([0xff; 16]).home(sets), sets - 1);
        }
        assert_eq!(Key::new([0; 16]).tag(), 1);
        let bytes = std::array::from_fn(|byte| byte as u8 * 17);
        assert_eq!(Key::new(bytes).bytes(), bytes);
    }
}
