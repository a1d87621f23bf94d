//! What is derived from the lines of a key file, and what is done with it.
//!
//! Each line gives, by HKDF-SHA256, a key that seals, a key for names, and a check of each: 64 bits
//! that tell it from others, and may be seen by everybody. The first line seals; all of them open.
//! Names are all made with one line's key, that of the line which was the first when the memory was
//! made, or what was stored before a change of keys would not be found after it.

use aes_gcm_siv::aead::inout::InOutBuf;
use aes_gcm_siv::aead::{AeadInOut, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha256;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use zeroize::Zeroize;

/// Bytes of a line's key.
pub const LINE: usize = 32;
/// Most lines of a file.
pub const KEYS: usize = 4;
/// Bytes that sealing adds.
pub const TAG: usize = 16;

/// The key in a line.
pub type Line = [u8; LINE];

/// What comes from a line.
#[derive(Clone, Copy)]
struct Derived {
    seal: [u8; 32],
    seal_check: u64,
    name: [u8; 16],
    name_check: u64,
}

impl Derived {
    const NONE: Derived = Derived { seal: [0; 32], seal_check: 0, name: [0; 16], name_check: 0 };

    fn fill(&mut self, line: &Line) {
        let hkdf = Hkdf::<Sha256>::new(None, line);
        let expand = |what: &[u8], to: &mut [u8]| {
            // It fails for results of many kilobytes.
            let _ = hkdf.expand_multi_info(&[b"sslcache 1 ", what], to);
        };
        let check = |what| {
            let mut bytes = [0; 8];
            expand(what, &mut bytes);
            u64::from_le_bytes(bytes).max(1)
        };
        expand(b"seal", &mut self.seal);
        expand(b"name", &mut self.name);
        self.seal_check = check(b"seal check");
        self.name_check = check(b"name check");
    }
}

/// The keys of a file. (To be kept in a [`Secret`](crate::Secret).)
#[derive(Clone, Copy)]
pub struct Keys {
    derived: [Derived; KEYS],
    count: usize,
}

/// What a record is sealed to, beside its key: with another value of one of these it does not open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// Which key seals it, as the memory numbers them.
    pub key_id: u8,
    /// When it expires.
    pub expiry: u32,
    /// The hash of the name it belongs to: all of it, where the memory has 32 bits.
    pub name: u64,
}

impl Bound {
    fn bytes(&self) -> [u8; 14] {
        let mut bytes = [0; 14];
        // The format.
        bytes[0] = 1;
        bytes[1] = self.key_id;
        bytes[2..6].copy_from_slice(&self.expiry.to_le_bytes());
        bytes[6..].copy_from_slice(&self.name.to_le_bytes());
        bytes
    }
}

impl Keys {
    /// No keys.
    pub const NONE: Keys = Keys { derived: [Derived::NONE; KEYS], count: 0 };

    /// Adds those of a line; the first one added seals. More than [`KEYS`] are not taken.
    pub fn add(&mut self, line: &Line) {
        if let Some(derived) = self.derived.get_mut(self.count) {
            derived.fill(line);
            self.count += 1;
        }
    }

    fn all(&self) -> &[Derived] {
        &self.derived[..self.count.min(KEYS)]
    }

    /// How many lines.
    pub fn count(&self) -> usize {
        self.all().len()
    }

    /// What tells the key of a line that seals from others; not 0.
    pub fn seal_check(&self, line: usize) -> Option<u64> {
        self.all().get(line).map(|derived| derived.seal_check)
    }

    /// The line whose sealing key has this check.
    pub fn sealed_by(&self, check: u64) -> Option<usize> {
        self.all().iter().position(|derived| derived.seal_check == check)
    }

    /// What tells the key of a line for names from others; not 0.
    pub fn name_check(&self, line: usize) -> Option<u64> {
        self.all().get(line).map(|derived| derived.name_check)
    }

    /// The line whose key for names has this check.
    pub fn named_by(&self, check: u64) -> Option<usize> {
        self.all().iter().position(|derived| derived.name_check == check)
    }

