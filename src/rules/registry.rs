//! The contexts of a standing that have something to find: for what concerns a session wherever it is
//! cached (its time changed), and for the report at exit.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use once_cell::race::OnceBox;
use sslcache_sync::Lock;

use super::whereabouts::{self, Place, SEATS, Seats, Table};
use super::{InternalCache, Report, SessionRef};
use crate::ffi::memory::{Counted, NoMemory, boxed};
use crate::{fork, report};

/// A context that can be registered.
pub trait Member: Send + Sync + Sized + 'static {
    /// The session reference of its standing.
    type Session: SessionRef<Context = Self>;

    /// What its standing is called in the report.
    const STANDING: &'static str;

    /// The registry of its standing.
    fn registry() -> &'static Registry<Self>;

    /// What the registry has given it.
    fn entry(&self) -> &RegistryEntry;

    /// Its cache.
    fn cache(&self) -> &InternalCache<Self::Session>;
}

/// What a context keeps for the registry.
pub struct RegistryEntry {
    /// Contexts are numbered in the order they were made.
    number: u32,
    reported: AtomicBool,
}

/// Up to 64 contexts that share a table. It stays for ever.
struct Block<C> {
    table: Table,
    contexts: Lock<Contexts<C>>,
    next: OnceBox<Block<C>>,
}

/// At no moment is it half changed: what a vanished thread left in the child of a fork is good as it
/// is, but for a seat or a reference that nobody gives back.
struct Contexts<C> {
    seats: [Option<Counted<C>>; SEATS],
    /// Seats that may be taken.
    free: u64,
    /// Seats of contexts that are gone, of which the table still tells.
    left: u64,
}

impl<C> Block<C> {
    fn boxed() -> Result<Box<Self>, NoMemory> {
        boxed(Block {
            table: Table::new(),
            contexts: Lock::new(Contexts {
                seats: [const { None }; SEATS],
                free: u64::MAX,
                left: 0,
            }),
            next: OnceBox::new(),
        })
    }

    /// Gives a context a free seat, if there is one. Tells its bit.
    fn seat(&self, context: &Counted<C>) -> Option<u64> {
        let mut contexts = self.contexts.lock();
        let seat = contexts.free.checked_ilog2()?;
        contexts.free &= !(1 << seat);
        contexts.seats[seat as usize] = Some(context.clone());
        Some(1 << seat)
    }

    /// Makes the seats that were left free again, if there are any. Not one by one: the table has
    /// many rows.
    fn clear(&self) -> bool {
        let mut contexts = self.contexts.lock();
        self.table.forget(contexts.left);
        contexts.free |= contexts.left;
        std::mem::take(&mut contexts.left) != 0
    }
}

impl<C: Send + Sync> Seats for Block<C> {
    fn table(&self) -> &Table {
        &self.table
    }

    fn leave(&self, bit: u64) {
        let mut contexts = self.contexts.lock();
        // Taken out first, then dropped.
        let context = contexts.seats[bit.ilog2() as usize].take();
        contexts.left |= bit;
        drop(contexts);
        drop(context);
    }
}

/// The registered contexts. Blocks are found without a lock; each has its own.
pub struct Registry<C: 'static> {
    first: OnceBox<Block<C>>,
    made: AtomicU32,
}

impl<C: Member> Registry<C> {
    /// Nobody.
    pub const fn new() -> Self {
        Registry { first: OnceBox::new(), made: AtomicU32::new(0) }
    }

    /// For a context that is being made.
    pub fn new_entry(&self) -> RegistryEntry {
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        RegistryEntry { number, reported: AtomicBool::new(false) }
    }

    /// A context has been made: it is in the report at exit, if there will be one.
    pub fn made(&'static self, context: &Counted<C>) {
        fork::register();
        if report::stats_wanted() {
            report::at_exit(report_all::<C>);
            // Without memory it is in there only once it stores a session.
            let _ = self.insert(context);
        }
    }

    fn blocks(&'static self) -> impl Iterator<Item = &'static Block<C>> {
        std::iter::successors(self.first.get(), |block| block.next.get())
    }

    /// Registers a context, with a reference to it; a second time changes nothing.
    pub fn insert(&'static self, context: &Counted<C>) -> Result<(), NoMemory> {
        let place = context.cache().place();
        if place.get().is_some() {
            return Ok(());
        }
        let (block, bit) = self.seat(context)?;
        let seats: &'static dyn Seats = block;
        let taken = boxed(Place { seats, table: seats.table(), bit });
        // Another thread may have been faster.
        let is_placed = taken.is_ok_and(|taken| place.set(taken).is_ok());
        if !is_placed {
            seats.leave(bit);
        }
        if place.get().is_some() { Ok(()) } else { Err(NoMemory) }
    }

    fn seat(&'static self, context: &Counted<C>) -> Result<(&'static Block<C>, u64), NoMemory> {
        let seat_in = |block: &'static Block<C>| Some((block, block.seat(context)?));
        let seated = self.blocks().find_map(seat_in);
        let seated =
            seated.or_else(|| self.blocks().filter(|block| block.clear()).find_map(seat_in));
        if let Some(seated) = seated {
            return Ok(seated);
        }
        let mut block = self.first.get_or_try_init(Block::boxed)?;
        loop {
            if let Some(seated) = seat_in(block) {
                return Ok(seated);
            }
            block = block.next.get_or_try_init(Block::boxed)?;
        }
    }

    /// Takes a context out, before the caller gives up its own reference.
    pub fn remove(&self, context: &C) {
        if let Some(place) = context.cache().place().get() {
            place.seats.leave(place.bit);
        }
    }

    /// The registered contexts, one after the other. No lock is held meanwhile.
    fn contexts(&'static self) -> impl Iterator<Item = Counted<C>> {
        let seats = self.blocks().flat_map(|block| (0..SEATS).map(move |seat| (block, seat)));
        seats.filter_map(|(block, seat)| block.contexts.lock().seats[seat].clone())
    }

    /// The time or timeout of a session changed: it moves in every cache that holds it.
    pub fn reschedule(&'static self, session: &C::Session) {
        let seen = whereabouts::count_change();
        let (key, expiry) = session.key_and_expiry();
        let place = |expiry| {
            for block in self.blocks() {
                let mut may_hold = block.table.may_hold(session);
                if may_hold == 0 {
                    continue;
                }
                // Nothing foreign happens here: it may be done under the lock.
                let contexts = block.contexts.lock();
                while let Some(seat) = may_hold.checked_ilog2() {
                    may_hold &= !(1 << seat);
                    if let Some(context) = &contexts.seats[seat as usize] {
                        context.cache().reschedule(&key, session, expiry);
                    }
                }
            }
        };
        place(expiry);
        whereabouts::keep_up(session, seen, expiry, place);
    }

    /// Writes what a context did, once, if statistics were asked for.
    pub fn report(&self, context: &C) {
        let RegistryEntry { number, reported } = context.entry();
        if report::stats_wanted() && !reported.swap(true, Ordering::Relaxed) {
            let statistics = context.cache().statistics();
            report::stats(Report { standing: C::STANDING, number: *number, statistics });
        }
    }
}

extern "C" fn report_all<C: Member>() {
    let registry = C::registry();
    registry.contexts().for_each(|context| registry.report(&context));
}
