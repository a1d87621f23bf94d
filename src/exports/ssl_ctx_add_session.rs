//! SSL_CTX_add_session(3)

use libc::c_int;

use crate::ffi::handle::Handle;
use crate::ffi::types::{SSL_CTX, SSL_SESSION};
use crate::interpose::calls;
use crate::rules::SessionRef;
use crate::standalone::{Context, SessionHandle};
use crate::standing;

/// Adds `c` to the internal cache of `ctx`.
///
/// Another session with the same id and protocol version is removed from the cache without a
/// callback and its reference dropped. If the cache is full, the sessions that expire first leave:
/// they are marked not resumable, and the remove callback runs for each, with no lock held. Neither
/// the cache mode, nor the session's timeout, nor its id is checked.
///
/// Ownership: takes one more reference to `c`; the caller keeps its own.
/// Returns 1 if added; 0 if this very object was already there, or on error, or for NULL.
/// Thread safety: any thread, any time.
/// See SSL_CTX_add_session(3).
///
/// # Safety
/// `ctx` and `c` are NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_add_session(
    ctx: *mut SSL_CTX,
    c: *mut SSL_SESSION,
) -> c_int {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return unsafe { calls::add_session(real, ctx, c) };
    }
    // SAFETY: the caller's promise.
    match unsafe { (Context::borrow(ctx), SessionHandle::borrow(c)) } {
        (Some(ctx), Some(session)) => ctx.add(&session).into(),
        _ => 0,
    }
}

/// Removes the session with `c`'s id and protocol version from the internal cache of `ctx`.
///
/// `c` is marked not resumable, and the remove callback runs with `c`, with no lock held, whether
/// or not the cache held such a session. A session without an id is left alone altogether.
///
/// Ownership: drops the cache's reference to what it held; the caller keeps its own to `c`.
/// Returns 1 if the cache held such a session (which may be another object than `c`), else 0.
/// Thread safety: any thread, any time.
/// See SSL_CTX_remove_session(3).
///
/// # Safety
/// `ctx` and `c` are NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_remove_session(
    ctx: *mut SSL_CTX,
    c: *mut SSL_SESSION,
) -> c_int {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return unsafe { calls::remove_session(real, ctx, c) };
    }
    // SAFETY: the caller's promise.
    match unsafe { (Context::borrow(ctx), SessionHandle::borrow(c)) } {
        (Some(ctx), Some(session)) => ctx.remove(&session).into(),
        _ => 0,
    }
}
