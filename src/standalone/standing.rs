//! The standalone standing, as the rules see it.

use super::context::Context;
use super::session::{Session, SessionHandle};
use crate::cache::{Expiry, Key};
use crate::clock;
use crate::ffi::handle::Handle;
use crate::ffi::live::Ctx;
use crate::ffi::memory::Counted;
use crate::ffi::types::SSL_SESSION;
use crate::rules::{Member, Registry, SessionRef, Source, Standing};

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
}
