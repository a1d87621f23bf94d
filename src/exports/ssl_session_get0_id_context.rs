//! SSL_SESSION_get0_id_context(3)

use std::ffi::CStr;

use libc::{c_int, c_uchar, c_uint};

use crate::ffi::args::{nothing_to_set, short_bytes};
use crate::ffi::constants::SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG;
use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;
use crate::standing;

/// Returns the session id context of `s`, and its length through `len` unless that is NULL.
///
/// Ownership: the bytes are the session's, good as long as it lives and its context is not set
/// again. Returns NULL for NULL, else a pointer. See SSL_SESSION_get0_id_context(3).
///
/// # Safety
/// `s` is NULL or live, `len` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get0_id_context(
    s: *const SSL_SESSION,
    len: *mut c_uint,
) -> *const c_uchar {
    let session = forward!(s as Session, SSL_SESSION_get0_id_context(s, len), std::ptr::null());
    guard(std::ptr::null(), || {
        session.read(|v| {
            if !len.is_null() {
                // SAFETY: the caller's promise; not NULL.
                unsafe { *len = v.sid_ctx.as_slice().len() as c_uint };
            }
            v.sid_ctx.as_ptr()
        })
    })
}

/// Sets the session id context of `s` to the `sid_ctx_len` bytes at `sid_ctx`, 32 at most.
///
/// Returns 1; 0 for NULL, and with SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG queued for more than 32
/// bytes. See SSL_SESSION_set1_id_context(3).
///
/// # Safety
/// `s` is NULL or live; `sid_ctx` points to `sid_ctx_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set1_id_context(
    s: *mut SSL_SESSION,
    sid_ctx: *const c_uchar,
    sid_ctx_len: c_uint,
) -> c_int {
    if nothing_to_set(s, sid_ctx, sid_ctx_len) {
        return 0;
    }
    forward!(standing::of(s), SSL_SESSION_set1_id_context(s, sid_ctx, sid_ctx_len), 0);
    guard(0, || {
        const TOO_LONG: c_int = SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG;
        const FUNCTION: &CStr = c"SSL_SESSION_set1_id_context";
        // SAFETY: the caller's promise.
        let sid_ctx = unsafe { short_bytes(sid_ctx, sid_ctx_len, TOO_LONG, FUNCTION) };
        // SAFETY: the caller's promise.
        let session = unsafe { Session::borrow(s) };
        session.zip(sid_ctx).map_or(0, |(session, id)| session.write(|v| v.sid_ctx.set(id)).into())
    })
}
