//! What is the same for the contexts of both standings: each has a cache, a number and a report,
//! and is found by what concerns a session wherever it is cached.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use once_cell::race::OnceBox;
use sslcache_facts::Fact;
use sslcache_sync::Lock;

use super::presence::{self, BloomRows, Group, SEATS, Seat};
use super::statistics::Shared;
use super::{InternalCache, Report, SessionRef};
use crate::cache::{Expiry, Key};
use crate::ffi::live::{Ctx, Ssl};
use crate::ffi::memory::{Counted, NoMemory, boxed};
use crate::shared::{self, Name, Realm, Tier};
use crate::{fork, report, seen};

/// One standing of the library, as the rules see it.
pub trait Standing: Sized + 'static {
    /// What the report calls it.
    const NAME: &'static str;

    /// Its sessions.
    type Session: SessionRef<Standing = Self>;

    /// What it keeps for a context.
    type Context: Send + Sync + 'static;

    /// The part of that which the rules know.
    fn member(context: &Self::Context) -> &Member<Self::Session>;

    /// One more reference to what it keeps for `ctx`.
    ///
    /// # Safety
    /// `ctx` is a context of this standing.
    unsafe fn context(ctx: Ctx<'_>) -> Option<Counted<Self::Context>>;

    /// Its contexts.
    fn registry() -> &'static Registry<Self>;

    /// Whether the cache of `ctx` may be turned on where the application has it off: a session of
    /// it can be told from one that was made where nothing was asked of the client.
    fn may_turn_on(ctx: Ctx<'_>) -> bool;

    // What of them is shared with other processes, see `shared`.

    /// What makes `ctx` what it is for those that resume there; `None`: nothing of it is shared.
    fn realm(ctx: Ctx<'_>, tier: &Tier) -> Option<Realm>;

    /// The same as it was last told.
    fn last_realm(context: &Self::Context) -> Option<Realm>;

    /// Whether `ctx` is for clients alone.
    fn is_clients(ctx: Ctx<'_>) -> bool;

    /// The name that a client calls the server by which is about to look its session up; `None`:
    /// that is not known, and nothing is shared.
    fn offered_name(ssl: Ssl<'_>, tier: &Tier) -> Option<Name>;

    /// The same at the end of a handshake.
    fn agreed_name(ssl: Ssl<'_>, tier: &Tier) -> Option<Name>;

    /// The name that a session was made under, as far as it tells, by a context with this.
    fn told_name(context: &Self::Context, session: &Self::Session, tier: &Tier) -> Option<Name>;
}

/// What a context of either standing keeps.
pub struct Member<S> {
    /// Its cache.
    pub cache: InternalCache<S>,
    /// Contexts are numbered in the order they were made.
    number: u32,
    reported: AtomicBool,
}

impl<S> Member<S>
where
    S: SessionRef,
    S::Standing: Standing<Session = S>,
{
    /// For a context that is being made.
    pub fn new() -> Self {
        let number = S::Standing::registry().made.fetch_add(1, Ordering::Relaxed) + 1;
        Member { cache: InternalCache::default(), number, reported: AtomicBool::new(false) }
    }

    /// `context`, whose part this is, has been made: it is in the report at exit, if there will be
    /// one.
    pub fn made(&self, context: &Counted<<S::Standing as Standing>::Context>) {
        seen::note(Fact::Context);
        fork::register();
        if report::stats_wanted() {
            self.cache.explain_misses();
            report::at_exit(report_all::<S::Standing>);
            // Without memory it is in there only once it stores a session.
            let _ = S::Standing::registry().insert(context);
        }
    }

    /// Writes what the context did, once, if statistics were asked for.
    pub fn report(&self) {
        if report::stats_wanted() && !self.reported.swap(true, Ordering::Relaxed) {
            report::stats(Report {
                standing: S::Standing::NAME,
                number: self.number,
                statistics: self.cache.statistics(),
                stale: self.cache.counted(|counters| &counters.stale),
                shared: shared::tier().map(|_| Shared {
                    fetched: self.cache.counted(|counters| &counters.fetched),
                    gone: self.cache.counted(|counters| &counters.gone),
                }),
            });
        }
    }

    /// The context ends: it is registered no more.
    pub fn leave(&self) {
        if let Some(seat) = self.cache.seat().get() {
            seat.group.leave(seat.bit);
        }
    }
}

/// Up to 64 contexts that share a filter. It stays for ever.
struct ContextGroup<C> {
    rows: BloomRows,
    contexts: Lock<Contexts<C>>,
    next: OnceBox<ContextGroup<C>>,
}

/// At no moment is it half changed: what a vanished thread left in the child of a fork is good as
/// it is, but for a seat or a reference that nobody gives back.
struct Contexts<C> {
    seats: [Option<Counted<C>>; SEATS],
    /// Seats that may be taken.
    free: u64,
    /// Seats whose context is gone but whose bits are still set.
    left: u64,
}

impl<C> ContextGroup<C> {
    fn boxed() -> Result<Box<Self>, NoMemory> {
        boxed(ContextGroup {
            rows: BloomRows::new(),
            contexts: Lock::new(Contexts {
                seats: [const { None }; SEATS],
                free: u64::MAX,
                left: 0,
            }),
            next: OnceBox::new(),
        })
    }

    /// Gives a context a free seat. Returns its bit, `None` if all are taken.
    fn seat(&self, context: &Counted<C>) -> Option<u64> {
        let mut contexts = self.contexts.lock();
        let seat = contexts.free.checked_ilog2()?;
        contexts.free &= !(1 << seat);
        contexts.seats[seat as usize] = Some(context.clone());
        Some(1 << seat)
    }

    /// Frees the seats that were left. Not one by one: the filter has many rows. Returns whether
    /// there were any.
    fn clear(&self) -> bool {
        let mut contexts = self.contexts.lock();
        self.rows.forget(contexts.left);
        contexts.free |= contexts.left;
        std::mem::take(&mut contexts.left) != 0
    }
}

impl<C: Send + Sync> Group for ContextGroup<C> {
    fn rows(&self) -> &BloomRows {
        &self.rows
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

/// The registered contexts. Groups are found without a lock; each has its own.
pub struct Registry<T: Standing> {
    first: OnceBox<ContextGroup<T::Context>>,
    /// Contexts that were made so far.
    made: AtomicU32,
}

impl<T: Standing> Registry<T> {
    /// An empty registry.
    pub const fn new() -> Self {
        Registry { first: OnceBox::new(), made: AtomicU32::new(0) }
    }

    fn groups(&'static self) -> impl Iterator<Item = &'static ContextGroup<T::Context>> {
        std::iter::successors(self.first.get(), |group| group.next.get())
    }

    /// Registers a context, with a reference to it; a second time changes nothing.
    pub fn insert(&'static self, context: &Counted<T::Context>) -> Result<(), NoMemory> {
        let seat = T::member(context).cache.seat();
        if seat.get().is_some() {
            return Ok(());
        }
        let (group, bit) = self.free_seat(context)?;
        let taken = boxed(Seat { group, rows: group.rows(), bit });
        // Another thread may have been faster.
        let is_seated = taken.is_ok_and(|taken| seat.set(taken).is_ok());
        if !is_seated {
            group.leave(bit);
        }
        if seat.get().is_some() { Ok(()) } else { Err(NoMemory) }
    }

    fn free_seat(
        &'static self,
        context: &Counted<T::Context>,
    ) -> Result<(&'static dyn Group, u64), NoMemory> {
        let seat_in = |group: &'static ContextGroup<T::Context>| {
            Some((group as &'static dyn Group, group.seat(context)?))
        };
        let seated = self.groups().find_map(seat_in);
        let seated =
            seated.or_else(|| self.groups().filter(|group| group.clear()).find_map(seat_in));
        if let Some(seated) = seated {
            return Ok(seated);
        }
        let mut group = self.first.get_or_try_init(ContextGroup::boxed)?;
        loop {
            if let Some(seated) = seat_in(group) {
                return Ok(seated);
            }
            group = group.next.get_or_try_init(ContextGroup::boxed)?;
        }
    }

    /// The registered contexts, one after the other. No lock is held meanwhile.
    fn contexts(&'static self) -> impl Iterator<Item = Counted<T::Context>> {
        let seats = self.groups().flat_map(|group| (0..SEATS).map(move |seat| (group, seat)));
        seats.filter_map(|(group, seat)| group.contexts.lock().seats[seat].clone())
    }

    /// The time or timeout of a session changed: it moves in every cache that holds it (steps C2 to
    /// C4 of `presence`).
    pub fn reschedule(&'static self, session: &T::Session) {
        let seen = presence::count_change();
        let (key, expiry) = session.key_and_expiry();
        if shared::tier().is_some() {
            self.change_shared(session, &key, expiry);
        }
        let move_to = |expiry| {
            for group in self.groups() {
                let mut may_hold = group.rows.may_hold(session);
                if may_hold == 0 {
                    continue;
                }
                // Nothing foreign happens here: it may be done under the lock.
                let contexts = group.contexts.lock();
                while let Some(seat) = may_hold.checked_ilog2() {
                    may_hold &= !(1 << seat);
                    if let Some(context) = &contexts.seats[seat as usize] {
                        T::member(context).cache.reschedule(&key, session, expiry);
                    }
                }
            }
        };
        move_to(expiry);
        presence::move_if_changed(session, seen, expiry, move_to);
    }

    /// So does what is shared. That is to be done with no lock held, and before the session moves:
    /// the caches still know when it would have expired.
    fn change_shared(&'static self, session: &T::Session, key: &Key, expiry: Expiry) {
        for group in self.groups() {
            let mut may_hold = group.rows.may_hold(session);
            while let Some(seat) = may_hold.checked_ilog2() {
                may_hold &= !(1 << seat);
                let context = group.contexts.lock().seats[seat as usize].clone();
                if let Some(context) = &context {
                    T::member(context).cache.change_shared(context, session, key, expiry);
                }
            }
        }
    }
}

extern "C" fn report_all<T: Standing>() {
    T::registry().contexts().for_each(|context| T::member(&context).report());
}
