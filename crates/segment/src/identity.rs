//! What a segment says it is: the first words of its header.
//!
//! Written into the file before it has a name, and never changed. They are read from the file, not
//! from the mapping, and kept: what somebody stores there later is read by nobody.

use crate::error::Error;
use crate::layout::{CELL, CELLS, HEAD, IDENTITY_WORDS, SET, SLOTS};

/// `sslcache`, as bytes.
const MAGIC: u64 = u64::from_le_bytes(*b"sslcache");

/// Changes with everything that processes of two releases could understand differently. It is part
/// of the file's name, too.
pub(crate) const FORMAT: u64 = 1;

/// What this build takes a set to be.
const GEOMETRY: u64 = (SET as u64) << 32 | (SLOTS as u64) << 20 | (CELLS as u64) << 8 | CELL as u64;

/// What a segment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// How many sets it has.
    pub(crate) sets: u64,
    /// When it was made, in seconds since the epoch.
    pub created: u64,
    /// By which process.
    pub creator: u64,
    /// Where pids are what they are in the locks; 0: unknown.
    pub(crate) pid_namespace: u64,
}

impl Identity {
    /// The words, with a checksum.
    pub(crate) fn words(&self) -> [u64; IDENTITY_WORDS] {
        let mut words = [0; IDENTITY_WORDS];
        let values = [MAGIC, FORMAT, GEOMETRY, self.sets, self.created, self.creator];
        words[..values.len()].copy_from_slice(&values);
        words[values.len()] = self.pid_namespace;
        words[IDENTITY_WORDS - 1] = checksum(&words);
        words
    }

    /// What they say, of a file of this size.
    pub(crate) fn read(words: &[u64; IDENTITY_WORDS], size: u64) -> Result<Self, Error> {
        let [magic, format, geometry, sets, created, creator, pid_namespace, ..] = *words;
        if magic != MAGIC {
            return Err(Error::NoSegment);
        }
        if format != FORMAT {
            return Err(Error::Format);
        }
        if words[IDENTITY_WORDS - 1] != checksum(words) || geometry != GEOMETRY {
            return Err(Error::NoSegment);
        }
        if sets == 0 || file_size(sets) != Some(size) {
            return Err(Error::Truncated);
        }
        Ok(Identity { sets, created, creator, pid_namespace })
    }
}

/// The size of a file with so many sets.
pub(crate) fn file_size(sets: u64) -> Option<u64> {
    sets.checked_mul(SET as u64)?.checked_add(HEAD as u64)
}

/// Of all words but the last. It finds damage, not forgery.
fn checksum(words: &[u64; IDENTITY_WORDS]) -> u64 {
    words[..IDENTITY_WORDS - 1].iter().fold(MAGIC, |sum, &word| {
        let mixed = (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_noticed() {
        let identity = Identity { sets: 62, created: 1_700_000_000, creator: 1, pid_namespace: 4 };
        let (words, size) = (identity.words(), file_size(62).unwrap());
        assert_eq!(Identity::read(&words, size), Ok(identity));
        assert_eq!(Identity::read(&words, size - 1), Err(Error::Truncated));
        for bit in 0..IDENTITY_WORDS * 64 {
            let mut other = words;
            other[bit / 64] ^= 1 << (bit % 64);
            assert!(Identity::read(&other, size).is_err(), "bit {bit}");
        }
        assert_eq!(Identity::read(&[0; IDENTITY_WORDS], size), Err(Error::NoSegment));
    }
}
