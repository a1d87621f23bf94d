//! The store: the sets of a segment, and who counts what is done with them.

use crate::check::{Census, Fault};
use crate::counters::{Counter, Statistics, Stripe};
use crate::error::Error;
use crate::file::{self, Opened, Options};
use crate::host::{Host, Process};
use crate::identity::Identity;
use crate::layout::{EPOCHS, Key, SEALING_KEYS, STRIPES, Set};
use crate::lookup::{Buffer, Found, Miss, Wanted};
use crate::mapping::Mapping;
use crate::put::{Casualties, Put, Record};
use std::ffi::CStr;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// A cache of records in shared memory. See the crate.
pub struct Store<H = Process> {
    mapping: Mapping,
    identity: Identity,
    host: H,
}

impl Store {
    /// Opens the segment of this name in a directory, or makes it.
    pub fn open(directory: BorrowedFd<'_>, name: &CStr, options: &Options) -> Result<Self, Error> {
        Self::open_as(directory, name, options, |process| process)
    }

    /// Opens the segment of this name, if it is there.
    pub fn attach(
        directory: BorrowedFd<'_>,
        name: &CStr,
        options: &Options,
    ) -> Result<Self, Error> {
        Ok(Self::of(file::attach(directory, name, options)?, |process| process))
    }

    /// A segment without a name, for this process and those that it forks.
    pub fn anonymous(size: u64) -> Result<Self, Error> {
        Ok(Self::of(file::anonymous(size, &Process::beside(0))?, |process| process))
    }
}

impl<H: Host> Store<H> {
    /// [`Store::open`] for a process that is more than a [`Process`].
    pub fn open_as(
        directory: BorrowedFd<'_>,
        name: &CStr,
        options: &Options,
        host: impl Fn(Process) -> H,
    ) -> Result<Self, Error> {
        // Before there is a segment there are no locks, and no pids to know.
        let opened = file::open(directory, name, options, &host(Process::beside(0)))?;
        Ok(Self::of(opened, host))
    }

    fn of((mapping, identity): Opened, host: impl FnOnce(Process) -> H) -> Self {
        let host = host(Process::beside(identity.pid_namespace));
        Store { mapping, identity, host }
    }

    /// What the segment says it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many sets it has.
    pub fn sets(&self) -> usize {
        self.mapping.sets().len()
    }

    // ------------------------------------------------------------------------------- records

    /// Copies a record into `out`, as it is at one instant.
    #[inline]
    pub fn get(&self, wanted: &Wanted, out: &mut Buffer) -> Result<Found, Miss> {
        let found = self.home(wanted.key).get(&self.host, wanted, out);
        self.tally(Counter::Hit, found)
    }

    /// Says what [`Store::get`] would find at this instant, without copying it, and without the
    /// record counting as found.
    #[inline]
    pub fn peek(&self, wanted: &Wanted) -> Result<Found, Miss> {
        let found = self.home(wanted.key).peek(&self.host, wanted);
        self.tally(Counter::Confirmed, found)
    }

    /// Says whether there is a record of this key at `now`, whatever name it belongs to. Counts
    /// nothing; a record that comes or goes at this moment may be missed or seen.
    pub fn contains(&self, key: Key, now: u32) -> bool {
        self.home(key).contains(key, now)
    }

    /// Copies a record into `out` and removes it. Of all processes that take one record, one gets
    /// it.
    pub fn take(&self, wanted: &Wanted, out: &mut Buffer) -> Result<Found, Miss> {
        let found = self.home(wanted.key).take(&self.host, wanted, out);
        self.tally(Counter::Taken, found)
    }

    /// Removes the record of a key: nobody finds it from now on. Returns `true` if there was one.
    pub fn remove(&self, key: Key) -> bool {
        let removed = self.home(key).remove(&self.host, key);
        self.count(Counter::Removed, removed.into());
        removed
    }

    /// Stores a record. One that was there under this key is gone before the new one is there.
    /// Others may have to leave for it: such as have expired by `now` first.
    pub fn put(&self, key: Key, record: &Record<'_>, now: u32) -> Put {
        let (put, casualties) = self.home(key).put(&self.host, key, record, now);
        self.count(
            match put {
                Put::Stored => Counter::Stored,
                Put::Busy => Counter::Busy,
                Put::TooLarge => Counter::TooLarge,
            },
            1,
        );
        self.count_casualties(&casualties);
        put
    }

