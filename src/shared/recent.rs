//! Who made the last sessions, and under which names they were made or resumed.
//!
//! An application may add a session to the cache itself, or change its time, after the handshake
//! that made or resumed it, and then nothing of what it passes tells the name that the client asked
//! for, nor that it was the client. So that is kept here, a place for each session by its key. Where
//! another session has taken the place, it is not known any more.

use std::sync::atomic::{AtomicU64, Ordering};

const PLACES: usize = 512;

/// A name, and which session it is of: the two words together are right, or they are not read.
struct Entry {
    name: AtomicU64,
    /// The session's, with the name XORed onto it: words of two writers do not fit together.
    check: AtomicU64,
}

/// The last names, as numbers.
pub struct Recent([Entry; PLACES]);

impl Recent {
    /// None yet.
    pub const fn new() -> Self {
        Recent([const { Entry { name: AtomicU64::new(0), check: AtomicU64::new(0) } }; PLACES])
    }

    /// The session with this key, random bits, was made or resumed under this name. What is known
    /// is not written again: many threads may resume one session.
    pub fn note(&self, key: u64, name: u64) {
        if self.name(key) == Some(name) {
            return;
        }
        let entry = &self.0[key as usize % PLACES];
        entry.name.store(name, Ordering::Relaxed);
        entry.check.store(key ^ name, Ordering::Relaxed);
    }

    /// The name of the session with this key, if it is still known.
    pub fn name(&self, key: u64) -> Option<u64> {
        let entry = &self.0[key as usize % PLACES];
        let name = entry.name.load(Ordering::Relaxed);
        (entry.check.load(Ordering::Relaxed) ^ name == key).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_until_its_place_is_taken() {
        let recent = Recent::new();
        assert_eq!(recent.name(7), None);
        recent.note(7, 1234);
        assert_eq!((recent.name(7), recent.name(8)), (Some(1234), None));
        assert_eq!(recent.name(7 + PLACES as u64), None);
        recent.note(7 + PLACES as u64, 99);
        assert_eq!((recent.name(7), recent.name(7 + PLACES as u64)), (None, Some(99)));
    }
}