    /// 128 bits of all parts together, by a line's key: SipHash-2-4, each part with its length.
    /// Other parts give other bits, and without the key nobody can tell which.
    pub fn name(&self, line: usize, parts: &[&[u8]]) -> Option<[u8; 16]> {
        let mut hasher = SipHasher24::new_with_key(&self.all().get(line)?.name);
        for part in parts {
            hasher.write(&(part.len() as u64).to_le_bytes());
            hasher.write(part);
        }
        Some(hasher.finish128().as_bytes())
    }

    /// Seals what is in `room`, but for the last [`TAG`] bytes of it, which are filled. `false`:
    /// there is no such line, or no room; what is in `room` is then wiped.
    pub fn seal(&self, line: usize, key: &[u8; 16], bound: &Bound, room: &mut [u8]) -> bool {
        self.try_seal(line, key, bound, room)
            .or_else(|| {
                room.zeroize();
                None
            })
            .is_some()
    }

    fn try_seal(&self, line: usize, key: &[u8; 16], bound: &Bound, room: &mut [u8]) -> Option<()> {
        let cipher = Aes256GcmSiv::new(&self.all().get(line)?.seal.into());
        let (plain, end) = room.split_last_chunk_mut::<TAG>()?;
        let buffer = InOutBuf::from(plain);
        let tag = cipher.encrypt_inout_detached(&nonce(key), &bound.bytes(), buffer).ok()?;
        *end = tag.into();
        Some(())
    }

    /// Opens what [`Keys::seal`] made of it, in place, and returns what was sealed. `None`: it was
    /// sealed by another line, under another key, to something else, or is damaged; what is in
    /// `room` is then wiped.
    pub fn open<'a>(
        &self,
        line: usize,
        key: &[u8; 16],
        bound: &Bound,
        room: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        let opened = self.try_open(line, key, bound, room);
        if opened.is_none() {
            room.zeroize();
        }
        let length = opened?;
        room.get_mut(..length)
    }

    fn try_open(
        &self,
        line: usize,
        key: &[u8; 16],
        bound: &Bound,
        room: &mut [u8],
    ) -> Option<usize> {
        let cipher = Aes256GcmSiv::new(&self.all().get(line)?.seal.into());
        let (sealed, tag) = room.split_last_chunk_mut::<TAG>()?;
        let (length, tag) = (sealed.len(), Tag::from(*tag));
        let buffer = InOutBuf::from(sealed);
        cipher.decrypt_inout_detached(&nonce(key), &bound.bytes(), buffer, &tag).ok()?;
        Some(length)
    }
}

