//! What a session is found by, and the hash of it.

use std::hash::Hasher;
use std::ops::Deref;

use sslcache_sync::{Derived, random_of_program};

/// The key of a session: protocol version and session id. Two sessions are the same for the cache
/// if and only if version, id length and id bytes are equal.
///
/// Held as numbers, which are compared, hashed and stored without a detour through memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// The id, zero beyond its length.
    id: [u64; ID_WORDS],
    /// Its length, at most [`Key::MAX_ID`], above the version.
    rest: u64,
}

const ID_WORDS: usize = Key::MAX_ID / 8;

/// The words of a key.
pub const KEY_WORDS: usize = ID_WORDS + 1;

/// A session id out of a key.
#[derive(Clone, Copy)]
pub struct SessionId {
    bytes: [u8; Key::MAX_ID],
    len: usize,
}

impl Deref for SessionId {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Key {
    /// The longest session id (`SSL_MAX_SSL_SESSION_ID_LENGTH`).
    pub const MAX_ID: usize = 32;

    /// `None` if the id is longer than [`Key::MAX_ID`]. An empty id is a key like any other.
    #[inline]
    pub fn new(version: i32, id: &[u8]) -> Option<Key> {
        // Nearly all ids have the full length: words at fixed places.
        let words = match <&[u8; Key::MAX_ID]>::try_from(id) {
            Ok(id) => Key::words_of(id),
            Err(_) => Key::shorter(id)?,
        };
        Some(Key { id: words, rest: u64::from(version as u32) | (id.len() as u64) << 32 })
    }

    #[cold]
    fn shorter(id: &[u8]) -> Option<[u64; ID_WORDS]> {
        let mut padded = [0; Key::MAX_ID];
        padded.get_mut(..id.len())?.copy_from_slice(id);
        Some(Key::words_of(&padded))
    }

    #[inline(always)]
    fn words_of(id: &[u8; Key::MAX_ID]) -> [u64; ID_WORDS] {
        let word = |i| id[8 * i..].first_chunk().expect("MAX_ID is four words");
        std::array::from_fn(|i| u64::from_ne_bytes(*word(i)))
    }

    /// The protocol version.
    pub fn version(&self) -> i32 {
        self.rest as u32 as i32
    }

    /// The session id.
    pub fn id(&self) -> SessionId {
        let mut bytes = [0; Key::MAX_ID];
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(self.id) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        SessionId { bytes, len: (self.rest >> 32) as usize }
    }

    /// All of it, to store it where others may read it meanwhile.
    #[inline]
    pub fn words(&self) -> [u64; KEY_WORDS] {
        let [a, b, c, d] = self.id;
        [a, b, c, d, self.rest]
    }

    /// The key that had these words.
    #[inline]
    pub fn from_words([a, b, c, d, rest]: [u64; KEY_WORDS]) -> Key {
        Key { id: [a, b, c, d], rest }
    }

    #[inline]
    pub(super) fn hash(&self) -> Hash {
        HASHER.with(|| KeyHasher::random(random_of_program()), |hasher| hasher.hash(self))
    }
}

/// 32 bits, each pair of keys as if drawn at random. The lower ones choose the bucket, the upper
/// ones are what the bucket compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hash(pub(super) u32);

impl Hash {
    #[inline]
    pub(super) fn bits(self) -> u32 {
        self.0
    }

    /// The upper eight bits, but never 0.
    #[inline]
    pub(super) fn tag(self) -> u8 {
        ((self.0 >> 24) as u8).max(1)
    }
}

/// Keyed, strongly universal hashing (Multilinear-HM, Lemire and Kaser 2014): with x the ten
/// halves of the key's words and k eleven random numbers of 64 bits,
/// `k0 + (x1+k1)(x2+k2) + ... + (x9+k9)(x10+k10) mod 2^64`, of which the upper half counts.
///
/// Ids can be chosen by an attacker (`SSL_SESSION_set1_id`, `d2i_SSL_SESSION`, the generator
/// callback). Whatever two different keys they choose, their two hashes are a uniformly random
/// pair to anyone who does not know k: that is proven, and takes five multiplications, none of
/// which waits for another, and no loop over bytes. (32 bits are enough: two of a million sessions
/// that share them cost one comparison more.)
///
/// The sum is linear in each word: ids that count upwards have hashes that step evenly, and a
/// table probed linearly does not like steps. The mixing at the end takes them apart; being a
/// bijection, it takes nothing from the proof.
#[derive(Clone, Copy)]
struct KeyHasher {
    offset: u64,
    pairs: [(u64, u64); KEY_WORDS],
}

/// That of the process, drawn at first use.
static HASHER: Derived<KeyHasher> = Derived::new();

impl KeyHasher {
    /// SipHash under a random key is a pseudo-random function: a source of random numbers.
    fn random([k, l]: [u64; 2]) -> KeyHasher {
        let word = |i: u64| {
            #[allow(deprecated)] // std has no other with a key; nothing is wrong with it.
            let mut prf = std::hash::SipHasher::new_with_keys(k, l);
            prf.write_u64(i);
            prf.finish()
        };
        KeyHasher {
            offset: word(0),
            pairs: std::array::from_fn(|i| (word(2 * i as u64 + 1), word(2 * i as u64 + 2))),
        }
    }

