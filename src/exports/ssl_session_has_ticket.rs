//! SSL_SESSION_has_ticket(3)

use libc::{c_int, c_uchar, c_ulong, size_t};

use crate::ffi::args::write_out;
use crate::ffi::guard::guard;
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
    let session = forward!(s as Session, SSL_SESSION_has_ticket(s), 0);
    guard(0, || session.read(Values::has_ticket).into())
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
    let session = forward!(s as Session, SSL_SESSION_get_ticket_lifetime_hint(s), 0);
    guard(0, || session.read(|v| v.ticket_lifetime_hint))
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
    if len.is_null() {
        return;
    }
    let session = forward!(s as Session, SSL_SESSION_get0_ticket(s, tick, len));
    guard((), || {
        // SAFETY: the caller's promise.
        session.read(|v| unsafe { write_out(v.ticket.as_deref(), tick, len) })
    })
}
