//! SSL_SESSION_has_ticket(3)

use libc::{c_int, c_uchar, c_ulong, size_t};

use crate::ffi::handle::Handle;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::{Session, Values};

/// Returns 1 if `s` has a ticket, else 0.
///
/// See SSL_SESSION_has_ticket(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_has_ticket(s: *const SSL_SESSION) -> c_int {
    if s.is_null() {
        return 0;
    }
    export!(s; 0; SSL_SESSION_has_ticket(s);
        // SAFETY: the caller's promise.
        unsafe { Session::borrow(s) }.map_or(0, |session| session.read(Values::has_ticket).into()))
}

/// Returns for how long the server said the ticket of `s` is good, in seconds.
///
/// See SSL_SESSION_get_ticket_lifetime_hint(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get_ticket_lifetime_hint(
    s: *const SSL_SESSION,
) -> c_ulong {
    if s.is_null() {
        return 0;
    }
    export!(s; 0; SSL_SESSION_get_ticket_lifetime_hint(s);
        // SAFETY: the caller's promise.
        unsafe { Session::borrow(s) }.map_or(0, |session| session.read(|v| v.ticket_lifetime_hint)))
}

/// Gives the ticket of `s` through `tick`, unless that is NULL, and its length through `len`.
///
/// Ownership: the bytes are the session's. Without a ticket: NULL and 0.
/// See SSL_SESSION_get0_ticket(3).
///
/// # Safety
/// `s` is NULL or live; `tick` and `len` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get0_ticket(
    s: *const SSL_SESSION,
    tick: *mut *const c_uchar,
    len: *mut size_t,
) {
    if s.is_null() || len.is_null() {
        return;
    }
    export!(s; (); SSL_SESSION_get0_ticket(s, tick, len);
    // SAFETY: the caller's promise.
    if let Some(session) = unsafe { Session::borrow(s) } {
        // SAFETY: the caller's promise.
        session.read(|v| unsafe { super::give(v.ticket.as_deref(), tick, len) })
    })
}
