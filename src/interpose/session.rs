//! A reference to one of libssl's sessions, as our cache holds it.

use std::ptr::NonNull;

use libc::{c_int, c_long, c_ulong};

use super::borrowed::RealCtx;
use super::served;
use crate::ffi::real::{Real, call};
use crate::ffi::types::SSL_SESSION;
use crate::rules::{Lifetime, SessionRef};

/// One counted reference to a real `SSL_SESSION`. Equal means the very same object.
#[derive(PartialEq)]
pub struct RealSession(pub(super) NonNull<SSL_SESSION>);

// SAFETY: libssl counts references atomically; what we read of a session is what libssl itself
// reads from any thread.
unsafe impl Send for RealSession {}
// SAFETY: as above.
unsafe impl Sync for RealSession {}

/// The real library, which is there: or else there were no real session.
pub fn real() -> &'static Real {
    served::real().expect("a real session means a real libssl")
}

/// The arithmetic of this libssl's times.
pub fn lifetime(real: &Real) -> Lifetime {
    Lifetime::of_release(real.version())
}

/// Releases 3.0.14, 3.1.6 and 3.2.2: since then each series refuses a session from a callback that is
/// marked not resumable (CVE-2024-2511).
const REFUSES_MARKED_SINCE: [c_ulong; 3] = [0x3000_00e0, 0x3010_0060, 0x3020_0020];

/// Whether libssl refuses a session from a callback that is marked not resumable. Earlier releases
/// resume it, and 1.1.1 marks what it makes of a single-use session.
pub fn refuses_marked(real: &Real) -> bool {
    let (version, [.., newest]) = (real.version(), REFUSES_MARKED_SINCE);
    let is_of_series = |since: &c_ulong| *since >> 20 == version >> 20;
    version >= REFUSES_MARKED_SINCE.into_iter().find(is_of_series).unwrap_or(newest)
}

impl RealSession {
    /// `SSL_SESSION_get_protocol_version`
    pub fn protocol_version(&self) -> c_int {
        // SAFETY: a reference of ours keeps the session alive.
        unsafe { call!(real(), SSL_SESSION_get_protocol_version(self.as_c()), 0) }
    }

    /// `SSL_SESSION_get_timeout`
    pub fn timeout(&self) -> c_long {
        // SAFETY: a reference of ours keeps the session alive.
        unsafe { call!(real(), SSL_SESSION_get_timeout(self.as_c()), 0) }
    }

    /// `SSL_SESSION_set_timeout`
    pub fn set_timeout(&self, timeout: c_long) {
        // SAFETY: a reference of ours keeps the session alive.
        unsafe { call!(real(), SSL_SESSION_set_timeout(self.as_c(), timeout), 0) };
    }

    /// `SSL_CTX_add_session`: into the real cache.
    pub fn add_to(&self, RealCtx { real, ctx }: RealCtx) -> bool {
        // SAFETY: a live context of this libssl; a reference of ours keeps the session alive.
        unsafe { call!(real, SSL_CTX_add_session(ctx.as_ptr(), self.as_c()), 0) == 1 }
    }

    /// `SSL_CTX_remove_session`: out of the real cache.
    pub fn remove_from(&self, RealCtx { real, ctx }: RealCtx) -> bool {
        // SAFETY: a live context of this libssl; a reference of ours keeps the session alive.
        unsafe { call!(real, SSL_CTX_remove_session(ctx.as_ptr(), self.as_c()), 0) == 1 }
    }

    /// A copy with a reference of its own and a place in no cache.
    pub fn dup(&self) -> Option<Self> {
        // SAFETY: a reference of ours keeps the session alive.
        let copy = unsafe { call!(real(), SSL_SESSION_dup(self.as_c()), std::ptr::null_mut()) };
        NonNull::new(copy).map(RealSession)
    }
}

impl Clone for RealSession {
    fn clone(&self) -> Self {
        // SAFETY: a reference of ours keeps the session alive.
        unsafe { call!(real(), SSL_SESSION_up_ref(self.as_c()), 0) };
        RealSession(self.0)
    }
}

impl Drop for RealSession {
    fn drop(&mut self) {
        // SAFETY: gives back the reference that this is.
        unsafe { call!(real(), SSL_SESSION_free(self.as_c()), ()) };
    }
}
