//! SSL_SESSION_free(3): sessions and their references

use libc::c_int;

use crate::ffi::args::made;
use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;
use crate::standing;

/// Makes a session: made now, good for 304 seconds, without an id, so not resumable yet.
///
/// Ownership: the caller has the one reference; SSL_SESSION_free() gives it back.
/// Returns NULL when out of memory.
/// See SSL_SESSION_new(3).
/// Thread safety: any thread, any time.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn SSL_SESSION_new() -> *mut SSL_SESSION {
    forward!(standing::making(), SSL_SESSION_new(), std::ptr::null_mut());
    made(Session::new().map(Session::into_c), c"SSL_SESSION_new")
}

/// Makes a copy of `src`: every value, the mark not resumable too, and the ex_data through its dup
/// functions. The copy is in no cache.
///
/// Ownership: the caller has the one reference of the copy.
/// Returns NULL for NULL or on error.
/// See SSL_SESSION_dup(3).
///
/// # Safety
/// `src` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_dup(src: *const SSL_SESSION) -> *mut SSL_SESSION {
    let null = std::ptr::null_mut();
    let session = forward!(src as Session, SSL_SESSION_dup(src), null);
    made(session.dup().map(Session::into_c), c"SSL_SESSION_dup")
}

/// Takes one more reference to `ses`.
///
/// Returns 1; 0 for NULL.
/// See SSL_SESSION_up_ref(3).
///
/// # Safety
/// `ses` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_up_ref(ses: *mut SSL_SESSION) -> c_int {
    if ses.is_null() {
        return 0;
    }
    forward!(standing::of(ses), SSL_SESSION_up_ref(ses), 0);
    guard(0, || {
        // SAFETY: the caller's promise.
        unsafe { Session::share(ses) }.map_or(0, |session| {
            Session::into_c(session);
            1
        })
    })
}

/// Gives back one reference to `session`. With the last one its ex_data free functions run, and its
/// secrets are wiped.
///
/// NULL: nothing happens.
/// See SSL_SESSION_free(3).
///
/// # Safety
/// `session` is NULL or live, and the caller has a reference to give back.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_free(session: *mut SSL_SESSION) {
    forward!(standing::of(session), SSL_SESSION_free(session));
    // SAFETY: the caller's promise.
    drop(unsafe { Session::from_c(session) })
}
