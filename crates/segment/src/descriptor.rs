//! The descriptor of a record: the one word that says whether the record is there.
//!
//! ```text
//!   63                   31 30  29          16 15       8 7      6 5      4     3 2    1     0
//!  +-----------------------+---+--------------+----------+--------+--------+-----+------+-------+
//!  | generation: 33 bits   |run| length: 14   | first    | key    | origin |dirty| used | state |
//!  | counts the slot's uses| 1 | in bytes     | cell: 8  | id: 2  | 1      | 2   | 1    | 2     |
//!  +-----------------------+---+--------------+----------+--------+--------+-----+------+-------+
//! ```
//!
//! | state | means | becomes | by |
//! | --- | --- | --- | --- |
//! | FREE | the slot is empty | LIVE | the holder of the set's lock |
//! | LIVE | the record is there | DEAD | anybody, by compare-and-swap |
//! | DEAD | the record is gone, its cells are not wiped yet | FREE | the holder of the set's lock |
//!
//! *Run* says that the record's cells are the first one and those behind it; otherwise each cell
//! has a link to the next.
//!
//! The fourth value of the state, `dirty` and `origin` are reserved for caches of several machines
//! (a removal, or a record, that the others have yet to hear of; a record that came from them).
//! Until then a descriptor in the fourth state is treated as DEAD.
//!
//! A generation that came round would make one record pass for another: that takes 2^33 uses of one
//! slot during one look-up.

/// A descriptor as it was at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Descriptor(pub(crate) u64);

/// What a descriptor says of its slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Free,
    Live,
    Dead,
}

const STATE: u64 = 3;
const FREE: u64 = 0;
const LIVE: u64 = 1;
const DEAD: u64 = 2;
const USED: u64 = 1 << 2;
const DIRTY: u64 = 3 << 3;
/// What may change while the record stays the same.
const FLAGS: u64 = USED | DIRTY;
const KEY_ID: u32 = 6;
const FIRST: u32 = 8;
const LENGTH: u32 = 16;
const RUN: u64 = 1 << 30;
const GENERATION: u32 = 31;

const fn bits(width: u32) -> u64 {
    (1 << width) - 1
}

/// Where a record's cells are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) first: usize,
    /// The others are behind it, one after the other.
    pub(crate) is_run: bool,
}

impl Descriptor {
    /// An empty slot's.
    fn free(generation: u64) -> Self {
        Descriptor(FREE | generation << GENERATION)
    }

    /// That of a record in this slot, which is empty: the slot's next generation.
    pub(crate) fn live(self, place: Place, length: usize, key_id: u8) -> Self {
        let Place { first, is_run } = place;
        let next = self.renewed().0 | if is_run { RUN } else { 0 };
        let length = (length as u64 & bits(14)) << LENGTH;
        let first = (first as u64 & bits(8)) << FIRST;
        Descriptor(next | LIVE | length | first | (u64::from(key_id) & bits(2)) << KEY_ID)
    }

    pub(crate) fn dead(self) -> Self {
        Descriptor(self.0 & !STATE | DEAD)
    }

    /// The slot's, once it is empty again.
    pub(crate) fn freed(self) -> Self {
        Self::free(self.0 >> GENERATION)
    }

    /// An empty slot's of the next generation: who prepared to use the old one will fail.
    pub(crate) fn renewed(self) -> Self {
        Self::free(((self.0 >> GENERATION) + 1) & bits(64 - GENERATION))
    }

    pub(crate) fn used(self) -> Self {
        Descriptor(self.0 | USED)
    }

    pub(crate) fn unused(self) -> Self {
        Descriptor(self.0 & !USED)
    }

    #[inline(always)]
    pub(crate) fn state(self) -> State {
        match self.0 & STATE {
            FREE => State::Free,
            LIVE => State::Live,
            _ => State::Dead,
        }
    }

    #[inline(always)]
    pub(crate) fn is_live(self) -> bool {
        self.state() == State::Live
    }

    #[inline(always)]
    pub(crate) fn is_used(self) -> bool {
        self.0 & USED != 0
    }

    /// Returns `true` if both tell of one record in one state, whatever the flags.
    #[inline(always)]
    pub(crate) fn is_same_record(self, other: Self) -> bool {
        (self.0 ^ other.0) & !FLAGS == 0
    }

    /// Returns `true` if the record is there, and has no more than so many bytes.
    #[inline(always)]
    pub(crate) fn is_at(self, place: Place, length: usize) -> bool {
        const PLACE: u64 = RUN | bits(8) << FIRST;
        let wanted = (place.first as u64) << FIRST | if place.is_run { RUN } else { 0 };
        self.0 & PLACE == wanted && self.length() <= length
    }

    pub(crate) fn key_id(self) -> u8 {
        (self.0 >> KEY_ID & bits(2)) as u8
    }

    /// The first cell, below 256: not checked against the number of cells.
    #[inline(always)]
    pub(crate) fn place(self) -> Place {
        let first = (self.0 >> FIRST & bits(8)) as usize;
        Place { first, is_run: self.0 & RUN != 0 }
    }

    /// Bytes, below 16,384: not checked against the longest record.
    #[inline(always)]
    pub(crate) fn length(self) -> usize {
        (self.0 >> LENGTH & bits(14)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_says_what_was_put_into_it() {
        let empty = Descriptor(0);
        let place = Place { first: 212, is_run: true };
        let live = empty.live(place, 8256, 3);
        assert_eq!((live.place(), live.length(), live.key_id()), (place, 8256, 3));
        assert!(live.is_at(place, 8256) && !live.is_at(place, 8255));
        let linked = Place { is_run: false, ..place };
        assert!(!live.is_at(linked, 8256) && !live.is_at(Place { first: 211, ..place }, 8256));
        assert_eq!(empty.live(linked, 8256, 3).place(), linked);
        assert!(live.is_live() && !live.is_used() && live.used().is_used());
        assert!(live.is_same_record(live.used()) && live.used().unused() == live);
        assert!(!live.is_same_record(live.dead()) && live.dead().state() == State::Dead);
        assert_eq!(live.dead().place(), place, "the cells can still be found");
    }

    #[test]
    fn each_use_of_a_slot_has_a_generation_of_its_own() {
        let place = Place { first: 1, is_run: true };
        let first = Descriptor(0).live(place, 2, 0);
        let second = first.dead().freed().live(place, 2, 0);
        assert!(!first.is_same_record(second) && first != second);
        assert_ne!(first.freed().renewed(), first.freed());
        let last = Descriptor(u64::MAX).freed();
        assert_eq!(last.live(place, 0, 0).freed(), Descriptor(0), "it comes round");
        assert_eq!(Descriptor(u64::MAX).state(), State::Dead, "a reserved state");
    }
}
