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

/// Keyed hashing in two steps, with w the words of the key and k, p random numbers of 64 bits:
///
/// 1. NH (Black, Halevi, Krawczyk, Krovetz and Rogaway 1999, of UMAC), to 128 bits:
///    `(w1+k1)(w2+k2) + (w3+k3)(w4+k4) + (w5+k5)k6 mod 2^128`, the sums in brackets mod 2^64.
/// 2. Multilinear-HM (Lemire and Kaser 2014), with x the four halves of halves of that, to 64 bits, of
///    which the upper 32 count: `p0 + (x1+p1)(x2+p2) + (x3+p3)(x4+p4) mod 2^64`.
///
/// Ids can be chosen by an attacker (`SSL_SESSION_set1_id`, `d2i_SSL_SESSION`, the generator
/// callback). Whatever two different keys they choose, NH tells them apart but for a chance of 2^-64,
/// and then their two hashes are a uniformly random pair to anyone who does not know k and p: both is
/// proven. It takes five multiplications and no loop over bytes. (32 bits are enough: two of a million
/// sessions that share them cost one comparison more.)
#[derive(Clone, Copy)]
struct KeyHasher {
    k: [u64; KEY_WORDS + 1],
    p: [u64; 5],
}

/// That of the process, drawn at first use.
static HASHER: Derived<KeyHasher> = Derived::new();

impl KeyHasher {
    /// SipHash under a random key is a pseudo-random function: a source of random numbers.
    fn random([k, l]: [u64; 2]) -> KeyHasher {
        let word = |i: usize| {
            #[allow(deprecated)] // std has no other with a key; nothing is wrong with it.
            let mut prf = std::hash::SipHasher::new_with_keys(k, l);
            prf.write_u64(i as u64);
            prf.finish()
        };
        KeyHasher {
            k: std::array::from_fn(word),
            p: std::array::from_fn(|i| word(KEY_WORDS + 1 + i)),
        }
    }

    #[inline]
    fn hash(&self, key: &Key) -> Hash {
        let ([a, b, c, d, rest], k, p) = (key.words(), &self.k, &self.p);
        let product = |x: u64, y: u64| u128::from(x) * u128::from(y);
        let sum = product(a.wrapping_add(k[0]), b.wrapping_add(k[1]))
            .wrapping_add(product(c.wrapping_add(k[2]), d.wrapping_add(k[3])))
            .wrapping_add(product(rest.wrapping_add(k[4]), k[5]));
        let product = |x: u64, p: u64, q: u64| {
            (x & u64::from(u32::MAX)).wrapping_add(p).wrapping_mul((x >> 32).wrapping_add(q))
        };
        let (lower, upper) =
            (product(sum as u64, p[1], p[2]), product((sum >> 64) as u64, p[3], p[4]));
        Hash((p[0].wrapping_add(lower).wrapping_add(upper) >> 32) as u32)
    }
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