    #[inline]
    fn hash(&self, key: &Key) -> Hash {
        let products = key.words().into_iter().zip(&self.pairs).map(|(word, (k, l))| {
            let (x, y) = (word & u64::from(u32::MAX), word >> 32);
            k.wrapping_add(x).wrapping_mul(l.wrapping_add(y))
        });
        let sum = products.fold(self.offset, u64::wrapping_add);
        Hash(scatter((sum >> 32) as u32))
    }
}

/// A bijection that takes even steps apart.
fn scatter(x: u32) -> u32 {
    let x = (x ^ x >> 16).wrapping_mul(0x7feb_352d);
    x ^ x >> 15
}

/// Numbers that look random, for tests (the finalizer of SplitMix64).
#[cfg(test)]
pub(super) fn mix(x: u64) -> u64 {
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::{Key, KeyHasher};
    use std::collections::HashSet;

    #[test]
    fn version_length_and_bytes_make_the_key() {
        let key = |version, id: &[u8]| Key::new(version, id).unwrap();
        assert!(key(771, b"a") == key(771, b"a"));
        assert!(key(771, b"a") != key(772, b"a"));
        assert!(key(771, b"a") != key(771, b"b"));
        assert!(key(771, b"a") != key(771, b"a\0"));
        assert_eq!(key(-1, b"abc").version(), -1);
        assert_eq!(*key(-1, b"abc").id(), *b"abc");
        assert_eq!(*key(0, b"").id(), *b"");
        for same in [key(771, &[9; 32]), key(-1, b"abc"), key(i32::MAX, b"")] {
            assert_eq!(Key::from_words(same.words()), same);
        }
        assert!(Key::new(0, &[1; 32]).is_some());
        assert!(Key::new(0, &[1; 33]).is_none());
    }

    #[test]
    fn equal_keys_hash_equally_and_similar_ones_spread() {
        let mut seen = HashSet::new();
        for n in 0..20_000u32 {
            // A long common prefix, and ids that count: what routing by id and tests do.
            let mut id = [7; 32];
            id[28..].copy_from_slice(&n.to_be_bytes());
            let key = Key::new(771, &id).unwrap();
            assert_eq!(key.hash().0, key.hash().0);
            seen.insert(key.hash().0);
        }
        // Of 32 random bits, 0.05 pairs in the mean share them.
        assert!(seen.len() > 19_990);
    }

    /// Counting ids fill the places of a table as random ones do: with as many places as ids, a
    /// part of 1/e stays empty. (Of even steps, none or nearly all.)
    #[test]
    fn ids_that_count_hash_like_random_ones() {
        const PLACES: usize = 4096;
        let mut empty = 0;
        for process in 0..32 {
            let hasher = KeyHasher::random([process, !process]);
            let mut taken = [false; PLACES];
            for n in 0..PLACES as u64 {
                let hash = hasher.hash(&Key::new(771, &n.to_be_bytes()).unwrap());
                taken[hash.bits() as usize % PLACES] = true;
            }
            empty += taken.iter().filter(|taken| !**taken).count();
        }
        let part = empty as f64 / (32 * PLACES) as f64;
        assert!((0.30..0.43).contains(&part), "{part}");
    }

    #[test]
    fn each_word_of_the_key_matters() {
        let keys: Vec<Key> = (0..5)
            .map(|i| {
                let mut id = [0; 32];
                if i < 4 {
                    id[i * 8] = 1;
                }
                Key::new(if i == 4 { 1 } else { 0 }, &id).unwrap()
            })
            .collect();
        let hashes: HashSet<u32> = keys.iter().map(|key| key.hash().bits()).collect();
        assert_eq!(hashes.len(), 5);
    }

    #[test]
    fn another_process_hashes_differently() {
        let key = Key::new(771, b"id").unwrap();
        let of_program = sslcache_sync::random_of_program();
        assert_eq!(KeyHasher::random(of_program).hash(&key), key.hash());
        assert_ne!(KeyHasher::random(of_program.map(|word| word ^ 1)).hash(&key), key.hash());
    }
}
