//! The ghost list: why sessions left that are looked for afterwards.
//!
//! It remembers the hashes of the latest departures, in sets of fifteen that are chosen by the hash:
//! one set in a small cache, sixteen in a larger one. Where somebody wants the reasons, it grows
//! with the departures, to a megabyte. Without memory for them it remembers nothing, and such
//! misses count as unknown.

use super::Cause;
use super::key::Hash;
use super::memory::NoMemory;

/// Departures in a set.
const REMEMBERED: usize = 15;
/// Sets of a larger cache.
const SETS: usize = 16;
/// A cache with as many sessions is a larger one.
const LARGER: usize = 256;
/// Sets at most, where somebody wants the reasons. (Which of more than eight is a matter of bits
/// that a ghost has, so that it can be moved.)
const MOST_SETS: usize = 1 << 14;
/// It is doubled after so many departures for each set: few enough that scarcely a set forgets.
const PER_SET: usize = 2;

/// Bits of a ghost that tell the cause; the others are those of the hash.
const CAUSE: u32 = 7;

/// The causes by their number in a ghost; 0 is no ghost.
const CAUSES: [Cause; 6] =
    [Cause::Explicit, Cause::Replaced, Cause::Expired, Cause::Evicted, Cause::Taken, Cause::Closed];

/// A ring: one cache line.
#[derive(Clone, Copy)]
struct Set {
    ghosts: [u32; REMEMBERED],
    next: u32,
}

impl Set {
    const EMPTY: Set = Set { ghosts: [0; REMEMBERED], next: 0 };

    #[inline]
    fn add(&mut self, ghost: u32) {
        self.ghosts[self.next as usize] = ghost;
        let next = self.next + 1;
        self.next = if next == REMEMBERED as u32 { 0 } else { next };
    }

    /// All that there are, the newest first.
    fn newest_first(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        let (newer, older) = self.ghosts.split_at(self.next as usize);
        newer.iter().rev().chain(older.iter().rev()).copied().filter(|ghost| ghost & CAUSE != 0)
    }

    /// Those that have this bit, or have it not.
    fn with_bit(&self, bit: u32, is_set: bool) -> Set {
        let mut set = Set::EMPTY;
        let belongs = |ghost: &u32| (ghost & bit != 0) == is_set;
        self.newest_first().rev().filter(belongs).for_each(|ghost| set.add(ghost));
        set
    }
}

/// The list.
pub(super) struct GhostList {
    /// None before the first departure; then a power of two.
    sets: Vec<Set>,
    /// Somebody wants the reasons.
    is_wanted: bool,
    /// Departures that were noted while it may still grow.
    noted: u32,
}

impl GhostList {
    /// Remembers nothing.
    pub(super) const fn new() -> Self {
        GhostList { sets: Vec::new(), is_wanted: false, noted: 0 }
    }

    /// Has as many sets as a cache with so many sessions should have, if there is memory for them.
    #[inline]
    pub(super) fn fit(&mut self, sessions: usize) {
        if self.sets.len() < SETS && (sessions >= LARGER || self.sets.is_empty()) {
            self.grow(if sessions < LARGER { 1 } else { SETS });
        }
    }

