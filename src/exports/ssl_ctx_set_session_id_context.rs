//! SSL_CTX_set_session_id_context(3)

use std::ffi::CStr;

use libc::{c_int, c_uchar, c_uint};

use crate::ffi::args::{nothing_to_set, short_bytes};
use crate::ffi::constants::SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG;
use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::types::{SSL, SSL_CTX};
use crate::interpose::calls;
use crate::standalone::{Connection, Context};
use crate::standing;

const TOO_LONG: c_int = SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG;

/// Sets the session id context of `ctx` to the `sid_ctx_len` bytes at `sid_ctx`, 32 at most: only
/// sessions with the same one are resumed.
///
/// Returns 1; 0 for NULL, and with SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG queued for more than 32
/// bytes. See SSL_CTX_set_session_id_context(3).
///
/// # Safety
/// `ctx` is NULL or live; `sid_ctx` points to `sid_ctx_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_set_session_id_context(
    ctx: *mut SSL_CTX,
    sid_ctx: *const c_uchar,
    sid_ctx_len: c_uint,
) -> c_int {
    if nothing_to_set(ctx, sid_ctx, sid_ctx_len) {
        return 0;
    }
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return unsafe { calls::ctx_set_session_id_context(real, ctx, sid_ctx, sid_ctx_len) };
    }
    guard(0, || {
        const FUNCTION: &CStr = c"SSL_CTX_set_session_id_context";
        // SAFETY: the caller's promise.
        let sid_ctx = unsafe { short_bytes(sid_ctx, sid_ctx_len, TOO_LONG, FUNCTION) };
        // SAFETY: the caller's promise.
        let context = unsafe { Context::borrow(ctx) };
        context.zip(sid_ctx).map_or(0, |(context, id)| context.set_sid_ctx(id).into())
    })
}

/// Sets the session id context of `ssl` to the `sid_ctx_len` bytes at `sid_ctx`, 32 at most: only
/// sessions with the same one are resumed.
///
/// Returns 1; 0 for NULL, and with SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG queued for more than 32
/// bytes. See SSL_set_session_id_context(3).
///
/// # Safety
/// `ssl` is NULL or live; `sid_ctx` points to `sid_ctx_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_set_session_id_context(
    ssl: *mut SSL,
    sid_ctx: *const c_uchar,
    sid_ctx_len: c_uint,
) -> c_int {
    if nothing_to_set(ssl, sid_ctx, sid_ctx_len) {
        return 0;
    }
    forward!(standing::of(ssl), SSL_set_session_id_context(ssl, sid_ctx, sid_ctx_len), 0);
    guard(0, || {
        const FUNCTION: &CStr = c"SSL_set_session_id_context";
        // SAFETY: the caller's promise.
        let sid_ctx = unsafe { short_bytes(sid_ctx, sid_ctx_len, TOO_LONG, FUNCTION) };
        // SAFETY: the caller's promise.
        let connection = unsafe { Connection::borrow(ssl) };
        connection.zip(sid_ctx).map_or(0, |(connection, id)| connection.set_sid_ctx(id).into())
    })
}
