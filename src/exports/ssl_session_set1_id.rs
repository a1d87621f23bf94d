//! SSL_SESSION_set1_id(3)

use libc::{c_int, c_uchar, c_uint};

use crate::ffi::args::{nothing_to_set, short_bytes};
use crate::ffi::constants::SSL_R_SSL_SESSION_ID_TOO_LONG;
use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;
use crate::standing;

/// Returns the id of `s`, and its length through `len` unless that is NULL.
///
/// Ownership: the bytes are the session's, good as long as it lives and its id is not set again.
/// Returns NULL for NULL, else a pointer, also to an id of length 0.
/// See SSL_SESSION_get_id(3).
///
/// # Safety
/// `s` is NULL or live, `len` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get_id(
    s: *const SSL_SESSION,
    len: *mut c_uint,
) -> *const c_uchar {
    let session = forward!(s as Session, SSL_SESSION_get_id(s, len), std::ptr::null());
    guard(std::ptr::null(), || {
        session.read(|v| {
            if !len.is_null() {
                // SAFETY: the caller's promise; not NULL.
                unsafe { *len = v.id.as_slice().len() as c_uint };
            }
            v.id.as_ptr()
        })
    })
}

/// Sets the id of `s` to the `sid_len` bytes at `sid`, 32 at most. A cached session stays where it
/// is, under the id it was added with.
///
/// Returns 1; 0 for NULL, and with SSL_R_SSL_SESSION_ID_TOO_LONG queued for more than 32 bytes.
/// See SSL_SESSION_set1_id(3).
///
/// # Safety
/// `s` is NULL or live; `sid` points to `sid_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set1_id(
    s: *mut SSL_SESSION,
    sid: *const c_uchar,
    sid_len: c_uint,
) -> c_int {
    if nothing_to_set(s, sid, sid_len) {
        return 0;
    }
    forward!(standing::of(s), SSL_SESSION_set1_id(s, sid, sid_len), 0);
    guard(0, || {
        const TOO_LONG: c_int = SSL_R_SSL_SESSION_ID_TOO_LONG;
        // SAFETY: the caller's promise.
        let id = unsafe { short_bytes(sid, sid_len, TOO_LONG, c"SSL_SESSION_set1_id") };
        // SAFETY: the caller's promise.
        let session = unsafe { Session::borrow(s) };
        session.zip(id).map_or(0, |(session, id)| session.write(|v| v.id.set(id)).into())
    })
}