    /// Remembers as much as can be looked for, from now on.
    pub(super) fn want(&mut self) {
        self.is_wanted = true;
        if self.sets.len() < SETS {
            self.grow(SETS);
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// What one set remembered, each does that comes of it: it may be asked for it.
    #[cold]
    fn grow(&mut self, sets: usize) {
        // Without memory it remembers less.
        let _ = self.try_grow(sets);
    }

    fn try_grow(&mut self, sets: usize) -> Result<(), NoMemory> {
        let more = sets - self.sets.len();
        self.sets.try_reserve_exact(more).map_err(|_| NoMemory)?;
        let known = self.sets.len();
        for number in known..sets {
            let set = if known == 0 { Set::EMPTY } else { self.sets[number & (known - 1)] };
            self.sets.push(set);
        }
        Ok(())
    }

    /// Twice as many sets: each is now two.
    #[cold]
    fn double(&mut self) {
        self.noted = 0;
        let sets = self.sets.len();
        if sets == 0 || sets == MOST_SETS || self.try_grow(2 * sets).is_err() {
            return;
        }
        let (lower, upper) = self.sets.split_at_mut(sets);
        for (lower, upper) in lower.iter_mut().zip(upper) {
            *upper = lower.with_bit(sets as u32, true);
            *lower = lower.with_bit(sets as u32, false);
        }
    }

    fn set_of(&self, hash: Hash) -> usize {
        // The lower bits, which a ghost has not: the more sets, the more they tell apart.
        hash.bits() as usize & self.sets.len().wrapping_sub(1)
    }

    /// Remembers why the session with this hash left.
    #[inline]
    pub(super) fn note(&mut self, hash: Hash, cause: Cause) {
        if self.is_wanted {
            self.noted += 1;
            if self.noted as usize > self.sets.len() * PER_SET {
                self.double();
            }
        }
        let set = self.set_of(hash);
        if let Some(set) = self.sets.get_mut(set) {
            set.add((hash.bits() & !CAUSE) | (cause as u32 + 1));
        }
    }

    /// Why the session with this hash left, if that was lately; the latest reason counts.
    pub(super) fn cause(&self, hash: Hash) -> Option<Cause> {
        let set = self.sets.get(self.set_of(hash))?;
        let ghost = set.newest_first().find(|ghost| (ghost ^ hash.bits()) & !CAUSE == 0)?;
        CAUSES.get((ghost & CAUSE) as usize - 1).copied()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_latest_reason_counts_and_old_ones_are_forgotten() {
        let mut ghosts = GhostList::new();
        let hash = |n: u32| Hash(n << 7 | n & 0x7f);
        assert!(ghosts.cause(Hash(0)).is_none(), "an empty list remembers nothing");
        ghosts.note(hash(5), Cause::Expired);
        assert!(ghosts.cause(hash(5)).is_none(), "without sets it does not either");
        ghosts.fit(1);
        assert!(ghosts.cause(Hash(0)).is_none());
        ghosts.note(hash(5), Cause::Expired);
        ghosts.note(hash(5), Cause::Evicted);
        assert_eq!(ghosts.cause(hash(5)), Some(Cause::Evicted));
        for n in 100..100 + REMEMBERED as u32 {
            ghosts.note(hash(n), Cause::Taken);
        }
        assert_eq!(ghosts.cause(hash(5)), None);
        assert_eq!(ghosts.cause(hash(100)), Some(Cause::Taken));
        ghosts.fit(255);
        assert_eq!(ghosts.sets.len(), 1);
        ghosts.fit(256);
        assert_eq!(ghosts.sets.len(), SETS);
        assert!((100..115).all(|n| ghosts.cause(hash(n)) == Some(Cause::Taken)), "still known");
        for n in 200..200 + (SETS * REMEMBERED) as u32 {
            ghosts.note(hash(n), Cause::Closed);
        }
        let known = |n| ghosts.cause(hash(n)) == Some(Cause::Closed);
        assert!((200..200 + (SETS * REMEMBERED) as u32).all(known), "evenly spread");
    }

    #[test]
    fn where_it_is_wanted_it_remembers_a_hundred_thousand() {
        let mut ghosts = GhostList::new();
        ghosts.fit(1);
        ghosts.want();
        let hash =
            |n: u32| Hash(n.wrapping_mul(0x9e37_79b9).rotate_left(16).wrapping_mul(0x85eb_ca6b));
        for n in 0..60_000 {
            ghosts.note(hash(n), CAUSES[n as usize % 6]);
        }
        let known = |n: &u32| ghosts.cause(hash(*n)) == Some(CAUSES[*n as usize % 6]);
        assert!((0..60_000).filter(known).count() > 59_900);
        for n in 60_000..1_000_000 {
            ghosts.note(hash(n), CAUSES[n as usize % 6]);
        }
        assert_eq!(ghosts.sets.len(), MOST_SETS);
        let known = |n: &u32| ghosts.cause(hash(*n)) == Some(CAUSES[*n as usize % 6]);
        assert!((900_000..1_000_000).filter(known).count() > 99_000, "the latest");
        assert!((2_000_000..2_100_000).filter(|&n| ghosts.cause(hash(n)).is_some()).count() < 50);
    }

    #[test]
    fn every_cause_is_told_apart() {
        let mut ghosts = GhostList::new();
        ghosts.fit(0);
        for (n, cause) in CAUSES.into_iter().enumerate() {
            ghosts.note(Hash(n as u32 * 8), cause);
        }
        for (n, cause) in CAUSES.into_iter().enumerate() {
            assert_eq!(ghosts.cause(Hash(n as u32 * 8)), Some(cause));
        }
    }
}
