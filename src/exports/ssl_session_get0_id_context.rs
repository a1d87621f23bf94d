//! SSL_SESSION_get0_id_context(3)

use libc::{c_int, c_uchar, c_uint};

use super::{bytes, nowhere};
use crate::ffi::constants::SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG;
use crate::ffi::handle::Handle;
use crate::ffi::libcrypto;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;

/// Returns the session id context of `s`, and its length through `len` unless that is NULL.
///
/// Ownership: the bytes are the session's, good as long as it lives and its context is not set again.
/// Returns NULL for NULL, else a pointer.
/// See SSL_SESSION_get0_id_context(3).
///
/// # Safety
/// `s` is NULL or live, `len` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get0_id_context(
    s: *const SSL_SESSION,
    len: *mut c_uint,
) -> *const c_uchar {
    if s.is_null() {
        return std::ptr::null();
    }
    export!(s; std::ptr::null(); SSL_SESSION_get0_id_context(s, len);
    // SAFETY: the caller's promise.
    unsafe { Session::borrow(s) }.map_or(std::ptr::null(), |session| session.read(|v| {
        if !len.is_null() {
            // SAFETY: the caller's promise; not NULL.
            unsafe { *len = v.sid_ctx.as_slice().len() as c_uint };
        }
        v.sid_ctx.as_ptr()
    })))
}

/// Sets the session id context of `s` to the `sid_ctx_len` bytes at `sid_ctx`, 32 at most.
///
/// Returns 1; 0 for NULL, and with SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG queued for more than 32 bytes.
/// See SSL_SESSION_set1_id_context(3).
///
/// # Safety
/// `s` is NULL or live; `sid_ctx` points to `sid_ctx_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set1_id_context(
    s: *mut SSL_SESSION,
    sid_ctx: *const c_uchar,
    sid_ctx_len: c_uint,
) -> c_int {
    let len = sid_ctx_len as usize;
    if len <= 32 && (s.is_null() || nowhere(sid_ctx, len)) {
        return 0;
    }
    export!(s; 0; SSL_SESSION_set1_id_context(s, sid_ctx, sid_ctx_len);
    if sid_ctx_len as usize > 32 {
        libcrypto::raise(SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG, c"SSL_SESSION_set1_id_context");
        0
    } else {
        // SAFETY: the caller's promise.
        unsafe { Session::borrow(s) }.map_or(0, |session| {
            // SAFETY: the caller's promise.
            session.write(|v| v.sid_ctx.set(unsafe { bytes(sid_ctx, sid_ctx_len as usize) })).into()
        })
    })
}
