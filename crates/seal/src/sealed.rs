//! A store of which everything is sealed.
//!
//! The memory numbers up to four sealing keys; its header tells which key each number stands for,
//! by the check of the key. A process seals with the first line of its key file, under whatever
//! number that has, and opens with any of its lines. What was sealed with a key that its file has
//! not is a miss. A key that comes when all numbers are given takes that of one which the file has
//! not, or not any more.

use sslcache_segment::{
    Buffer, EPOCHS, Found, Host, Key, MAX_RECORD, Miss, Put, Record, Store, Wanted,
};
use zeroize::Zeroize;

use crate::keys::{Bound, Keys, TAG};
use crate::secret::{Kept, Secret};

/// A store, and the keys to what is in it.
pub struct Sealed<H> {
    store: Store<H>,
    keys: Secret<Keys>,
    /// The line whose key makes the keys of records, and the hashes of names.
    naming: usize,
}

/// What keeps the records of one service from another's: part of the key of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Service([u8; 16]);

impl Service {
    /// As bytes.
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The epoch of its records, which ends when they are all to be found no more.
    pub fn epoch(&self) -> usize {
        epoch_of(&self.0)
    }
}

/// The epoch that belongs to a hash. (Now and then two have one: then what ends for one does for
/// the other.)
pub fn epoch_of(hash: &[u8; 16]) -> usize {
    usize::from(u16::from_le_bytes([hash[0], hash[1]])) % EPOCHS
}

/// The hash of a name that a record belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name(u64);

impl Name {
    /// As much of it as the memory has.
    fn short(self) -> u32 {
        self.0 as u32
    }

    /// As a number, to be kept.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The hash that was this number.
    pub fn from_bits(bits: u64) -> Self {
        Name(bits)
    }
}

/// What is looked for, at which time.
#[derive(Clone, Copy, Debug)]
pub struct Thing {
    /// Its key.
    pub key: Key,
    /// The name it must belong to.
    pub name: Name,
    /// The time, in seconds since the epoch.
    pub now: u32,
}

impl Thing {
    fn wanted(&self) -> Wanted {
        Wanted { key: self.key, name: self.name.short(), now: self.now }
    }
}

impl<H: Host> Sealed<H> {
    /// Sets keys to a store. `None`: what is in it is found with a key that is not among them.
    pub fn new(store: Store<H>, keys: Secret<Keys>) -> Option<Self> {
        if store.index_key() == 0 {
            store.is_index_key(keys.name_check(0)?);
        }
        let naming = keys.named_by(store.index_key())?;
        Some(Sealed { store, keys, naming })
    }

    /// The store itself.
    pub fn store(&self) -> &Store<H> {
        &self.store
    }

    /// How well the keys are kept.
    pub fn kept(&self) -> Kept {
        self.keys.kept()
    }

    /// The key of what is found by these parts together.
    pub fn key(&self, parts: &[&[u8]]) -> Option<Key> {
        self.keys.name(self.naming, parts).map(Key::new)
    }

    /// The service of this name.
    pub fn service(&self, name: &[u8]) -> Option<Service> {
        self.key(&[b"service", name]).map(|key| Service(key.bytes()))
    }

    /// The hash of a name.
    pub fn name(&self, name: &[u8]) -> Option<Name> {
        let hash = self.keys.name(self.naming, &[b"name", name])?;
        hash.first_chunk().map(|hash| Name(u64::from_le_bytes(*hash)))
    }

    /// Stores the first `length` bytes of `room`, which are wiped.
    pub fn put(&self, thing: &Thing, expiry: u32, room: &mut Buffer, length: usize) -> Put {
        self.put_by(Store::put, thing, expiry, room, length)
    }

    /// The same in the place of what is there, and nobody removes or takes meanwhile.
    pub fn put_again(&self, thing: &Thing, expiry: u32, room: &mut Buffer, length: usize) -> Put {
        self.put_by(Store::put_again, thing, expiry, room, length)
    }

