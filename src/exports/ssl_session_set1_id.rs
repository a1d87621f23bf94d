//! SSL_SESSION_set1_id(3)

use libc::{c_int, c_uchar, c_uint};

use super::{bytes, nowhere};
use crate::ffi::constants::SSL_R_SSL_SESSION_ID_TOO_LONG;
use crate::ffi::handle::Handle;
use crate::ffi::libcrypto;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;

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
    if s.is_null() {
        return std::ptr::null();
    }
    export!(s; std::ptr::null(); SSL_SESSION_get_id(s, len);
    // SAFETY: the caller's promise.
    unsafe { Session::borrow(s) }.map_or(std::ptr::null(), |session| session.read(|v| {
        if !len.is_null() {
            // SAFETY: the caller's promise; not NULL.
            unsafe { *len = v.id.as_slice().len() as c_uint };
        }
        v.id.as_ptr()
    })))
}

/// Sets the id of `s` to the `sid_len` bytes at `sid`, 32 at most. A cached session stays where it is,
/// under the id it was added with.
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
    let len = sid_len as usize;
    if len <= 32 && (s.is_null() || nowhere(sid, len)) {
        return 0;
    }
    export!(s; 0; SSL_SESSION_set1_id(s, sid, sid_len);
    if sid_len as usize > 32 {
        libcrypto::raise(SSL_R_SSL_SESSION_ID_TOO_LONG, c"SSL_SESSION_set1_id");
        0
    } else {
        // SAFETY: the caller's promise.
        unsafe { Session::borrow(s) }.map_or(0, |session| {
            // SAFETY: the caller's promise.
            session.write(|v| v.id.set(unsafe { bytes(sid, sid_len as usize) })).into()
        })
    })
}
