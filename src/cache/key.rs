//! What a session is found by, and the hash of it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

/// The key of a session: protocol version and session id. Two sessions are the same for the cache
/// if and only if version, id length and id bytes are equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// Zero beyond `len`, so that comparing and hashing need not look at the length first.
    id: [u8; Key::MAX_ID],
    version: i32,
    len: u8,
}

impl Key {
    /// The longest session id (`SSL_MAX_SSL_SESSION_ID_LENGTH`).
    pub const MAX_ID: usize = 32;

    /// `None` if the id is longer than [`Key::MAX_ID`]. An empty id is a key like any other.
    pub fn new(version: i32, id: &[u8]) -> Option<Key> {
        let mut padded = [0; Key::MAX_ID];
        padded.get_mut(..id.len())?.copy_from_slice(id);
        Some(Key::from_padded(version, padded, id.len() as u8))
    }

    /// `id` is zero beyond `len`, `len` at most [`Key::MAX_ID`]: it was taken from a key.
    pub(super) fn from_padded(version: i32, id: [u8; Key::MAX_ID], len: u8) -> Key {
        Key { id, version, len }
    }

    /// The protocol version.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// The session id.
    pub fn id(&self) -> &[u8] {
        &self.id[..usize::from(self.len)]
    }

    pub(super) fn padded_id(&self) -> &[u8; Key::MAX_ID] {
        &self.id
    }

    pub(super) fn hash(&self) -> Hash {
        KeyHasher::of_process().hash(self)
    }

    fn words(&self) -> [u64; KEY_WORDS] {
        let word = |i: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&self.id[i * 8..i * 8 + 8]);
            u64::from_le_bytes(bytes)
        };
        let tail = u64::from(self.version as u32) << 8 | u64::from(self.len);
        [word(0), word(1), word(2), word(3), tail]
    }
}

const KEY_WORDS: usize = 5;

/// 64 bits, each pair of keys as if drawn at random. Different parts choose the shard and the
/// place in the shard's index.
#[derive(Clone, Copy)]
pub(super) struct Hash(u64);

impl Hash {
    /// Which of `1 << bits` shards.
    pub(super) fn shard(self, bits: u32) -> usize {
        (self.0 >> (u64::BITS - bits)) as usize
    }

    /// What the index of a shard keeps of it.
    pub(super) fn tag(self) -> u32 {
        self.0 as u32
    }
}

/// Keyed, strongly universal hashing (multilinear, Lemire and Kaser 2014): with x the key's five
/// words and k six random 128-bit numbers, `(k0 + x1*k1 + ... + x5*k5 mod 2^128) >> 64`.
///
/// Ids can be chosen by an attacker (`SSL_SESSION_set1_id`, `d2i_SSL_SESSION`, the generator
/// callback). Whatever two different ids they choose, their two hashes are a uniformly random
/// pair to anyone who does not know k: that is provable, takes ten multiplications and no loop
/// over bytes.
///
/// The sum is linear: ids that count upwards have hashes that step evenly, and a table probed
/// linearly does not like steps. The mixing at the end takes them apart; being a bijection, it
/// takes nothing from the proof.
struct KeyHasher {
    offset: u128,
    factors: [u128; KEY_WORDS],
}

impl KeyHasher {
    /// One set of random numbers for the whole process, drawn at first use.
    fn of_process() -> &'static KeyHasher {
        static HASHER: OnceLock<KeyHasher> = OnceLock::new();
        HASHER.get_or_init(KeyHasher::random)
    }

    /// std's SipHash under a random key of the operating system is a pseudo-random function: a
    /// source of random numbers without a dependency.
    fn random() -> KeyHasher {
        let prf = RandomState::new();
        let word = |i: u64| {
            let mut hasher = prf.build_hasher();
            hasher.write_u64(i);
            u128::from(hasher.finish())
        };
        let number = |i: u64| word(2 * i) << 64 | word(2 * i + 1);
        KeyHasher { offset: number(0), factors: std::array::from_fn(|i| number(i as u64 + 1)) }
    }

    fn hash(&self, key: &Key) -> Hash {
        let sum =
            key.words().iter().zip(&self.factors).fold(self.offset, |sum, (&word, &factor)| {
                sum.wrapping_add(u128::from(word).wrapping_mul(factor))
            });
        Hash(mix((sum >> 64) as u64))
    }
}

/// A bijection of 64 bits that is far from linear (the finalizer of SplitMix64).
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
        assert_eq!(key(-1, b"abc").id(), b"abc");
        assert_eq!(key(0, b"").id(), b"");
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
        assert_eq!(seen.len(), 20_000);
    }

    #[test]
    fn each_word_of_the_key_matters_to_shard_and_tag() {
        let keys: Vec<Key> = (0..5)
            .map(|i| {
                let mut id = [0; 32];
                if i < 4 {
                    id[i * 8] = 1;
                }
                Key::new(if i == 4 { 1 } else { 0 }, &id).unwrap()
            })
            .collect();
        let tags: HashSet<u32> = keys.iter().map(|key| key.hash().tag()).collect();
        assert_eq!(tags.len(), 5);
        assert!(keys.iter().all(|key| key.hash().shard(6) < 64));
    }

    #[test]
    fn another_process_hashes_differently() {
        let key = Key::new(771, b"id").unwrap();
        assert_ne!(KeyHasher::random().hash(&key).0, KeyHasher::random().hash(&key).0);
    }
}