    fn put_by(
        &self,
        put: impl FnOnce(&Store<H>, Key, &Record<'_>, u32) -> Put,
        thing: &Thing,
        expiry: u32,
        room: &mut Buffer,
        length: usize,
    ) -> Put {
        let put = self.seal(thing, expiry, room, length).map_or(Put::TooLarge, |key_id| {
            let bytes = &room[..length + TAG];
            let record = Record { expiry, name: thing.name.short(), key_id, bytes };
            put(&self.store, thing.key, &record, thing.now)
        });
        wipe(room, length.saturating_add(TAG));
        put
    }

    fn seal(&self, thing: &Thing, expiry: u32, room: &mut Buffer, length: usize) -> Option<u8> {
        let key_id = self.key_id()?;
        let bound = Bound { key_id, expiry, name: thing.name.0 };
        let room = room.get_mut(..length.checked_add(TAG)?)?;
        self.keys.seal(0, &thing.key.bytes(), &bound, room).then_some(key_id)
    }

    /// The number of the key that seals.
    fn key_id(&self) -> Option<u8> {
        let check = self.keys.seal_check(0)?;
        self.store.key_id(check).or_else(|| {
            let numbered = self.store.sealing_keys().into_iter().zip(0..);
            let mut foreign = numbered.filter(|&(key, _)| self.keys.sealed_by(key).is_none());
            let (id, old) = foreign.next().map(|(key, id)| (id, key))?;
            // If somebody else took it, the next `put` will try again.
            self.store.replace_key(id, old, check).then_some(id)
        })
    }

    /// Copies what is there into `room`, opened; returns how many bytes that are. What was sealed
    /// with a key that this process has not is [`Miss::Unknown`]; what does not open is
    /// [`Miss::Damaged`]. Then `room` is wiped.
    pub fn get(&self, thing: &Thing, room: &mut Buffer) -> Result<usize, Miss> {
        let found = self.store.get(&thing.wanted(), room)?;
        self.open(thing, &found, room)
    }

    /// The same, and it is gone: of all processes that take it, one gets it. A process that could
    /// not open it leaves it there.
    pub fn take(&self, thing: &Thing, room: &mut Buffer) -> Result<usize, Miss> {
        self.line_of(&self.store.peek(&thing.wanted())?)?;
        let found = self.store.take(&thing.wanted(), room)?;
        self.open(thing, &found, room)
    }

    /// Says whether it is there, and until when. It is not opened.
    pub fn peek(&self, thing: &Thing) -> Result<u32, Miss> {
        self.store.peek(&thing.wanted()).map(|found| found.expiry)
    }

    /// Removes what is found by a key, whatever name it belongs to.
    pub fn remove(&self, key: Key) -> bool {
        self.store.remove(key)
    }

    /// The line whose key sealed a record.
    fn line_of(&self, found: &Found) -> Result<usize, Miss> {
        let check = self.store.sealing_keys().get(usize::from(found.key_id)).copied();
        check.and_then(|check| self.keys.sealed_by(check)).ok_or(Miss::Unknown)
    }

    fn open(&self, thing: &Thing, found: &Found, room: &mut Buffer) -> Result<usize, Miss> {
        let opened = self.line_of(found).and_then(|line| {
            let Found { length, expiry, key_id } = *found;
            let bound = Bound { key_id, expiry, name: thing.name.0 };
            let room = &mut room[..length.min(MAX_RECORD)];
            let opened = self.keys.open(line, &thing.key.bytes(), &bound, room);
            opened.map(|opened| opened.len()).ok_or(Miss::Damaged)
        });
        if opened.is_err() {
            wipe(room, found.length);
        }
        opened
    }
}

/// The first bytes of it: wiping all would take longer than all the rest.
fn wipe(room: &mut Buffer, length: usize) {
    room[..length.min(MAX_RECORD)].zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;
    use sslcache_segment::Options;
    use std::ffi::CString;
    use std::fs::File;
    use std::os::fd::AsFd;

    const NOW: u32 = 1_700_000_000;

    /// A segment with a name, which more than one can open.
    struct Place(CString);

    impl Place {
        fn new(test: &str) -> Self {
            Place(CString::new(format!("sslcache-seal-{}-{test}", std::process::id())).unwrap())
        }

        fn store(&self) -> Store {
            let directory = File::open("/dev/shm").unwrap();
            let options = Options { size: 1 << 20, ..Options::default() };
            Store::open(directory.as_fd(), &self.0, &options).unwrap()
        }

        fn sealed(&self, lines: &[u8]) -> Option<Sealed<sslcache_segment::Process>> {
            let fill = |keys: &mut Keys| lines.iter().for_each(|&line| keys.add(&[line; 32]));
            Sealed::new(self.store(), Secret::new(Keys::NONE, fill).unwrap())
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(format!("/dev/shm/{}.v1", self.0.to_str().unwrap()));
        }
    }

    type Process = Sealed<sslcache_segment::Process>;

    fn thing(sealed: &Process, id: &[u8], name: &[u8]) -> Thing {
        let key = sealed.key(&[b"service", id]).unwrap();
        Thing { key, name: sealed.name(name).unwrap(), now: NOW }
    }

    fn put(sealed: &Process, id: &[u8], text: &[u8]) -> Put {
        let mut room = [0; MAX_RECORD];
        room[..text.len()].copy_from_slice(text);
        let put = sealed.put(&thing(sealed, id, b"a.example"), NOW + 300, &mut room, text.len());
        assert_eq!(room, [0; MAX_RECORD], "it is wiped");
        put
    }

    fn get(sealed: &Process, id: &[u8], name: &[u8]) -> Result<Vec<u8>, Miss> {
        let mut room = [0; MAX_RECORD];
        let length = sealed.get(&thing(sealed, id, name), &mut room);
        assert!(length.is_ok() || room == [0; MAX_RECORD], "nothing is left");
        length.map(|length| room[..length].to_vec())
    }

    #[test]
    fn what_one_stores_the_other_opens_and_the_memory_does_not_show() {
        let place = Place::new("opens");
        let [one, other] = [(); 2].map(|()| place.sealed(&[1]).unwrap());
        let text = b"a master secret that nobody else may see";
        assert_eq!(put(&one, b"id", text), Put::Stored);
        assert_eq!(get(&other, b"id", b"a.example").unwrap(), text);
        assert_eq!(get(&other, b"id", b"b.example"), Err(Miss::OtherName));
        assert_eq!(get(&other, b"other", b"a.example"), Err(Miss::Unknown));
        assert_eq!(other.peek(&thing(&other, b"id", b"a.example")), Ok(NOW + 300));
        let file = std::fs::read(format!("/dev/shm/{}.v1", place.0.to_str().unwrap())).unwrap();
        assert!(!file.windows(8).any(|window| text.windows(8).any(|part| part == window)));
        assert!(!file.windows(9).any(|window| window == b"a.example"));
        let mut room = [0; MAX_RECORD];
        let wanted = thing(&other, b"id", b"a.example");
        assert_eq!(other.take(&wanted, &mut room), Ok(text.len()));
        assert_eq!(one.take(&wanted, &mut room), Err(Miss::Unknown));
        assert!(!one.remove(wanted.key));
    }

    #[test]
    fn the_longest_record_is_stored_and_a_longer_one_is_not() {
        let sealed = Place::new("long").sealed(&[1]).unwrap();
        let text = [7; MAX_RECORD];
        assert_eq!(put(&sealed, b"id", &text[..MAX_RECORD - TAG]), Put::Stored);
        assert_eq!(get(&sealed, b"id", b"a.example").unwrap(), text[TAG..]);
        assert_eq!(put(&sealed, b"id", &text[TAG - 1..]), Put::TooLarge);
    }

    #[test]
    fn without_the_key_nothing_is_found() {
        let place = Place::new("foreign");
        assert_eq!(put(&place.sealed(&[1]).unwrap(), b"id", b"text"), Put::Stored);
        assert!(place.sealed(&[2]).is_none(), "its names are made with another key");
        assert!(place.sealed(&[]).is_none(), "no key at all");
    }

    #[test]
    fn a_new_key_seals_while_the_old_one_opens() {
        let place = Place::new("rotated");
        let old = place.sealed(&[1]).unwrap();
        assert_eq!(put(&old, b"id", b"sealed by the old"), Put::Stored);
        let new = place.sealed(&[2, 1]).unwrap();
        assert_eq!(get(&new, b"id", b"a.example").unwrap(), b"sealed by the old");
        assert_eq!(put(&new, b"id 2", b"sealed by the new"), Put::Stored);
        assert_eq!(get(&new, b"id 2", b"a.example").unwrap(), b"sealed by the new");
        // A worker that has not read the new file cannot open it, and leaves it there.
        assert_eq!(get(&old, b"id 2", b"a.example"), Err(Miss::Unknown));
        let taken = thing(&old, b"id 2", b"a.example");
        assert_eq!(old.take(&taken, &mut [0; MAX_RECORD]), Err(Miss::Unknown));
        assert_eq!(new.take(&taken, &mut [0; MAX_RECORD]), Ok(17));
        assert_eq!(put(&old, b"id 3", b"sealed by the old"), Put::Stored);
        assert_eq!(get(&new, b"id 3", b"a.example").unwrap(), b"sealed by the old");
    }

    #[test]
    fn more_keys_may_come_than_there_are_numbers() {
        let place = Place::new("many");
        for line in 1..10 {
            let sealed = place.sealed(&[line, 1]).unwrap();
            assert_eq!(put(&sealed, &[line], b"text"), Put::Stored);
            assert_eq!(get(&sealed, &[line], b"a.example").unwrap(), b"text");
        }
        assert_eq!(get(&place.sealed(&[1]).unwrap(), &[1], b"a.example").unwrap(), b"text");
    }

    #[test]
    fn a_damaged_record_is_a_miss() {
        let sealed = Place::new("damaged").sealed(&[1]).unwrap();
        assert_eq!(put(&sealed, b"another", b"text"), Put::Stored);
        let thing = thing(&sealed, b"id", b"a.example");
        let record = Record {
            expiry: NOW + 300,
            name: thing.name.short(),
            key_id: 0,
            bytes: b"nothing that was ever sealed",
        };
        assert_eq!(sealed.store().put(thing.key, &record, NOW), Put::Stored);
        assert_eq!(get(&sealed, b"id", b"a.example"), Err(Miss::Damaged));
    }
}
