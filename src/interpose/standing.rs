//! The interposed standing, as the rules see it.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use libc::c_long;

use super::alone::{Why, leave_alone};
use super::attached::{self, Attached};
use super::borrowed::{RealCtx, RealSsl};
use super::hosts;
use super::quiet::quietly;
use super::session::{RealSession, lifetime, real, refuses_marked};
use super::shadow;
use crate::cache::{Expiry, Key};
use crate::clock;
use crate::ffi::args;
use crate::ffi::constants::SSL_VERIFY_PEER;
use crate::ffi::live::{Ctx, Ssl};
use crate::ffi::memory::Counted;
use crate::ffi::real::call;
use crate::ffi::types::SSL_SESSION;
use crate::rules::{Member, Registry, SessionRef, Source, Standing};
use crate::shared::{Name, Realm, Tier};

/// A libssl is behind us: contexts and sessions are its own.
pub enum Interposed {}

static CONTEXTS: Registry<Interposed> = Registry::new();

impl Standing for Interposed {
    const NAME: &'static str = "interposed";

    type Session = RealSession;
    type Context = Attached;

    fn member(context: &Attached) -> &Member<RealSession> {
        &context.member
    }

    unsafe fn context(ctx: Ctx<'_>) -> Option<Counted<Attached>> {
        attached::of(ctx).map(|attached| {
            // SAFETY: the state of a live context, which holds a reference made by `into_raw`.
            unsafe { Counted::share(attached) }
        })
    }

    fn registry() -> &'static Registry<Self> {
        &CONTEXTS
    }

    fn may_turn_on(ctx: Ctx<'_>) -> bool {
        let Some(attached) = attached::of(ctx) else { return false };
        let verifies = RealCtx { real: real(), ctx }.verify_mode() & SSL_VERIFY_PEER != 0;
        let may = !verifies || attached.isolation.has_sid_ctx();
        if !may {
            leave_alone(Why::NoSidCtx);
        }
        may
    }

    fn realm(ctx: Ctx<'_>, tier: &Tier) -> Option<Realm> {
        attached::of(ctx)?.isolation.realm(RealCtx { real: real(), ctx }, tier)
    }

    fn last_realm(context: &Attached) -> Option<Realm> {
        context.isolation.last_realm()
    }

    fn is_clients(ctx: Ctx<'_>) -> bool {
        RealCtx { real: real(), ctx }.is_clients()
    }

    fn offered_name(ssl: Ssl<'_>, tier: &Tier) -> Option<Name> {
        hosts::offered_name(RealSsl { real: real(), ssl }, tier)
    }

    fn agreed_name(ssl: Ssl<'_>, tier: &Tier) -> Option<Name> {
        hosts::agreed_name(RealSsl { real: real(), ssl }, tier)
    }

    fn told_name(context: &Attached, session: &RealSession, tier: &Tier) -> Option<Name> {
        hosts::told_name(context, session, tier)
    }
}

impl SessionRef for RealSession {
    type Standing = Interposed;

    fn key(&self) -> Key {
        let (real, session, mut len) = (real(), self.as_c(), 0);
        // SAFETY: a reference of ours keeps the session alive, and with it the id.
        let id = unsafe {
            let id = call!(real, SSL_SESSION_get_id(session, &mut len), std::ptr::null());
            args::bytes(id, (len as usize).min(Key::MAX_ID))
        };
        Key::new(self.protocol_version(), id).expect("cut to the longest id above")
    }

    fn expiry(&self) -> Expiry {
        let (real, session) = (real(), self.as_c());
        // SAFETY: a reference of ours keeps the session alive.
        let time = unsafe { call!(real, SSL_SESSION_get_time(session), 0) };
        lifetime(real).expiry(time, self.timeout())
    }

    fn touch(&self) {
        // SAFETY: a reference of ours keeps the session alive.
        unsafe { call!(real(), SSL_SESSION_set_time(self.as_c(), clock::now()), 0) };
    }

    fn as_c(&self) -> *mut SSL_SESSION {
        self.0.as_ptr()
    }

    unsafe fn from_c(session: *mut SSL_SESSION) -> Option<Self> {
        NonNull::new(session).map(RealSession)
    }

    fn into_c(self) -> *mut SSL_SESSION {
        ManuallyDrop::new(self).as_c()
    }

    fn mark_not_resumable(&self, ctx: Ctx<'_>) -> bool {
        // The one public way; the hook this fires is to do nothing. The real cache does not hold
        // the session, but it may hold a shadow with its key.
        let remove = || self.remove_from(RealCtx { real: real(), ctx });
        let removed = quietly(ctx.addr(), remove) == Some(true);
        if removed {
            shadow::uninstalled(ctx, self);
        }
        removed
    }

    /// To libssl every session of ours comes from a callback.
    fn is_accepted(&self, _: Source) -> bool {
        let (real, session) = (real(), self.as_c());
        if !refuses_marked(real) {
            return true;
        }
        // SAFETY: a reference of ours keeps the session alive.
        if unsafe { call!(real, SSL_SESSION_is_resumable(session), 0) } != 0 {
            return true;
        }
        // Without an id and a ticket it does not tell whether it is marked: libssl knows.
        // SAFETY: as above.
        self.key().id().is_empty()
            && unsafe { call!(real, SSL_SESSION_has_ticket(session), 0) } == 0
    }

    fn encode(&self, room: &mut [u8]) -> Option<usize> {
        let (real, session) = (real(), self.as_c());
        // SAFETY: a reference of ours keeps the session alive; without a place it only tells the
        // length.
        let length = unsafe { call!(real, i2d_SSL_SESSION(session, std::ptr::null_mut()), 0) };
        let length = usize::try_from(length).ok().filter(|&length| length > 0)?;
        let mut place = room.get_mut(..length)?.as_mut_ptr();
        // SAFETY: as above; there is room for that many bytes.
        let written = unsafe { call!(real, i2d_SSL_SESSION(session, &mut place), 0) };
        (usize::try_from(written) == Ok(length)).then_some(length)
    }

    fn decode(der: &[u8]) -> Option<Self> {
        let (real, null, mut start) = (real(), std::ptr::null_mut::<SSL_SESSION>(), der.as_ptr());
        let length = c_long::try_from(der.len()).ok()?;
        // What it has to say of bytes that are no session is nobody's error.
        // SAFETY: as many bytes as there are; a new session with a reference of its own, or NULL.
        unsafe {
            call!(real, ERR_set_mark(), 0);
            let session = call!(real, d2i_SSL_SESSION(null.cast(), &mut start, length), null);
            call!(real, ERR_pop_to_mark(), 0);
            RealSession::from_c(session)
        }
    }
}
