//! The standalone standing, as the rules see it.

use super::context::Context;
use super::der;
use super::session::{Session, SessionHandle};
use crate::cache::{Expiry, Key};
use crate::clock;
use crate::ffi::handle::Handle;
use crate::ffi::live::{Ctx, Ssl};
use crate::ffi::memory::Counted;
use crate::ffi::types::SSL_SESSION;
use crate::rules::{Member, Registry, SessionRef, Source, Standing};
use crate::shared::{self, Asked, Name, Realm, Tier};

/// No libssl in the process: contexts and sessions are our own objects.
pub enum Standalone {}

static CONTEXTS: Registry<Standalone> = Registry::new();

impl Standing for Standalone {
    const NAME: &'static str = "standalone";

    type Session = SessionHandle;
    type Context = Context;

    fn member(context: &Context) -> &Member<SessionHandle> {
        context.member()
    }

    unsafe fn context(ctx: Ctx<'_>) -> Option<Counted<Context>> {
        // SAFETY: the caller's promise.
        unsafe { Context::share(ctx.as_ptr()) }
    }

    fn registry() -> &'static Registry<Self> {
        &CONTEXTS
    }

    fn may_turn_on(_: Ctx<'_>) -> bool {
        true
    }

    fn realm(ctx: Ctx<'_>, tier: &Tier) -> Option<Realm> {
        // SAFETY: a live context of this standing.
        let context = unsafe { Context::borrow(ctx.as_ptr()) }?;
        realm(context, tier)
    }

    fn last_realm(context: &Context) -> Option<Realm> {
        realm(context, shared::tier()?)
    }

    fn is_clients(ctx: Ctx<'_>) -> bool {
        // SAFETY: a live context of this standing.
        unsafe { Context::borrow(ctx.as_ptr()) }.is_some_and(|context| !context.method.server)
    }

    // There are no handshakes, and so no client that calls the server by a name.

    fn offered_name(_: Ssl<'_>, tier: &Tier) -> Option<Name> {
        tier.name(&[], Asked::here(0))
    }

    fn agreed_name(_: Ssl<'_>, tier: &Tier) -> Option<Name> {
        tier.name(&[], Asked::here(0))
    }

    fn told_name(_: &Context, _: &SessionHandle, tier: &Tier) -> Option<Name> {
        tier.name(&[], Asked::here(0))
    }
}

/// Of a context without a certificate, which asks nothing of a client.
fn realm(context: &Context, tier: &Tier) -> Option<Realm> {
    tier.realm_with(tier.first_realm(), &[b"standalone", context.sid_ctx().as_slice()])
}

impl SessionRef for SessionHandle {
    type Standing = Standalone;

    fn key(&self) -> Key {
        self.0.key()
    }

    fn expiry(&self) -> Expiry {
        self.0.expiry()
    }

    fn key_and_expiry(&self) -> (Key, Expiry) {
        self.0.key_and_expiry()
    }

    fn touch(&self) {
        self.0.write(|v| v.time = clock::now());
    }

    fn as_c(&self) -> *mut SSL_SESSION {
        self.0.as_c()
    }

    unsafe fn from_c(session: *mut SSL_SESSION) -> Option<Self> {
        // SAFETY: the caller's promise is that of `from_c`.
        unsafe { Session::from_c(session) }.map(SessionHandle)
    }

    fn into_c(self) -> *mut SSL_SESSION {
        Session::into_c(self.0)
    }

    fn mark_not_resumable(&self, _: Ctx<'_>) -> bool {
        self.0.mark_not_resumable();
        false
    }

    fn is_accepted(&self, from: Source) -> bool {
        from == Source::Cache || !self.0.is_marked()
    }

    fn encode(&self, room: &mut [u8]) -> Option<usize> {
        let der = self.0.read(der::encode).ok()??;
        room.get_mut(..der.len())?.copy_from_slice(&der);
        Some(der.len())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (values, _) = der::decode(bytes).ok()?;
        Session::with_values(values).ok().map(SessionHandle)
    }
}
