//! SSL_new(3): connections, as far as sessions need them

use libc::c_int;
use sslcache_facts::Fact;

use crate::ffi::args::made;
use crate::ffi::constants::SSL_R_NULL_SSL_CTX;
use crate::ffi::errors;
use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::types::{SSL, SSL_CTX};
use crate::interpose::calls;
use crate::seen;
use crate::standalone::{Connection, Context};
use crate::standing;

/// Makes a connection of `ctx`.
///
/// Without a libssl in the process it speaks no protocol: it is what SSLCACHE_accept_session(),
/// SSLCACHE_negotiated() and SSL_has_matching_session_id() work on.
/// Ownership: the caller has the one reference; the connection holds references to `ctx`.
/// Returns NULL on error; for NULL with SSL_R_NULL_SSL_CTX queued.
/// See SSL_new(3).
///
/// # Safety
/// `ctx` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_new(ctx: *mut SSL_CTX) -> *mut SSL {
    seen::note(Fact::Connection);
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return unsafe { calls::new(real, ctx) };
    }
    // SAFETY: the caller's promise.
    match unsafe { Context::borrow(ctx) } {
        Some(ctx) => made(Connection::create(ctx), c"SSL_new"),
        None => {
            errors::raise(SSL_R_NULL_SSL_CTX, c"SSL_new");
            std::ptr::null_mut()
        }
    }
}

/// Takes one more reference to `ssl`.
///
/// Returns 1; 0 for NULL.
/// See SSL_up_ref(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_up_ref(ssl: *mut SSL) -> c_int {
    let connection = forward!(ssl as Connection, SSL_up_ref(ssl), 0);
    guard(0, || {
        connection.up_ref();
        1
    })
}

/// Gives back one reference to `ssl`. NULL: nothing happens.
///
/// See SSL_free(3).
///
/// # Safety
/// `ssl` is NULL or live, and the caller has a reference to give back.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_free(ssl: *mut SSL) {
    if let Some(real) = standing::of(ssl) {
        // SAFETY: the caller's promise.
        return unsafe { calls::free(real, ssl) };
    }
    // SAFETY: the caller's promise.
    unsafe { Connection::free(ssl) }
}

/// Returns the context of `ssl`, or NULL for NULL.
///
/// Ownership: no reference is taken.
/// See SSL_get_SSL_CTX(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_get_SSL_CTX(ssl: *const SSL) -> *mut SSL_CTX {
    let connection = forward!(ssl as Connection, SSL_get_SSL_CTX(ssl), std::ptr::null_mut());
    guard(std::ptr::null_mut(), || connection.ctx())
}

/// Switches `ssl` to another context (server name indication). Its sessions, session callbacks and
/// counters stay those of the context it was made from; a `ctx` of NULL goes back to that one.
///
/// Returns the context it has then, or NULL for NULL.
/// See SSL_set_SSL_CTX(3).
///
/// # Safety
/// `ssl` and `ctx` are NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_set_SSL_CTX(ssl: *mut SSL, ctx: *mut SSL_CTX) -> *mut SSL_CTX {
    if let Some(real) = standing::of(ssl) {
        // SAFETY: the caller's promise.
        return unsafe { calls::set_ssl_ctx(real, ssl, ctx) };
    }
    // SAFETY: the caller's promise.
    unsafe { Connection::borrow(ssl) }.map_or(std::ptr::null_mut(), |connection| {
        // SAFETY: the caller's promise.
        connection.set_ctx(unsafe { Context::borrow(ctx) })
    })
}

/// Returns the protocol version of `ssl`: before a handshake the highest that its method knows; 0
/// for NULL.
///
/// See SSL_version(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_version(ssl: *const SSL) -> c_int {
    let connection = forward!(ssl as Connection, SSL_version(ssl), 0);
    guard(0, || connection.version())
}

/// Returns 1 if `ssl` is a server, else 0. Without a libssl in the process that is every connection
/// but one of a client method.
///
/// See SSL_is_server(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_is_server(ssl: *const SSL) -> c_int {
    let connection = forward!(ssl as Connection, SSL_is_server(ssl), 0);
    guard(0, || connection.is_server().into())
}
