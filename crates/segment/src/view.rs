//! A segment to look at: what can be asked of it without changing anything in it.

use crate::atomic::{Ordering, fence};
use crate::check::Census;
use crate::counters::Statistics;
use crate::error::Error;
use crate::file::{self, Opened};
use crate::identity::Identity;
use crate::layout::{EPOCHS, Head, Key, SEALING_KEYS, SLOTS, Set};
use crate::mapping::Mapping;
use std::ffi::CStr;
use std::os::fd::BorrowedFd;

/// A segment to look at. It is mapped for reading alone, unless a [`Store`](crate::Store) has it.
pub struct View {
    mapping: Mapping,
    identity: Identity,
}

/// A record as it lies there: what can be said of it without opening it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its set.
    pub set: usize,
    /// Its key.
    pub key: Key,
    /// The hash of the name that it belongs to.
    pub name: u32,
    /// When it expires, in seconds since the epoch; `u32::MAX`: never.
    pub expiry: u32,
    /// How many bytes it has.
    pub length: usize,
    /// Which key sealed it.
    pub key_id: u8,
    /// Whether it was found since it was stored, and not long ago.
    pub is_used: bool,
}

impl View {
    /// Opens the segment of this name, whoever's it is, and wherever it is: nothing that is in it
    /// is believed. It takes no more than the right to read the file.
    pub fn open(directory: BorrowedFd<'_>, name: &CStr) -> Result<Self, Error> {
        Ok(Self::of(file::view(directory, name)?))
    }

    pub(crate) fn of((mapping, identity): Opened) -> Self {
        View { mapping, identity }
    }

    #[inline(always)]
    pub(crate) fn head(&self) -> &Head {
        self.mapping.head()
    }

    #[inline(always)]
    pub(crate) fn all_sets(&self) -> &[Set] {
        self.mapping.sets()
    }

    /// What the segment says it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many sets it has.
    pub fn sets(&self) -> usize {
        self.all_sets().len()
    }

    /// How many bytes.
    pub fn size(&self) -> u64 {
        self.mapping.size()
    }

    /// What happened since the segment was made.
    pub fn statistics(&self) -> Statistics {
        Statistics::sum(&self.head().stripes)
    }

    /// What is in the segment at `now`, roughly if others are at work. Takes no lock.
    pub fn census(&self, now: u32) -> Census {
        let sets = self.all_sets().iter();
        sets.map(|set| set.census(now)).fold(Census::default(), Census::and)
    }

    /// The records that are there, expired or not, set after set; of those that come or go
    /// meanwhile some. Takes no lock.
    pub fn records(&self) -> impl Iterator<Item = Listed> + '_ {
        let sets = self.all_sets().iter().enumerate();
        sets.flat_map(|(number, set)| {
            (0..SLOTS).filter_map(move |slot| Some(Listed { set: number, ..set.listed(slot)? }))
        })
    }

    /// The number of an epoch. It goes into the keys of records that begin anew together.
    pub fn epoch(&self, number: usize) -> u32 {
        self.head().epochs[number % EPOCHS].load(Ordering::Acquire)
    }

    /// What tells the sealing keys apart, by key id; 0: none.
    pub fn sealing_keys(&self) -> [u64; SEALING_KEYS] {
        let keys = &self.head().header.sealing_keys;
        std::array::from_fn(|id| keys[id].load(Ordering::Acquire))
    }

    /// What tells the key that the keys of the records are made with; 0: none yet.
    pub fn index_key(&self) -> u64 {
        self.head().header.index_key.load(Ordering::Acquire)
    }
}

impl Set {
    /// What is in a slot, if there is a record and it stays while it is looked at. (The number of
    /// the set is not known here.)
    fn listed(&self, slot: usize) -> Option<Listed> {
        let descriptor = self.descriptor(slot, Ordering::Acquire);
        let (key, facts) = (self.key(slot), self.facts(slot));
        fence(Ordering::Acquire);
        let now = self.descriptor(slot, Ordering::Relaxed);
        (descriptor.is_live() && now.is_same_record(descriptor)).then(|| Listed {
            set: 0,
            key,
            name: facts.name,
            expiry: facts.expiry,
            length: descriptor.length(),
            key_id: descriptor.key_id(),
            is_used: descriptor.is_used(),
        })
    }
}
