//! SSL_CTX_sess_set_get_cb(3)

use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::types::{GetSessionCb, NewSessionCb, RemoveSessionCb, SSL_CTX};
use crate::interpose::calls;
use crate::standalone::Context;
use crate::standing;

/// Sets the function called for each new session that a handshake makes. 1 means that the
/// application keeps the reference it is given, 0 that it does not. What the internal cache holds
/// does not depend on it.
///
/// NULL removes the callback. Thread safety: set it before handshakes begin, as with OpenSSL.
/// See SSL_CTX_sess_set_new_cb(3).
///
/// # Safety
/// `ctx` is NULL (nothing happens) or live; the function is good for as long as it is set.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_sess_set_new_cb(ctx: *mut SSL_CTX, cb: NewSessionCb) {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return guard((), || unsafe { calls::set_new_cb(real, ctx, cb) });
    }
    guard((), || {
        // SAFETY: the caller's promise.
        if let Some(ctx) = unsafe { Context::borrow(ctx) } {
            ctx.cache().callbacks.set_new_cb(cb);
        }
    })
}

/// Returns the function set by SSL_CTX_sess_set_new_cb(), or NULL.
///
/// See SSL_CTX_sess_get_new_cb(3).
///
/// # Safety
/// `ctx` is NULL (which has none) or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_sess_get_new_cb(ctx: *mut SSL_CTX) -> NewSessionCb {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return guard(None, || unsafe { calls::new_cb(real, ctx) });
    }
    guard(None, || {
        // SAFETY: the caller's promise.
        unsafe { Context::borrow(ctx) }.and_then(|ctx| ctx.cache().callbacks.new_cb())
    })
}

/// Sets the function called for each session that is removed from the internal cache, or that
/// SSL_CTX_remove_session() was asked to remove. No lock is held: it may use the cache as it likes.
///
/// NULL removes the callback. Thread safety: set it before handshakes begin, as with OpenSSL.
/// See SSL_CTX_sess_set_remove_cb(3).
///
/// # Safety
/// `ctx` is NULL (nothing happens) or live; the function is good for as long as it is set.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_sess_set_remove_cb(ctx: *mut SSL_CTX, cb: RemoveSessionCb) {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return guard((), || unsafe { calls::set_remove_cb(real, ctx, cb) });
    }
    guard((), || {
        // SAFETY: the caller's promise.
        if let Some(ctx) = unsafe { Context::borrow(ctx) } {
            ctx.cache().callbacks.set_remove_cb(cb);
        }
    })
}

/// Returns the function set by SSL_CTX_sess_set_remove_cb(), or NULL.
///
/// See SSL_CTX_sess_get_remove_cb(3).
///
/// # Safety
/// `ctx` is NULL (which has none) or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_sess_get_remove_cb(ctx: *mut SSL_CTX) -> RemoveSessionCb {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return guard(None, || unsafe { calls::remove_cb(real, ctx) });
    }
    guard(None, || {
        // SAFETY: the caller's promise.
        unsafe { Context::borrow(ctx) }.and_then(|ctx| ctx.cache().callbacks.remove_cb())
    })
}

/// Sets the function called for a session id that the internal cache does not hold, or is not asked
/// for. It returns a session or NULL; with `*copy` set to 0 its reference goes to the library, else
/// the library takes one of its own.
///
/// NULL removes the callback. Thread safety: set it before handshakes begin, as with OpenSSL.
/// See SSL_CTX_sess_set_get_cb(3).
///
/// # Safety
/// `ctx` is NULL (nothing happens) or live; the function is good for as long as it is set.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_sess_set_get_cb(ctx: *mut SSL_CTX, cb: GetSessionCb) {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return guard((), || unsafe { calls::set_get_cb(real, ctx, cb) });
    }
    guard((), || {
        // SAFETY: the caller's promise.
        if let Some(ctx) = unsafe { Context::borrow(ctx) } {
            ctx.cache().callbacks.set_get_cb(cb);
        }
    })
}

/// Returns the function set by SSL_CTX_sess_set_get_cb(), or NULL.
///
/// See SSL_CTX_sess_get_get_cb(3).
///
/// # Safety
/// `ctx` is NULL (which has none) or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_sess_get_get_cb(ctx: *mut SSL_CTX) -> GetSessionCb {
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return guard(None, || unsafe { calls::get_cb(real, ctx) });
    }
    guard(None, || {
        // SAFETY: the caller's promise.
        unsafe { Context::borrow(ctx) }.and_then(|ctx| ctx.cache().callbacks.get_cb())
    })
}
