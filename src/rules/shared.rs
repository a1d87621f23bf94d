//! What the rules do with the memory that processes share.
//!
//! With it, what a server has made and a client may offer again lies *there*, and the engine is
//! this process's cache of it: the sessions that it has as objects. So each of them is good only as
//! long as the memory still has it, which is asked at every look-up, and what the engine lets go of
//! for want of room has not left the cache: nobody is told.
//!
//! | of a server | is shared |
//! | --- | --- |
//! | what a handshake stores to be found by its id | yes |
//! | what it stores only because somebody wants to hear of its removal (stateless tickets) | no |
//! | what the application adds | yes, unless the context may be a client's |
//! | a removal, by whomever | yes: nobody finds it from then on |
//! | a flush of what has expired | no: there it counts as gone anyway |
//! | a flush of everything | yes |
//! | the end of the context | no: a worker that exits takes nothing from the others |
//!
//! Nothing of a client's is shared. Sealing and opening, and libssl's encoding and decoding of a
//! session, happen here, with no lock held.

use super::internal_cache::InternalCache;
use super::{CacheMode, Held, SessionRef, Standing};
use crate::cache::{Expiry, Key};
use crate::clock;
use crate::ffi::guard::guard;
use crate::ffi::live::{Ctx, Ssl};
use crate::settings::settings;
use crate::shared::{self, Name, Place, Realm, Room, Tier};

/// What a context has of the memory.
#[derive(Clone, Copy)]
pub struct Share {
    tier: &'static Tier,
    realm: Realm,
}

/// A session there, or the place for one.
#[derive(Clone, Copy)]
pub(super) struct Shared {
    tier: &'static Tier,
    place: Place,
    name: Name,
}

impl Share {
    /// What `ctx` has.
    pub(super) fn of<T: Standing>(ctx: Ctx<'_>) -> Option<Self> {
        let tier = shared::tier()?;
        T::realm(ctx, tier).map(|realm| Share { tier, realm })
    }

    fn place(&self, key: &Key) -> Option<Place> {
        self.tier.place(&self.realm, key)
    }

    fn named(&self, key: &Key, name: Option<Name>) -> Option<Shared> {
        self.place(key).zip(name).map(|(place, name)| Shared { tier: self.tier, place, name })
    }

    /// What a client means that offers an id.
    pub(super) fn offered<T: Standing>(&self, ssl: Ssl<'_>, key: &Key) -> Option<Shared> {
        self.named(key, T::offered_name(ssl, self.tier))
    }

    /// The session that a handshake has just made.
    pub(super) fn made<T: Standing>(&self, ssl: Ssl<'_>, key: &Key) -> Option<Shared> {
        let made = self.named(key, T::agreed_name(ssl, self.tier))?;
        made.is_known();
        Some(made)
    }

    /// A session that the application passes, with nothing else.
    pub(super) fn passed<T: Standing>(
        &self,
        ctx: Ctx<'_>,
        session: &T::Session,
        key: &Key,
    ) -> Option<Shared> {
        let known = self.tier.name_of(self.place(key)?);
        self.named(key, known.or_else(|| T::told_name(ctx, session, self.tier)))
    }

    /// The time or timeout of `session`, which has this key, changed: so it does there. What is not
    /// known well enough to be stored again goes.
    fn change<S: SessionRef>(&self, session: &S, key: &Key, expiry: Expiry) {
        let Some(place) = self.place(key).filter(|&place| self.tier.contains(place)) else {
            return;
        };
        match self.named(key, self.tier.name_of(place)) {
            Some(shared) => shared.store(session, expiry),
            None => self.tier.remove(place),
        };
    }

    /// Removes what has this key. True if it was there.
    pub(super) fn remove(&self, key: &Key) -> bool {
        self.place(key).is_some_and(|place| self.tier.remove(place))
    }

    /// Whether there is a session with this key.
    pub(super) fn contains(&self, key: &Key) -> bool {
        self.place(key).is_some_and(|place| self.tier.contains(place))
    }

    /// Removes all of the context's, in every process.
    pub(super) fn empty(&self) {
        self.tier.empty(&self.realm);
    }
}

impl Shared {
    /// The application may add it, or change its time, and nothing of what it passes tells the name.
    fn is_known(&self) {
        self.tier.note_name(self.place, self.name);
    }

    /// Stores the session there. False: then nothing is there under its key.
    pub(super) fn store<S: SessionRef>(&self, session: &S, expiry: Expiry) -> bool {
        let mut room = Room::new();
        let stored = room.fill(|room| session.encode(room))
            && self.tier.put(self.place, self.name, expiry, &mut room);
        room.wipe();
        stored
    }

    pub(super) fn is_there(&self) -> bool {
        self.tier.contains(self.place)
    }

    pub(super) fn remove(&self) {
        self.tier.remove(self.place);
    }

