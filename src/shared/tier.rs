//! What is done with a session in the memory that processes share, and under which key it lies.
//!
//! # Isolation
//!
//! A session is found by what these say together, hashed with a key that only the processes of a
//! service have:
//!
//! - the **service**: another program, or what `ns=` says;
//! - the **realm**: what makes a context what it is for those that resume there (its certificate,
//!   what it asks of a client and whom it trusts, its session id context). What it consists of is
//!   the standing's to say;
//! - the **epochs** of that realm and of the service: emptying a cache begins a new one;
//! - protocol version and session id.
//!
//! And it is found only under the **name** that it was made under: what the client called the
//! server, and what that asked of the client there. The name is compared by the memory itself,
//! and the record is sealed to it; it is no part of the key, since a removal does not know it.

use sslcache_seal::{Sealed, Service, TAG, Thing, epoch_of};
use sslcache_segment::{Key as RecordKey, MAX_RECORD, Miss, Process, Put};
use zeroize::Zeroize;

use super::id;
use super::recent::Recent;
use crate::cache::{Expiry, Key};
use crate::clock;

pub use sslcache_seal::Name;

/// The memory, its keys, and which service this process is.
pub struct Tier {
    sealed: Sealed<Process>,
    service: Service,
    compares_names: bool,
    recent: Recent,
    /// What handshakes came to, by what they began with: see `interpose::hosts`.
    hosts: Recent,
}

/// What makes a context what it is: see above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Realm([u8; 16]);

/// What a server asks of a client.
#[derive(Clone, Copy)]
pub struct Asked([u8; Asked::SIZE]);

impl Asked {
    const SIZE: usize = 4 + 16;

    /// That is not known: no session was made so.
    pub const UNKNOWN: Asked = Asked([0xff; Asked::SIZE]);

    /// This verification mode, in the realm that the session is of.
    pub fn here(mode: u32) -> Self {
        Asked::elsewhere(mode, &Realm([0; 16]))
    }

    /// The same, in another realm.
    pub fn elsewhere(mode: u32, realm: &Realm) -> Self {
        let mut bytes = [0; Asked::SIZE];
        bytes[..4].copy_from_slice(&mode.to_le_bytes());
        bytes[4..].copy_from_slice(&realm.0);
        Asked(bytes)
    }
}

/// Whose handshake made a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Maker {
    /// A client's.
    Client,
    /// A server's, which the client called by this name.
    Server(Name),
}

/// Where a session lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(RecordKey);

/// Room for one session on its way, as DER. It is wiped by hand: what is done with it between may
/// not return.
pub struct Room {
    bytes: [u8; Room::SIZE],
    used: usize,
}

impl Room {
    /// A record, and an id and two lengths more.
    const SIZE: usize = MAX_RECORD + Key::MAX_ID + 8;

    /// Empty.
    pub const fn new() -> Self {
        Room { bytes: [0; Room::SIZE], used: 0 }
    }

