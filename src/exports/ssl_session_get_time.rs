//! SSL_SESSION_get_time(3): when a session was made, and for how long it is good

use libc::{c_long, time_t};

use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::real::call;
use crate::ffi::types::SSL_SESSION;
use crate::interpose::calls;
use crate::rules::{SessionRef, Standing};
use crate::standalone::{Session, SessionHandle, Standalone, Values};
use crate::standing;

/// Returns when `s` was made, in seconds since the epoch; 0 for NULL.
///
/// See SSL_SESSION_get_time(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get_time(s: *const SSL_SESSION) -> c_long {
    forward!(standing::of(s), SSL_SESSION_get_time(s), 0);
    // SAFETY: the caller's promise.
    guard(0, || unsafe { read(s, |v| v.time) })
}

/// Sets when `s` was made, in seconds since the epoch. A cached session takes its new place in the
/// order at once.
///
/// Returns `tm`; 0 for NULL.
/// See SSL_SESSION_set_time(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set_time(s: *mut SSL_SESSION, tm: c_long) -> c_long {
    if let Some(real) = standing::of(s) {
        // SAFETY: the caller's promise.
        return guard(0, || unsafe { calls::set_time(real, s, tm) });
    }
    // SAFETY: the caller's promise.
    guard(0, || unsafe { change(s, |v| v.time = tm) }.map_or(0, |()| tm))
}

/// The same as SSL_SESSION_get_time() with a `time_t`.
///
/// See SSL_SESSION_get_time_ex(3); since OpenSSL 3.3, and in front of any release.
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get_time_ex(s: *const SSL_SESSION) -> time_t {
    // Not by way of the older function: libssl's own calls this one, perhaps through us.
    if let Some(real) = standing::of(s) {
        // SAFETY: the caller's promise.
        return unsafe {
            call!(real, SSL_SESSION_get_time_ex(s), call!(real, SSL_SESSION_get_time(s), 0))
        };
    }
    // SAFETY: the caller's promise.
    guard(0, || unsafe { read(s, |v| v.time) })
}

/// The same as SSL_SESSION_set_time() with a `time_t`.
///
/// See SSL_SESSION_set_time_ex(3); since OpenSSL 3.3, and in front of any release.
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set_time_ex(s: *mut SSL_SESSION, tm: time_t) -> time_t {
    if let Some(real) = standing::of(s) {
        // SAFETY: the caller's promise.
        return guard(0, || unsafe { calls::set_time_ex(real, s, tm) });
    }
    // SAFETY: the caller's promise.
    guard(0, || unsafe { change(s, |v| v.time = tm) }.map_or(0, |()| tm))
}

/// Returns for how many seconds `s` is good; 0 for NULL.
///
/// See SSL_SESSION_get_timeout(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get_timeout(s: *const SSL_SESSION) -> c_long {
    forward!(standing::of(s), SSL_SESSION_get_timeout(s), 0);
    // SAFETY: the caller's promise.
    guard(0, || unsafe { read(s, |v| v.timeout) })
}

/// Sets for how many seconds `s` is good. A cached session takes its new place in the order at
/// once.
///
/// Returns 1; 0 for NULL or a negative `t`.
/// See SSL_SESSION_set_timeout(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set_timeout(s: *mut SSL_SESSION, t: c_long) -> c_long {
    if let Some(real) = standing::of(s) {
        // SAFETY: the caller's promise.
        return guard(0, || unsafe { calls::set_timeout(real, s, t) });
    }
    if t < 0 {
        return 0;
    }
    // SAFETY: the caller's promise.
    guard(0, || unsafe { change(s, |v| v.timeout = t) }.map_or(0, |()| 1))
}

/// What a session of ours says of its times; 0 for NULL.
///
/// # Safety
/// `s` is NULL or live.
unsafe fn read(s: *const SSL_SESSION, read: impl FnOnce(&Values) -> c_long) -> c_long {
    // SAFETY: the caller's promise.
    unsafe { Session::borrow(s) }.map_or(0, |session| session.read(read))
}

/// Changes the times of a session of ours, and moves it in the caches that hold it; `None` for
/// NULL.
///
/// # Safety
/// `s` is NULL or live.
unsafe fn change(s: *mut SSL_SESSION, change: impl FnOnce(&mut Values)) -> Option<()> {
    // SAFETY: the caller's promise.
    let session = unsafe { SessionHandle::borrow(s) }?;
    session.0.write(change);
    Standalone::registry().reschedule(&session);
    Some(())
}
