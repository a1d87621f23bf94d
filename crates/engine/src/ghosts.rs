//! The ghost list: why sessions left that are looked for afterwards.
//!
//! It remembers the hashes of the latest departures, in sets of fifteen that are chosen by the hash:
//! one set in a small cache, sixteen in a larger one. Without memory for them it remembers nothing,
//! and such misses count as unknown.

use super::Cause;
use super::key::Hash;
use super::memory::{NoMemory, try_boxed};

/// Departures in a set.
const REMEMBERED: usize = 15;
/// Sets of a larger cache.
const SETS: usize = 16;
/// A cache with as many sessions is a larger one.
const LARGER: usize = 256;

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

/// The list.
pub(super) struct GhostList {
    /// None before the first departure; then a power of two.
    sets: Vec<Set>,
}

impl GhostList {
    /// Remembers nothing.
    pub(super) const fn new() -> Self {
        GhostList { sets: Vec::new() }
    }

    /// Has as many sets as a cache with so many sessions should have, if there is memory for them.
    #[inline]
    pub(super) fn fit(&mut self, sessions: usize) {
        if self.sets.len() < SETS && (sessions >= LARGER || self.sets.is_empty()) {
            self.grow(if sessions < LARGER { 1 } else { SETS });
        }
    }

    /// What one set remembered, each does: it may be asked for it.
    #[cold]
    fn grow(&mut self, sets: usize) {
        let remembered = self.sets.first().copied();
        let set = remembered.unwrap_or(Set { ghosts: [0; REMEMBERED], next: 0 });
        let grown: Result<Box<[Set]>, NoMemory> = match sets {
            1 => try_boxed::<_, 1>(|_| set).map(|one| one as _),
            _ => try_boxed::<_, SETS>(|_| set).map(|all| all as _),
        };
        if let Ok(grown) = grown {
            self.sets = grown.into_vec();
        }
    }

    fn set_of(&self, hash: Hash) -> usize {
        (hash.bits() >> 7) as usize & self.sets.len().wrapping_sub(1)
    }

    /// Remembers why the session with this hash left.
    #[inline]
    pub(super) fn note(&mut self, hash: Hash, cause: Cause) {
        let set = self.set_of(hash);
        if let Some(set) = self.sets.get_mut(set) {
            let ghost = (hash.bits() & !CAUSE) | (cause as u32 + 1);
            set.ghosts[set.next as usize] = ghost;
            let next = set.next + 1;
            set.next = if next == REMEMBERED as u32 { 0 } else { next };
        }
    }

    /// Why the session with this hash left, if that was lately; the latest reason counts.
    pub(super) fn cause(&self, hash: Hash) -> Option<Cause> {
        let set = self.sets.get(self.set_of(hash))?;
        let (newer, older) = set.ghosts.split_at(set.next as usize);
        let newest_first = newer.iter().rev().chain(older.iter().rev());
        let ghost = newest_first
            .copied()
            .find(|ghost| (ghost ^ hash.bits()) & !CAUSE == 0 && ghost & CAUSE != 0)?;
        CAUSES.get((ghost & CAUSE) as usize - 1).copied()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_latest_reason_counts_and_old_ones_are_forgotten() {
        let mut ghosts = GhostList::new();
        let hash = |n: u32| Hash(n << 7);
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