    /// Takes what `write` writes into it, whose length it returns.
    pub fn fill(&mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> bool {
        let length = write(&mut self.bytes).filter(|&length| length <= Room::SIZE);
        self.used = length.unwrap_or(Room::SIZE);
        length.is_some()
    }

    /// Takes the id out of the session that is in it. How long it is then, if a record can be made
    /// of it.
    pub fn without_id(&mut self) -> Option<usize> {
        let length = id::replace(&mut self.bytes, self.used, &[])?;
        (length + TAG <= MAX_RECORD).then_some(length)
    }

    /// What is in it.
    pub fn der(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// Nothing is left.
    pub fn wipe(&mut self) {
        self.bytes[..self.used].zeroize();
    }

    fn record(&mut self) -> &mut [u8; MAX_RECORD] {
        self.bytes.first_chunk_mut().expect("a record fits")
    }
}

/// `TLSEXT_MAXLEN_host_name`
const LONGEST_HOST_NAME: usize = 255;

/// Seconds since the epoch from which on it is over; `u32::MAX`: never.
pub fn seconds(expiry: Expiry) -> u32 {
    // A session is still good in its last second.
    let over = expiry.second().map_or(i64::MAX, |second| second.saturating_add(1));
    over.clamp(0, u32::MAX.into()) as u32
}

fn now() -> u32 {
    clock::now().clamp(0, (u32::MAX - 1).into()) as u32
}

/// In the place of a name, which is a hash: it was made by a client.
const CLIENTS: u64 = 0;

impl Tier {
    /// Of this service. `None`: its keys are not those of the memory.
    pub fn new(sealed: Sealed<Process>, service: &[u8], compares_names: bool) -> Option<Self> {
        let service = sealed.service(service)?;
        Some(Tier { sealed, service, compares_names, recent: Recent::new(), hosts: Recent::new() })
    }

    /// The memory, and what seals it.
    pub fn sealed(&self) -> &Sealed<Process> {
        &self.sealed
    }

    // ------------------------------------------------------------------------ what it is found by

    /// The realm that begins with nothing.
    pub fn first_realm(&self) -> Realm {
        Realm(*self.service.bytes())
    }

    /// The realm that says this, too.
    pub fn realm_with(&self, realm: Realm, what: &[&[u8]]) -> Option<Realm> {
        let mut realm = self.sealed.key(&[b"realm", &realm.0])?.bytes();
        for part in what {
            realm = self.sealed.key(&[&realm, part])?.bytes();
        }
        Some(Realm(realm))
    }

    /// The name that a client calls a server by, and what that asks of it there.
    pub fn name(&self, server: &[u8], asked: Asked) -> Option<Name> {
        let server = if self.compares_names { server } else { &[] };
        // A longer one is no host's: libssl ends the handshake.
        let mut parts = [0; Asked::SIZE + LONGEST_HOST_NAME];
        let (before, name) = parts.split_at_mut(Asked::SIZE);
        before.copy_from_slice(&asked.0);
        for (to, from) in name.iter_mut().zip(server) {
            *to = from.to_ascii_lowercase();
        }
        let length = server.len().min(name.len());
        self.sealed.name(&parts[..Asked::SIZE + length])
    }

    /// What a handshake begins with, as a key for the following two.
    pub fn beginning(&self, parts: &[&[u8]; 3]) -> Option<u64> {
        let [first, contexts, name] = *parts;
        let key = self.sealed.key(&[b"beginning", first, contexts, name])?;
        Some(short(Place(key)))
    }

    /// A handshake that began so has come to this name.
    pub fn expect(&self, beginning: u64, name: Name) {
        self.hosts.note(beginning, name.bits());
    }

    /// The name that one which began so came to last.
    pub fn expected(&self, beginning: u64) -> Option<Name> {
        self.hosts.name(beginning).map(Name::from_bits)
    }

    /// The place of the session with this key.
    pub fn place(&self, realm: &Realm, key: &Key) -> Option<Place> {
        let epoch = |number| self.sealed.store().epoch(number).to_le_bytes();
        let (service, version) = (self.service.bytes(), key.version().to_le_bytes());
        let epochs = [epoch(self.service.epoch()), epoch(epoch_of(&realm.0))];
        let key = [service, &realm.0, epochs.as_flattened(), &version, &key.id()];
        self.sealed.key(&key).map(Place)
    }

    /// Every session of a realm is gone, in every process.
    pub fn empty(&self, realm: &Realm) {
        self.sealed.store().begin_epoch(epoch_of(&realm.0));
    }

    /// The session at this place has just been made.
    pub fn note(&self, place: Place, maker: Maker) {
        let name = match maker {
            Maker::Client => CLIENTS,
            Maker::Server(name) => name.bits(),
        };
        self.recent.note(short(place), name);
    }

    /// Whose handshake made it, if that is still known.
    pub fn maker(&self, place: Place) -> Option<Maker> {
        self.recent.name(short(place)).map(|name| match name {
            CLIENTS => Maker::Client,
            bits => Maker::Server(Name::from_bits(bits)),
        })
    }

    // ------------------------------------------------------------------------------- sessions

    /// Until when it is there, under this name.
    pub fn peek(&self, place: Place, name: Name) -> Result<u32, Miss> {
        self.sealed.peek(&thing(place, name))
    }

    /// Whether it is there, under whatever name.
    pub fn contains(&self, place: Place) -> bool {
        self.sealed.store().contains(place.0, now())
    }

    /// Whether it is there for longer than this.
    pub fn outlives(&self, place: Place, expiry: Expiry) -> bool {
        self.sealed.store().contains(place.0, seconds(expiry))
    }

    /// Its DER, with this id in it.
    pub fn get(&self, place: Place, name: Name, id: &[u8], room: &mut Room) -> Result<(), Miss> {
        self.bring(room, id, |room| self.sealed.get(&thing(place, name), room))
    }

    /// The same, and it is gone: of all that take it, in all processes, one gets it.
    pub fn take(&self, place: Place, name: Name, id: &[u8], room: &mut Room) -> Result<(), Miss> {
        self.bring(room, id, |room| self.sealed.take(&thing(place, name), room))
    }

    fn bring(
        &self,
        room: &mut Room,
        id: &[u8],
        bring: impl FnOnce(&mut [u8; MAX_RECORD]) -> Result<usize, Miss>,
    ) -> Result<(), Miss> {
        room.used = bring(room.record())?;
        room.used = id::replace(&mut room.bytes, room.used, id).ok_or(Miss::Damaged)?;
        Ok(())
    }

    /// Stores the session whose DER is in `room`; with `again` in the place of what is there, and
    /// nobody removes or takes meanwhile. False: it is not there then; another may be.
    pub fn put(
        &self,
        place: Place,
        name: Name,
        expiry: Expiry,
        room: &mut Room,
        again: bool,
    ) -> bool {
        let expiry = seconds(expiry);
        let put = if again { Sealed::put_again } else { Sealed::put };
        let length = room.without_id().filter(|_| expiry > now());
        length.is_some_and(|length| {
            put(&self.sealed, &thing(place, name), expiry, room.record(), length) == Put::Stored
        })
    }

    /// Removes it: nobody finds it from now on. True if it was there.
    pub fn remove(&self, place: Place) -> bool {
        self.sealed.remove(place.0)
    }
}

fn thing(place: Place, name: Name) -> Thing {
    Thing { key: place.0, name, now: now() }
}

fn short(place: Place) -> u64 {
    u64::from_le_bytes(*place.0.bytes().first_chunk().expect("16 bytes"))
}