    /// Whether `session`, an object of this process, is what is there.
    fn confirms<S: SessionRef>(&self, session: &S) -> bool {
        self.tier.peek(self.place, self.name) == Ok(shared::seconds(session.expiry()))
    }

    /// Brings its DER, with `take` from there for a single use. False: it is not there.
    fn bring(&self, key: &Key, take: bool, room: &mut Room) -> bool {
        let bring = if take { Tier::take } else { Tier::get };
        guard(false, || bring(self.tier, self.place, self.name, &key.id(), room).is_ok())
    }
}

/// The session in `room`, if it has this key, as an object of this process. Decoding makes one,
/// which the application may hear of: nothing of ours is held.
fn decode<S: SessionRef>(room: &Room, key: &Key) -> Option<Held<S>> {
    let session = S::decode(room.der()).map(Held::new)?;
    if session.key() == *key {
        return Some(session);
    }
    session.release();
    None
}

impl<S> InternalCache<S>
where
    S: SessionRef,
    S::Standing: Standing<Session = S>,
{
    /// The mode that counts for a server's handshake.
    pub(super) fn server_mode(&self, ctx: Ctx<'_>) -> CacheMode {
        let mode = self.mode();
        let is_on = settings().set.cache_on() && S::Standing::may_turn_on(ctx);
        if is_on { mode.with_cache() } else { mode }
    }

    /// `SSL_has_matching_session_id`
    #[inline(always)]
    pub fn contains(&self, ctx: Ctx<'_>, key: &Key) -> bool {
        self.sessions.contains(key)
            || guard(false, || self.share(ctx).is_some_and(|share| share.contains(key)))
    }

    /// What this context has of the memory that processes share.
    pub(super) fn share(&self, ctx: Ctx<'_>) -> Option<Share> {
        Share::of::<S::Standing>(ctx)
    }

    /// What the application adds to a context of servers alone.
    pub(super) fn added(&self, ctx: Ctx<'_>, session: &S) -> Option<Shared> {
        let (share, key) = (self.share(ctx)?, session.key());
        let of_a_server = !self.mode().covers(false) || S::Standing::is_servers(ctx);
        if of_a_server { share.passed::<S::Standing>(ctx, session, &key) } else { None }
    }

    /// The session that is meant: what is there, or the object that this process has of it.
    pub(super) fn look_up_shared(
        &self,
        ctx: Ctx<'_>,
        shared: &Shared,
        key: &Key,
        single_use: bool,
    ) -> Option<Held<S>> {
        match self.cached_here(key, false) {
            Some(object) if shared.confirms(&*object) => {
                if single_use {
                    self.take_confirmed(shared, key, object)
                } else {
                    shared.is_known();
                    Some(object)
                }
            }
            // That one has expired is for the handshake to find out, which counts it. (Unless it has
            // another time by now.)
            Some(object) if object.expiry().is_past(clock::now()) && !shared.is_there() => {
                if single_use {
                    self.cached_here(key, true)
                } else {
                    Some(object)
                }
            }
            Some(object) => {
                self.count(|counters| &counters.gone);
                object.release();
                self.forget(key);
                self.fetch(ctx, shared, key, single_use)
            }
            None => self.fetch(ctx, shared, key, single_use),
        }
    }

    /// The object of a session that is there, for its single use: if nobody else was faster.
    fn take_confirmed(&self, shared: &Shared, key: &Key, object: Held<S>) -> Option<Held<S>> {
        self.forget(key);
        let mut room = Room::new();
        let taken = shared.bring(key, true, &mut room);
        room.wipe();
        if taken {
            return Some(object);
        }
        object.release();
        None
    }

    /// What is there as a new object, which is kept here unless it is for a single use.
    fn fetch(&self, ctx: Ctx<'_>, shared: &Shared, key: &Key, single_use: bool) -> Option<Held<S>> {
        let mut room = Room::new();
        let is_there = shared.bring(key, single_use, &mut room);
        let session = if is_there { decode(&room, key) } else { None };
        room.wipe();
        let session = session?;
        self.count(|counters| &counters.fetched);
        if !single_use {
            shared.is_known();
            self.keep(ctx, &session);
        }
        Some(session)
    }

    /// The time or timeout of `session` changed, which may be here: see [`Share::change`].
    pub(super) fn change_shared(&self, realm: Realm, session: &S, key: &Key, expiry: Expiry) {
        let is_here = guard(None, || self.sessions.peek(key)).map(Held::new).is_some_and(|found| {
            let is_it = *found == *session;
            found.release();
            is_it
        });
        if let (true, Some(tier)) = (is_here, shared::tier()) {
            Share { tier, realm }.change(session, key, expiry);
        }
    }

    /// An object of this process goes, of which nobody is told: what it is of has gone before, or
    /// stays.
    pub(super) fn forget(&self, key: &Key) {
        if let Some(session) = guard(None, || self.sessions.remove(key)).map(Held::new) {
            self.show(&session, key);
            session.release();
        }
    }
}