    #[inline]
    fn home(&self, key: Key) -> &Set {
        let sets = self.mapping.sets();
        &sets[key.home(sets.len())]
    }

    // ---------------------------------------------------------------- what belongs to sealing

    /// The number of an epoch. It goes into the keys of records that begin anew together.
    pub fn epoch(&self, number: usize) -> u32 {
        self.mapping.head().epochs[number % EPOCHS].load(Ordering::Acquire)
    }

    /// Begins the epoch anew: what was stored under keys with the old number is found by nobody.
    pub fn begin_epoch(&self, number: usize) {
        self.mapping.head().epochs[number % EPOCHS].fetch_add(1, Ordering::AcqRel);
    }

    /// The key id of a sealing key, which `check` tells from others (it is not 0, and not the key).
    /// The first to ask gives it one. `None`: all ids are given.
    pub fn key_id(&self, check: u64) -> Option<u8> {
        let keys = &self.mapping.head().header.sealing_keys;
        (0..SEALING_KEYS).find(|&id| is_or_becomes(&keys[id], check)).map(|id| id as u8)
    }

    /// Gives the id of a key that does not seal any more to another one. What the old key sealed
    /// does not open from then on. `false`: it had been given away already.
    pub fn replace_key(&self, id: u8, old: u64, new: u64) -> bool {
        let keys = &self.mapping.head().header.sealing_keys;
        keys.get(usize::from(id)).is_some_and(|key| {
            key.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).is_ok()
        })
    }

    /// What tells the sealing keys apart, by key id; 0: none.
    pub fn sealing_keys(&self) -> [u64; SEALING_KEYS] {
        let keys = &self.mapping.head().header.sealing_keys;
        std::array::from_fn(|id| keys[id].load(Ordering::Acquire))
    }

    /// What tells the key that the keys of the records are made with; 0: none yet.
    pub fn index_key(&self) -> u64 {
        self.mapping.head().header.index_key.load(Ordering::Acquire)
    }

    /// Returns `true` if the keys of the records are made with the key that `check` tells from
    /// others (not 0). The first to ask decides.
    pub fn is_index_key(&self, check: u64) -> bool {
        is_or_becomes(&self.mapping.head().header.index_key, check)
    }

    // ------------------------------------------------------------------------------- numbers

    /// What happened since the segment was made.
    pub fn statistics(&self) -> Statistics {
        Statistics::sum(&self.mapping.head().stripes)
    }

    /// What is in the segment at `now`, roughly if others are at work. Takes no lock.
    pub fn census(&self, now: u32) -> Census {
        let sets = self.mapping.sets().iter();
        sets.map(|set| set.census(now)).fold(Census::default(), Census::and)
    }

    /// Looks at every invariant, one set after the other, with its lock held; the first fault that
    /// it finds.
    pub fn check(&self) -> Result<(), Fault> {
        let sets = self.mapping.sets();
        sets.iter().enumerate().try_for_each(|(number, set)| {
            set.check(&self.host, |key| key.home(sets.len()) == number)
                .map_err(|what| Fault { set: number, what })
        })
    }

    fn stripe(&self) -> &Stripe {
        &self.mapping.head().stripes[self.host.pid() as usize % STRIPES]
    }

    #[inline]
    fn count(&self, counter: Counter, count: u64) {
        self.stripe().add(counter, count);
    }

    #[inline]
    fn tally(&self, hit: Counter, found: Result<Found, Miss>) -> Result<Found, Miss> {
        self.count(found.map_or_else(Miss::counter, |_| hit), 1);
        found
    }

    fn count_casualties(&self, casualties: &Casualties) {
        let Casualties { taken_over, evicted, expired, damaged } = *casualties;
        self.count(Counter::TakenOver, taken_over);
        self.count(Counter::Evicted, evicted);
        self.count(Counter::ExpiredAway, expired);
        self.count(Counter::Damaged, damaged);
    }
}

/// Returns `true` if the word is this value, or was 0 and has become it.
fn is_or_becomes(word: &AtomicU64, value: u64) -> bool {
    match word.compare_exchange(0, value, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => true,
        Err(there) => there == value,
    }
}
