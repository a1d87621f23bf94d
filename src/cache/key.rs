//! What a session is found by, and the hash of it.

use once_cell::race::OnceBox;
use std::hash::{BuildHasher, Hasher, RandomState};

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
    #[inline]
    pub fn new(version: i32, id: &[u8]) -> Option<Key> {
        // Nearly all ids have the full length: a copy of a fixed size.
        match <[u8; Key::MAX_ID]>::try_from(id) {
            Ok(id) => Some(Key::from_padded(version, id, Key::MAX_ID as u8)),
            Err(_) => Key::shorter(version, id),
        }
    }

    #[cold]
    fn shorter(version: i32, id: &[u8]) -> Option<Key> {
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

    #[inline]
    pub(super) fn hash(&self) -> Hash {
        KeyHasher::of_process().hash(self)
    }

    fn words(&self) -> [u64; KEY_WORDS] {
        let word = |i: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&self.id[i * 8..i * 8 + 8]);
            u64::from_ne_bytes(bytes)
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

/// Keyed hashing in two steps, with x the five words of the key and all else random:
///
/// 1. The pairwise products of NH (Black et al. 1999, UMAC), three multiplications: the sum of
///    `(x1+k1)(x2+k2)`, `(x3+k3)(x4+k4)` and `(x5+k5)k6` mod 2^128, the brackets mod 2^64.
/// 2. Multilinear hashing (Lemire and Kaser 2014) of the sum's halves h and l:
///    `(a + b*h + c*l mod 2^128) >> 64`.
///
/// Ids can be chosen by an attacker (`SSL_SESSION_set1_id`, `d2i_SSL_SESSION`, the generator
/// callback). Whatever two different keys they choose, to anyone who does not know the random
/// numbers the two sums are different but for a probability of 2^-64 (that is proven of NH), and
/// the hashes of different sums are a uniformly random pair (that is proven of multilinear
/// hashing), as is every choice of their bits.
///
/// Both steps are linear in any one word: ids that count upwards have hashes that step evenly,
/// and a table probed linearly does not like steps. The mixing at the end takes them apart; being
/// a bijection, it takes nothing from the proof.
struct KeyHasher {
    pairs: [u64; 6],
    fold: [u128; 3],
}

impl KeyHasher {
    /// One set of random numbers for the whole process, drawn at first use. Threads race for it,
    /// none waits: after a `fork()` the one to wait for might not exist. (The one allocation of
    /// the engine that cannot be refused; it happens once.)
    fn of_process() -> &'static KeyHasher {
        static HASHER: OnceBox<KeyHasher> = OnceBox::new();
        HASHER.get_or_init(|| Box::new(KeyHasher::random()))
    }

    /// std's SipHash under a random key of the operating system is a pseudo-random function: a
    /// source of random numbers without a dependency.
    fn random() -> KeyHasher {
        let prf = RandomState::new();
        let word = |i: u64| {
            let mut hasher = prf.build_hasher();
            hasher.write_u64(i);
            hasher.finish()
        };
        let number = |i: u64| u128::from(word(i)) << 64 | u128::from(word(i + 1));
        KeyHasher {
            pairs: std::array::from_fn(|i| word(i as u64)),
            fold: [number(6), number(8), number(10)],
        }
    }

    #[inline]
    fn hash(&self, key: &Key) -> Hash {
        let [x1, x2, x3, x4, x5] = key.words();
        let [k1, k2, k3, k4, k5, k6] = self.pairs;
        let product = |x: u64, k: u64, y: u64, l: u64| wide(x.wrapping_add(k), y.wrapping_add(l));
        let sum = product(x1, k1, x2, k2)
            .wrapping_add(product(x3, k3, x4, k4))
            .wrapping_add(product(x5, k5, 0, k6));
        let [a, b, c] = self.fold;
        let (high, low) = (sum >> 64, u128::from(sum as u64));
        let folded = a.wrapping_add(b.wrapping_mul(high)).wrapping_add(c.wrapping_mul(low));
        Hash(scatter((folded >> 64) as u64))
    }
}

fn wide(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

/// A bijection of 64 bits that takes even steps apart.
fn scatter(x: u64) -> u64 {
    let x = (x ^ x >> 32).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ x >> 32
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
