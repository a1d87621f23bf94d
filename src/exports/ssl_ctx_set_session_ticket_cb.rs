//! SSL_CTX_set_session_ticket_cb(3): what an application puts into its tickets

use libc::{c_int, c_uchar, c_void, size_t};

use crate::ffi::args::{copied_bytes, write_out};
use crate::ffi::guard::guard;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;

/// Sets what goes into the tickets of `ss` to a copy of the `len` bytes at `data`; NULL or 0 clears
/// it.
///
/// Returns 1; 0 for NULL.
/// See SSL_SESSION_set1_ticket_appdata(3).
///
/// # Safety
/// the session is NULL or live; `data` points to `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set1_ticket_appdata(
    ss: *mut SSL_SESSION,
    data: *const c_void,
    len: size_t,
) -> c_int {
    let session = forward!(ss as Session, SSL_SESSION_set1_ticket_appdata(ss, data, len), 0);
    guard(0, || {
        // SAFETY: the caller's promise.
        let value = unsafe { copied_bytes(data.cast(), len) };
        let done = value.is_ok();
        session.write(|v| v.ticket_appdata = value.unwrap_or(None).map(Into::into));
        done.into()
    })
}

/// Gives what was set by SSL_SESSION_set1_ticket_appdata() through `data` and its length through
/// `len`.
///
/// Ownership: the bytes are the session's, good until they are set again. Without any: NULL and 0.
/// Returns 1; 0 for NULL.
/// See SSL_SESSION_get0_ticket_appdata(3).
///
/// # Safety
/// `ss` is NULL or live; `data` and `len` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get0_ticket_appdata(
    ss: *mut SSL_SESSION,
    data: *mut *mut c_void,
    len: *mut size_t,
) -> c_int {
    if data.is_null() || len.is_null() {
        return 0;
    }
    let session = forward!(ss as Session, SSL_SESSION_get0_ticket_appdata(ss, data, len), 0);
    guard(0, || {
        let data = data.cast::<*const c_uchar>();
        // SAFETY: the caller's promise.
        session.read(|v| unsafe { write_out(v.ticket_appdata.as_deref(), data, len) });
        1
    })
}
