//! SSL_get_session(3), SSL_set_session(3), SSL_session_reused(3)

use libc::c_int;

use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::types::{SSL, SSL_SESSION};
use crate::rules::SessionRef;
use crate::standalone::{Connection, Session, SessionHandle};
use crate::standing;

/// Returns the session of `ssl`, or NULL.
///
/// Ownership: no reference is taken.
/// See SSL_get_session(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_get_session(ssl: *const SSL) -> *mut SSL_SESSION {
    let connection = forward!(ssl as Connection, SSL_get_session(ssl), std::ptr::null_mut());
    guard(std::ptr::null_mut(), || connection.session_ptr())
}

/// Returns the session of `ssl`, or NULL.
///
/// Ownership: the caller gets one more reference.
/// See SSL_get1_session(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_get1_session(ssl: *mut SSL) -> *mut SSL_SESSION {
    let connection = forward!(ssl as Connection, SSL_get1_session(ssl), std::ptr::null_mut());
    guard(std::ptr::null_mut(), || {
        connection.session().map_or(std::ptr::null_mut(), SessionHandle::into_c)
    })
}

/// Makes `session` the one of `to`; NULL takes the present one away.
///
/// Ownership: one more reference to `session` is taken, the one to the present session given back.
/// Returns 1; 0 for a NULL connection.
/// See SSL_set_session(3).
///
/// # Safety
/// `to` and `session` are NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_set_session(to: *mut SSL, session: *mut SSL_SESSION) -> c_int {
    let connection = forward!(to as Connection, SSL_set_session(to, session), 0);
    // SAFETY: the caller's promise.
    connection.set_session(unsafe { Session::share(session) }.map(SessionHandle));
    1
}

/// Returns 1 if the session of `ssl` was resumed, else 0.
///
/// See SSL_session_reused(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_session_reused(ssl: *const SSL) -> c_int {
    let connection = forward!(ssl as Connection, SSL_session_reused(ssl), 0);
    guard(0, || connection.reused().into())
}

/// Gives `to` the session and the session id context of `from`.
///
/// Returns 1; 0 for NULL.
/// See SSL_copy_session_id(3).
///
/// # Safety
/// `to` and `from` are NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_copy_session_id(to: *mut SSL, from: *const SSL) -> c_int {
    if to.is_null() || from.is_null() {
        return 0;
    }
    forward!(standing::of(to), SSL_copy_session_id(to, from), 0);
    // SAFETY: the caller's promise.
    match unsafe { (Connection::borrow(to), Connection::borrow(from)) } {
        (Some(to), Some(from)) => {
            to.copy_session_id(from);
            1
        }
        _ => 0,
    }
}
