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
//! | what the application adds | yes, unless a client's handshake made it |
//! | a removal, by whomever | yes: nobody finds it from then on |
//! | what has expired, is too large, or has no encoding | no: it is this process's alone |
//! | a flush of what has expired | yes, of what this process has |
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
use crate::shared::{self, Maker, Name, Place, Realm, Room, Tier};

/// What is done where processes share, in a frame of its own. Where they do not, which costs one
/// look, it is `otherwise`.
#[inline(always)]
pub(super) fn if_shared<T>(otherwise: T, what: impl FnOnce() -> T) -> T {
    if shared::tier().is_none() { otherwise } else { apart(otherwise, what) }
}

#[cold]
#[inline(never)]
fn apart<T>(otherwise: T, what: impl FnOnce() -> T) -> T {
    guard(otherwise, what)
}

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

    /// The session that a server's handshake has just made.
    pub(super) fn made<T: Standing>(&self, ssl: Ssl<'_>, key: &Key) -> Option<Shared> {
        let made = self.named(key, T::agreed_name(ssl, self.tier))?;
        made.is_known();
        Some(made)
    }

    /// A client's handshake has just made one with this key.
    pub(super) fn made_by_client(&self, key: &Key) {
        if let Some(place) = self.place(key) {
            self.tier.note(place, Maker::Client);
        }
    }

    /// A session that the application passes, with nothing else; `None`: it is a client's.
    fn passed<T: Standing>(
        &self,
        context: &T::Context,
        session: &T::Session,
        key: &Key,
    ) -> Option<Shared> {
        let name = match self.tier.maker(self.place(key)?) {
            Some(Maker::Client) => return None,
            Some(Maker::Server(name)) => Some(name),
            None => T::told_name(context, session, self.tier),
        };
        self.named(key, name)
    }

    /// Removes what has this key. True if it was there.
    pub(super) fn remove(&self, key: &Key) -> bool {
        self.place(key).is_some_and(|place| self.tier.remove(place))
    }

    /// A flush takes an object of this process: what it is of goes, unless others have given it more
    /// time since.
    pub(super) fn flush<S: SessionRef>(&self, session: &S) {
        let (key, expiry) = session.key_and_expiry();
        if let Some(place) = self.place(&key).filter(|&it| !self.tier.outlives(it, expiry)) {
            self.tier.remove(place);
        }
    }

    /// Whether there is a session with this key.
    fn contains(&self, key: &Key) -> bool {
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
        self.tier.note(self.place, Maker::Server(self.name));
    }

    /// Stores the session there. False: then nothing is there under its key.
    #[cold]
    pub(super) fn store<S: SessionRef>(&self, session: &S, expiry: Expiry) -> bool {
        self.put(session, expiry, false)
    }

    /// The same; with `again` only if it is there, and nobody removes or takes it meanwhile.
    fn put<S: SessionRef>(&self, session: &S, expiry: Expiry, again: bool) -> bool {
        let stored =
            encoded(session, |room| self.tier.put(self.place, self.name, expiry, room, again));
        if !stored {
            self.remove();
        }
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

    /// Whether it is there under this name.
    fn is_under_this_name(&self) -> bool {
        self.tier.peek(self.place, self.name).is_ok()
    }

    /// Whether `session`, an object of this process, is nowhere else, because it cannot be there: it
    /// has expired (and has no other time there), or no record can be made of it.
    fn leaves_alone<S: SessionRef>(&self, session: &S) -> bool {
        let cannot_be_there = || {
            session.expiry().is_past(clock::now())
                || !encoded(session, |room| room.without_id().is_some())
        };
        guard(false, || !self.is_there() && cannot_be_there())
    }

    /// Brings its DER, with `take` from there for a single use. False: it is not there.
    fn bring(&self, key: &Key, take: bool, room: &mut Room) -> bool {
        let bring = if take { Tier::take } else { Tier::get };
        guard(false, || bring(self.tier, self.place, self.name, &key.id(), room).is_ok())
    }
}

/// What is done with the DER of `session`; false if it has none, or too much.
fn encoded<S: SessionRef>(session: &S, what: impl FnOnce(&mut Room) -> bool) -> bool {
    let mut room = Room::new();
    let done = room.fill(|room| session.encode(room)) && what(&mut room);
    room.wipe();
    done
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
        // Nobody turns it on where nothing is shared.
        let is_on = || settings().set.cache_on() && S::Standing::may_turn_on(ctx);
        if if_shared(false, is_on) { self.mode().with_cache() } else { self.mode() }
    }

    /// `SSL_has_matching_session_id`
    #[inline(always)]
    pub fn contains(&self, ctx: Ctx<'_>, key: &Key) -> bool {
        self.sessions.contains(key)
            || if_shared(false, || self.share(ctx).is_some_and(|share| share.contains(key)))
    }

    /// Whether others find `session` where it is shared.
    pub(super) fn is_shared(&self, ctx: Ctx<'_>, session: &S) -> bool {
        if_shared(false, || self.share(ctx).is_some_and(|share| share.contains(&session.key())))
    }

    /// What this context has of the memory that processes share.
    pub(super) fn share(&self, ctx: Ctx<'_>) -> Option<Share> {
        Share::of::<S::Standing>(ctx)
    }

    /// What the application adds to a context that is not for clients alone.
    pub(super) fn added(&self, ctx: Ctx<'_>, session: &S) -> Option<Shared> {
        let (share, mode) = (self.share(ctx)?, self.mode());
        if S::Standing::is_clients(ctx) || (mode.covers(false) && !mode.covers(true)) {
            return None;
        }
        // SAFETY: the context that this is the cache of.
        let context = unsafe { S::Standing::context(ctx) }?;
        share.passed::<S::Standing>(&context, session, &session.key())
    }

    /// What is about to be stored under this key may be here as an object of what others have
    /// removed meanwhile: then that goes first.
    #[cold]
    pub(super) fn forget_gone(&self, shared: &Shared, key: &Key) {
        let Some(object) = guard(None, || self.sessions.peek(key)).map(Held::new) else { return };
        let is_gone = !shared.is_there() && !shared.leaves_alone(&*object);
        object.release();
        if is_gone {
            self.forget(key);
        }
    }

    /// The session that is meant: what is there, or the object that this process has of it.
    #[cold]
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
            // That one has expired is for the handshake to find out, which counts it.
            Some(object) if shared.leaves_alone(&*object) => {
                if !single_use {
                    return Some(object);
                }
                object.release();
                self.cached_here(key, true)
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

    /// The time or timeout of `session` changes, which may be here: so it does where it is shared.
    /// What is not known well enough to be stored again goes.
    pub(super) fn change_shared(
        &self,
        context: &<S::Standing as Standing>::Context,
        session: &S,
        key: &Key,
        expiry: Expiry,
    ) {
        let Some(before) = self.sessions.expiry_of(key, session) else { return };
        let realm = S::Standing::last_realm(context);
        let Some(share) = shared::tier().zip(realm).map(|(tier, realm)| Share { tier, realm })
        else {
            return;
        };
        let passed = share.passed::<S::Standing>(context, session, key);
        // What had expired was not there, and may be now.
        let had_expired = before.is_past(clock::now());
        match passed.filter(|shared| had_expired || shared.is_under_this_name()) {
            Some(shared) => shared.put(session, expiry, !had_expired),
            None => share.remove(key),
        };
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