/// The first 96 bits of the record's key.
fn nonce(key: &[u8; 16]) -> Nonce {
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&key[..12]);
    nonce.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(lines: &[Line]) -> Keys {
        let mut keys = Keys::NONE;
        lines.iter().for_each(|line| keys.add(line));
        keys
    }

    const BOUND: Bound = Bound { key_id: 1, expiry: 1_700_000_000, name: 0x1234_5678_9abc_def0 };

    fn sealed(keys: &Keys, line: usize, key: [u8; 16], bound: Bound, text: &[u8]) -> Vec<u8> {
        let mut room = [text, &[0; TAG]].concat();
        assert!(keys.seal(line, &key, &bound, &mut room));
        room
    }

    #[test]
    fn what_was_sealed_opens_as_what_it_was_sealed_as() {
        let keys = keys(&[[1; 32], [2; 32]]);
        let text = b"a session";
        let whole = sealed(&keys, 0, [7; 16], BOUND, text);
        let open = |line, key: [u8; 16], bound: Bound, bytes: &[u8]| {
            let mut room = bytes.to_vec();
            let opened = keys.open(line, &key, &bound, &mut room).map(|opened| opened.to_vec());
            assert!(opened.is_some() || room.iter().all(|&byte| byte == 0), "it is wiped");
            opened
        };
        assert_eq!(open(0, [7; 16], BOUND, &whole).as_deref(), Some(&text[..]));
        assert_eq!(open(1, [7; 16], BOUND, &whole), None, "another key of the file");
        assert_eq!(open(2, [7; 16], BOUND, &whole), None, "no such key");
        assert_eq!(open(0, [8; 16], BOUND, &whole), None, "another record's place");
        assert_eq!(open(0, [7; 16], Bound { key_id: 0, ..BOUND }, &whole), None);
        assert_eq!(open(0, [7; 16], Bound { expiry: u32::MAX, ..BOUND }, &whole), None);
        assert_eq!(open(0, [7; 16], Bound { name: BOUND.name ^ 1 << 63, ..BOUND }, &whole), None);
        for byte in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[byte] ^= 1;
            assert_eq!(open(0, [7; 16], BOUND, &damaged), None, "byte {byte}");
            assert_eq!(open(0, [7; 16], BOUND, &whole[..byte]), None, "{byte} bytes");
        }
        assert!(!whole.windows(text.len()).any(|window| window == text));
    }

    #[test]
    fn without_a_key_nothing_is_sealed_and_nothing_left() {
        let mut room = *b"a session";
        assert!(!Keys::NONE.seal(0, &[7; 16], &BOUND, &mut room));
        assert_eq!(room, [0; 9]);
        let mut room = *b"too short";
        assert!(!keys(&[[1; 32]]).seal(0, &[7; 16], &BOUND, &mut room));
        assert_eq!(room, [0; 9]);
    }

    #[test]
    fn each_line_has_keys_and_checks_of_its_own() {
        let keys = keys(&[[1; 32], [2; 32], [3; 32], [4; 32], [5; 32]]);
        assert_eq!(keys.count(), KEYS);
        let mut seen = std::collections::BTreeSet::new();
        for line in 0..KEYS {
            let (seal, name) = (keys.seal_check(line).unwrap(), keys.name_check(line).unwrap());
            assert!(seen.insert(seal) && seen.insert(name) && seal != 0 && name != 0);
            assert_eq!((keys.sealed_by(seal), keys.named_by(name)), (Some(line), Some(line)));
        }
        assert_eq!(keys.seal_check(KEYS), None);
        assert_eq!((keys.sealed_by(0), keys.named_by(0)), (None, None));
        // The same in every process, on every machine, in every release of this format.
        // (HKDF-SHA256 of 32 ones without salt, "sslcache 1 seal check", by another program.)
        assert_eq!(keys.seal_check(0), Some(3_202_112_928_036_480_090));
    }

    #[test]
    fn a_name_is_of_its_parts_and_where_they_end() {
        let keys = keys(&[[1; 32], [2; 32]]);
        let name = |parts: &[&[u8]]| keys.name(0, parts).unwrap();
        assert_eq!(name(&[b"ab", b"c"]), name(&[b"ab", b"c"]));
        assert_ne!(name(&[b"ab", b"c"]), name(&[b"a", b"bc"]));
        assert_ne!(name(&[b"ab"]), name(&[b"ab", b""]));
        assert_ne!(keys.name(0, &[b"ab"]), keys.name(1, &[b"ab"]));
        assert_eq!(keys.name(2, &[b"ab"]), None);
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in proptest::collection::vec(any::<u8>(), 0..3000),
            key in any::<[u8; 16]>(), line in 0..2usize) {
            let keys = keys(&[[1; 32], [2; 32]]);
            let mut room = sealed(&keys, line, key, BOUND, &text);
            prop_assert_eq!(keys.open(line, &key, &BOUND, &mut room), Some(&mut text.clone()[..]));
        }
    }

    /// RFC 8452, appendix C.2: that the cipher is the one it says it is.
    #[test]
    fn the_cipher_is_that_of_the_rfc() {
        let mut key = [0; 32];
        key[0] = 1;
        let mut nonce = [0; 12];
        nonce[0] = 3;
        let mut text = [1, 0, 0, 0, 0, 0, 0, 0];
        let cipher = Aes256GcmSiv::new(&key.into());
        let tag =
            cipher.encrypt_inout_detached(&nonce.into(), &[], (&mut text[..]).into()).unwrap();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(&text), "c2ef328e5c71c83b");
        assert_eq!(hex(&tag), "843122130f7364b761e0b97427e3df28");
    }
}
