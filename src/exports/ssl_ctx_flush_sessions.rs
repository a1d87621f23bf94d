//! SSL_CTX_flush_sessions(3)

use libc::{c_long, time_t};

use crate::ffi::handle::Handle;
use crate::ffi::types::SSL_CTX;
use crate::interpose::calls;
use crate::standalone::Context;
use crate::standing;

/// Removes the sessions that have expired by `tm` from the internal cache of `ctx`; all of them if
/// `tm` is 0.
///
/// The one that expires first goes first. Each is marked not resumable, the remove callback runs,
/// with no lock held, and the cache's reference is dropped.
///
/// `tm`: seconds since the epoch. A session that expires in second `tm` stays.
/// Thread safety: any thread, any time; look-ups and adds of other threads go on meanwhile.
/// See SSL_CTX_flush_sessions(3).
///
/// # Safety
/// `ctx` is NULL (nothing happens) or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_flush_sessions(ctx: *mut SSL_CTX, tm: c_long) {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return unsafe { calls::flush_sessions(real, ctx, tm) };
    }
    // SAFETY: the caller's promise.
    if let Some(ctx) = unsafe { Context::borrow(ctx) } {
        ctx.flush(tm);
    }
}

/// The same as SSL_CTX_flush_sessions() with a `time_t`.
///
/// See SSL_CTX_flush_sessions_ex(3); since OpenSSL 3.4, and in front of any release.
///
/// # Safety
/// `ctx` is NULL (nothing happens) or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_flush_sessions_ex(ctx: *mut SSL_CTX, tm: time_t) {
    // SAFETY: the caller's promise.
    unsafe { SSL_CTX_flush_sessions(ctx, tm) }
}
