//! SSL_get_session(3), SSL_set_session(3), SSL_session_reused(3)

use libc::c_int;

use crate::ffi::handle::Handle;
use crate::ffi::types::{SSL, SSL_SESSION};
use crate::rules::SessionRef;
use crate::standalone::{Connection, Session, SessionHandle};

/// Returns the session of `ssl`, or NULL.
///
/// Ownership: no reference is taken.
/// See SSL_get_session(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_get_session(ssl: *const SSL) -> *mut SSL_SESSION {
    if ssl.is_null() {
        return std::ptr::null_mut();
    }
    export!(ssl; std::ptr::null_mut(); SSL_get_session(ssl);
    // SAFETY: the caller's promise.
    unsafe { Connection::borrow(ssl) }.map_or(std::ptr::null_mut(), Connection::session_ptr))
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
    if ssl.is_null() {
        return std::ptr::null_mut();
    }
    export!(ssl; std::ptr::null_mut(); SSL_get1_session(ssl);
    // SAFETY: the caller's promise.
    unsafe { Connection::borrow(ssl) }.map_or(std::ptr::null_mut(), |connection| {
        connection.session().map_or(std::ptr::null_mut(), SessionHandle::into_ptr)
    }))
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
    if to.is_null() {
        return 0;
    }
    export_calling_back!(to; 0; SSL_set_session(to, session);
    // SAFETY: the caller's promise.
    unsafe { Connection::borrow(to) }.map_or(0, |connection| {
        // SAFETY: the caller's promise.
        connection.set_session(unsafe { Session::share(session) }.map(SessionHandle));
        1
    }))
}

/// Returns 1 if the session of `ssl` was resumed, else 0.
///
/// See SSL_session_reused(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_session_reused(ssl: *const SSL) -> c_int {
    if ssl.is_null() {
        return 0;
    }
    export!(ssl; 0; SSL_session_reused(ssl);
        // SAFETY: the caller's promise.
        unsafe { Connection::borrow(ssl) }.map_or(0, |connection| connection.reused().into()))
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
    export_calling_back!(to; 0; SSL_copy_session_id(to, from);
    // SAFETY: the caller's promise.
    match unsafe { (Connection::borrow(to), Connection::borrow(from)) } {
        (Some(to), Some(from)) => {
            to.copy_session_id(from);
            1
        }
        _ => 0,
    })
}
