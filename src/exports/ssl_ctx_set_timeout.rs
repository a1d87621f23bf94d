//! SSL_CTX_set_timeout(3)

use libc::c_long;

use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::types::{SSL, SSL_CTX};
use crate::interpose::calls;
use crate::standalone::{Connection, Context};
use crate::standing;

/// Sets for how many seconds the sessions that handshakes of `ctx` make are good.
///
/// Returns the previous timeout; 0 for NULL. The first is 7200, for every method.
/// See SSL_CTX_set_timeout(3).
///
/// # Safety
/// `ctx` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_set_timeout(ctx: *mut SSL_CTX, t: c_long) -> c_long {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return unsafe { calls::ctx_set_timeout(real, ctx, t) };
    }
    guard(0, || {
        // SAFETY: the caller's promise.
        unsafe { Context::borrow(ctx) }.map_or(0, |ctx| ctx.set_timeout(t))
    })
}

/// Returns the timeout of `ctx` in seconds; 0 for NULL.
///
/// See SSL_CTX_get_timeout(3).
///
/// # Safety
/// `ctx` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_get_timeout(ctx: *const SSL_CTX) -> c_long {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return unsafe { calls::ctx_get_timeout(real, ctx) };
    }
    guard(0, || {
        // SAFETY: the caller's promise.
        unsafe { Context::borrow(ctx) }.map_or(0, Context::timeout)
    })
}

/// Returns the default timeout of the connection's method in seconds: 7200; 0 for NULL.
///
/// See SSL_get_default_timeout(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_get_default_timeout(s: *const SSL) -> c_long {
    let connection = forward!(s as Connection, SSL_get_default_timeout(s), 0);
    guard(0, || connection.default_timeout())
}
