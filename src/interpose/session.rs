//! A reference to one of libssl's sessions, as our cache holds it.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::attached::{self, Attached};
use super::quiet::quietly;
use super::real::{Real, call};
use super::shadow;
use crate::cache::{Expiry, Key};
use crate::clock;
use crate::ffi::memory::Counted;
use crate::ffi::types::{SSL_CTX, SSL_SESSION};
use crate::rules::{Lifetime, SessionRef, Source};
use crate::standing;

/// One counted reference to a real `SSL_SESSION`. Equal means the very same object.
#[derive(PartialEq)]
pub struct RealSession(NonNull<SSL_SESSION>);

// SAFETY: libssl counts references atomically; what we read of a session is what libssl itself reads
// from any thread.
unsafe impl Send for RealSession {}
// SAFETY: as above.
unsafe impl Sync for RealSession {}

/// The real library, which is there: or else there were no real session.
fn real() -> &'static Real {
    standing::real().expect("a real session means a real libssl")
}

/// The arithmetic of this libssl's times.
pub fn lifetime(real: &Real) -> Lifetime {
    Lifetime::of_release(call!(real, OpenSSL_version_num() else 0))
}

/// Whether libssl refuses a session from a callback that is marked not resumable. Releases before
/// CVE-2024-2511 resume it, and 1.1.1 marks what it makes of a single-use session.
fn refuses_marked(real: &Real) -> bool {
    match call!(real, OpenSSL_version_num() else 0) {
        version if version < 0x3010_0000 => version >= 0x3000_00e0,
        version if version < 0x3020_0000 => version >= 0x3010_0060,
        version => version >= 0x3020_0020,
    }
}

impl RealSession {
    /// A copy with a reference of its own and a place in no cache.
    pub fn dup(&self) -> Option<Self> {
        let copy = call!(real(), SSL_SESSION_dup(self.as_ptr()) else std::ptr::null_mut());
        NonNull::new(copy).map(RealSession)
    }
}

impl Clone for RealSession {
    fn clone(&self) -> Self {
        call!(real(), SSL_SESSION_up_ref(self.as_ptr()) else 0);
        RealSession(self.0)
    }
}

impl Drop for RealSession {
    fn drop(&mut self) {
        call!(real(), SSL_SESSION_free(self.as_ptr()) else ());
    }
}

impl SessionRef for RealSession {
    type Context = Attached;

    fn key(&self) -> Key {
        let (real, session, mut len) = (real(), self.as_ptr(), 0);
        let version = call!(real, SSL_SESSION_get_protocol_version(session) else 0);
        let id = call!(real, SSL_SESSION_get_id(session, &mut len) else std::ptr::null());
        let id = if id.is_null() {
            &[]
        } else {
            // SAFETY: libssl's own id and its length, at most 32; the session is live.
            unsafe { std::slice::from_raw_parts(id, (len as usize).min(Key::MAX_ID)) }
        };
        Key::new(version, id).expect("cut to the longest id above")
    }

    fn expiry(&self) -> Expiry {
        let (real, session) = (real(), self.as_ptr());
        let time = call!(real, SSL_SESSION_get_time(session) else 0);
        let timeout = call!(real, SSL_SESSION_get_timeout(session) else 0);
        lifetime(real).expiry(time, timeout)
    }

    unsafe fn context(ctx: *mut SSL_CTX) -> Option<Counted<Attached>> {
        attached::of(ctx).map(|attached| {
            // SAFETY: the state of a live context, which holds a reference made by `into_raw`.
            unsafe { Counted::share(attached) }
        })
    }

    fn touch(&self) {
        call!(real(), SSL_SESSION_set_time(self.as_ptr(), clock::now()) else 0);
    }

    fn as_ptr(&self) -> *mut SSL_SESSION {
        self.0.as_ptr()
    }

    unsafe fn from_ptr(session: *mut SSL_SESSION) -> Option<Self> {
        NonNull::new(session).map(RealSession)
    }

    fn into_ptr(self) -> *mut SSL_SESSION {
        ManuallyDrop::new(self).as_ptr()
    }

    fn mark_not_resumable(&self, ctx: *mut SSL_CTX) -> bool {
        // The one public way; the hook this fires is to do nothing. The real cache does not hold the
        // session, but it may hold a shadow with its key.
        let remove = || call!(real(), SSL_CTX_remove_session(ctx, self.as_ptr()) else 0);
        let removed = quietly(ctx.addr(), remove) == 1;
        if removed {
            shadow::lifted(ctx, self);
        }
        removed
    }

    /// To libssl every session of ours comes from a callback.
    fn is_accepted(&self, _: Source) -> bool {
        let (real, session) = (real(), self.as_ptr());
        // Without an id and a ticket it does not tell whether it is marked: libssl knows.
        !refuses_marked(real)
            || call!(real, SSL_SESSION_is_resumable(session) else 0) != 0
            || (self.key().id().is_empty()
                && call!(real, SSL_SESSION_has_ticket(session) else 0) == 0)
    }
}
