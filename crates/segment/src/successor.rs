//! A segment that takes the place of another one: of another size, with the same records.
//!
//! Records *move*: each is taken from the one before it is stored in the other. So one that is to be
//! found once is found once, whichever of the two a process has.

use crate::atomic::Ordering;
use crate::error::Error;
use crate::file::{self, Options};
use crate::host::{Host, Process};
use crate::layout::MAX_RECORD;
use crate::lookup::Wanted;
use crate::put::{Put, Record};
use crate::store::Store;
use crate::unnamed::Unnamed;
use crate::view::{Listed, View};
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

/// A segment that has no name yet.
pub struct Successor {
    store: Store,
    file: Unnamed,
}

/// What became of the records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Moved {
    /// They are in the successor, or were until others needed their place.
    pub moved: u64,
    /// They had expired.
    pub expired: u64,
    /// Somebody else took or removed them first, or they were damaged.
    pub lost: u64,
}

impl Successor {
    /// An empty one, in this directory.
    pub fn new(directory: BorrowedFd<'_>, options: &Options) -> Result<Self, Error> {
        let host = Process::beside(0);
        let (file, opened) = file::unnamed(directory, options, &host)?;
        Ok(Successor { store: Store::of(opened, |process| process), file })
    }

    /// The file: whose it is to be is the caller's to say.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The segment itself.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Takes over the epochs, which keys seal, and every record that has not expired by `now`.
    pub fn take_over<H: Host>(&self, from: &Store<H>, now: u32) -> Moved {
        self.inherit(from);
        let mut moved = Moved::default();
        for record in from.records() {
            if record.expiry <= now {
                moved.expired += 1;
            } else if self.take(from, &record, now) {
                moved.moved += 1;
            } else {
                moved.lost += 1;
            }
        }
        moved
    }

    fn inherit(&self, from: &View) {
        let (own, theirs) = (self.store.head(), from.head());
        for (epoch, theirs) in own.epochs.iter().zip(&theirs.epochs) {
            epoch.store(theirs.load(Ordering::Acquire), Ordering::Release);
        }
        let keys = own.header.sealing_keys.iter().zip(from.sealing_keys());
        keys.for_each(|(key, theirs)| key.store(theirs, Ordering::Release));
        own.header.index_key.store(from.index_key(), Ordering::Release);
    }

    fn take<H: Host>(&self, from: &Store<H>, record: &Listed, now: u32) -> bool {
        let Listed { key, name, expiry, is_used, .. } = *record;
        let (wanted, mut room) = (Wanted { key, name, now }, [0; MAX_RECORD]);
        let Ok(found) = from.take_uncounted(&wanted, &mut room) else { return false };
        let bytes = &room[..found.length];
        let record = Record { expiry, name, key_id: found.key_id, bytes };
        let stored = self.store.put(key, &record, now) == Put::Stored;
        if stored && is_used {
            self.store.mark_used(&wanted, &mut room);
        }
        stored
    }

    /// Gives it the name of the one before: processes that come from now on have this one. Those
    /// that have the other one keep it until they end.
    pub fn replace(self, directory: BorrowedFd<'_>, name: &CStr) -> Result<Store, Error> {
        self.file.replace(directory, file::with_format(name)?.as_c_str()?)?;
        Ok(self.store)
    }
}
