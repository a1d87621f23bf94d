//! SSL_CTX_set_session_id_context(3)

use libc::{c_int, c_uchar, c_uint};

use super::{bytes, nowhere};
use crate::ffi::constants::{SSL_MAX_SID_CTX_LENGTH, SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG};
use crate::ffi::handle::Handle;
use crate::ffi::libcrypto;
use crate::ffi::types::{SSL, SSL_CTX};
use crate::standalone::{Connection, Context};

/// Sets the session id context of `ctx` to the `sid_ctx_len` bytes at `sid_ctx`, 32 at most: only
/// sessions with the same one are resumed.
///
/// Returns 1; 0 for NULL, and with SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG queued for more than 32 bytes.
/// See SSL_CTX_set_session_id_context(3).
///
/// # Safety
/// `ctx` is NULL or live; `sid_ctx` points to `sid_ctx_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_set_session_id_context(
    ctx: *mut SSL_CTX,
    sid_ctx: *const c_uchar,
    sid_ctx_len: c_uint,
) -> c_int {
    let len = sid_ctx_len as usize;
    if len <= SSL_MAX_SID_CTX_LENGTH && (ctx.is_null() || nowhere(sid_ctx, len)) {
        return 0;
    }
    export!(ctx; 0; SSL_CTX_set_session_id_context(ctx, sid_ctx, sid_ctx_len);
    if sid_ctx_len as usize > SSL_MAX_SID_CTX_LENGTH {
        libcrypto::raise(SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG, c"SSL_CTX_set_session_id_context");
        0
    } else {
        // SAFETY: the caller's promise.
        let sid_ctx = unsafe { bytes(sid_ctx, sid_ctx_len as usize) };
        // SAFETY: the caller's promise.
        unsafe { Context::borrow(ctx) }.map_or(0, |object| object.set_sid_ctx(sid_ctx).into())
    })
}

/// Sets the session id context of `ssl` to the `sid_ctx_len` bytes at `sid_ctx`, 32 at most: only
/// sessions with the same one are resumed.
///
/// Returns 1; 0 for NULL, and with SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG queued for more than 32 bytes.
/// See SSL_set_session_id_context(3).
///
/// # Safety
/// `ssl` is NULL or live; `sid_ctx` points to `sid_ctx_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_set_session_id_context(
    ssl: *mut SSL,
    sid_ctx: *const c_uchar,
    sid_ctx_len: c_uint,
) -> c_int {
    let len = sid_ctx_len as usize;
    if len <= SSL_MAX_SID_CTX_LENGTH && (ssl.is_null() || nowhere(sid_ctx, len)) {
        return 0;
    }
    export!(ssl; 0; SSL_set_session_id_context(ssl, sid_ctx, sid_ctx_len);
    if sid_ctx_len as usize > SSL_MAX_SID_CTX_LENGTH {
        libcrypto::raise(SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG, c"SSL_set_session_id_context");
        0
    } else {
        // SAFETY: the caller's promise.
        let sid_ctx = unsafe { bytes(sid_ctx, sid_ctx_len as usize) };
        // SAFETY: the caller's promise.
        unsafe { Connection::borrow(ssl) }.map_or(0, |object| object.set_sid_ctx(sid_ctx).into())
    })
}
