//! sslcache(3): the functions of our own

use libc::{c_char, c_int, c_uchar, c_uint, size_t};

use crate::cache::{Key, Statistics};
use crate::ffi::args::{bytes, key};
use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::types::{SSL, SSL_CTX, SSL_SESSION};
use crate::interpose::calls;
use crate::rules::SessionRef;
use crate::standalone::{Connection, Context, SessionHandle};
use crate::standing;

/// Returns the version of this library, such as "0.1.0".
///
/// Ownership: static.
/// Thread safety: any thread, any time.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn SSLCACHE_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Looks up a session in the internal cache of `ctx` by protocol version and id. It may have
/// expired: nothing is checked, and no callback runs.
///
/// Ownership: the caller gets one more reference; SSL_SESSION_free() gives it back.
/// Returns NULL if there is none, for NULL, and for an id of more than 32 bytes.
/// Thread safety: any thread, any time.
///
/// # Safety
/// `ctx` is NULL or live; `id` points to `id_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSLCACHE_get1_session(
    ctx: *mut SSL_CTX,
    version: c_int,
    id: *const c_uchar,
    id_len: c_uint,
) -> *mut SSL_SESSION {
    // SAFETY: the caller's promise.
    let Some(key) = (unsafe { key(version, id, id_len) }) else { return std::ptr::null_mut() };
    if standing::of(ctx).is_some() {
        // SAFETY: the caller's promise.
        return guard(std::ptr::null_mut(), || unsafe { calls::get1_session(ctx, &key) });
    }
    guard(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { Context::borrow(ctx) }
            .and_then(|ctx| ctx.cache().get(&key))
            .map_or(std::ptr::null_mut(), SessionHandle::into_c)
    })
}

/// Does what a server does with the session id of a ClientHello: looks in the internal cache,
/// unless the mode has SSL_SESS_CACHE_NO_INTERNAL_LOOKUP; then asks the get callback; refuses a
/// session of another session id context, and removes one that has expired; counts as OpenSSL does.
/// With `id_len` 0 it counts the handshake alone.
///
/// A session that is accepted becomes the one of `ssl`.
/// Ownership: the caller gets one more reference; SSL_SESSION_free() gives it back.
/// Returns NULL if there is no session to resume, for NULL, and in front of a real libssl, whose
/// handshakes do this themselves.
///
/// # Safety
/// `ssl` is NULL or live; `id` points to `id_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSLCACHE_accept_session(
    ssl: *mut SSL,
    id: *const c_uchar,
    id_len: c_uint,
) -> *mut SSL_SESSION {
    let null = std::ptr::null_mut();
    if id_len as usize > Key::MAX_ID || standing::of(ssl).is_some() {
        return null;
    }
    // SAFETY: the caller's promise.
    let (connection, id) = unsafe { (Connection::borrow(ssl), bytes(id, id_len as usize)) };
    let session = connection.and_then(|connection| connection.accept_session(id));
    session.map_or(null, SessionHandle::into_c)
}

/// Does what the end of a handshake does with its session: it becomes the one of `ssl`; it is
/// stored, unless the mode has SSL_SESS_CACHE_NO_INTERNAL_STORE; it is offered to the new callback;
/// and in every 256th handshake what has expired is flushed. Nothing is stored, offered or flushed
/// unless the mode covers the side of `ssl` (SSL_SESS_CACHE_CLIENT or SSL_SESS_CACHE_SERVER). A
/// server's session without an id gets one, from the generator if one is set.
///
/// Ownership: takes references of its own; the caller keeps its own. Returns 1 if the session was
/// stored or offered; 0 if the mode or the session says no, for NULL, with an error queued if no id
/// could be made, and in front of a real libssl, whose handshakes do this themselves.
///
/// # Safety
/// `ssl` and `session` are NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSLCACHE_negotiated(
    ssl: *mut SSL,
    session: *mut SSL_SESSION,
) -> c_int {
    if standing::of(ssl).is_some() {
        return 0;
    }
    // SAFETY: the caller's promise.
    match unsafe { (Connection::borrow(ssl), SessionHandle::borrow(session)) } {
        (Some(connection), Some(session)) => connection.negotiated(&session).into(),
        _ => 0,
    }
}

/// Writes what happened so far in the internal cache of `ctx` to `out`. `out_size` is
/// sizeof(SSLCACHE_STATS) as the program was compiled with; no more than that is written.
///
/// Returns 1; 0 for NULL, and for a context that was made without this library.
/// Thread safety: any thread, any time.
///
/// # Safety
/// `ctx` is NULL or live; `out` points to `out_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSLCACHE_stats(
    ctx: *mut SSL_CTX,
    out: *mut Statistics,
    out_size: size_t,
) -> c_int {
    let statistics = match standing::of(ctx) {
        // SAFETY: the caller's promise.
        Some(_) => guard(None, || unsafe { calls::statistics(ctx) }),
        None => guard(None, || {
            // SAFETY: the caller's promise.
            unsafe { Context::borrow(ctx) }.map(|ctx| ctx.cache().asked_statistics())
        }),
    };
    let (Some(statistics), false) = (statistics, out.is_null()) else { return 0 };
    let size = out_size.min(size_of::<Statistics>());
    // SAFETY: the caller's promise; `size` is within both.
    unsafe {
        std::ptr::copy_nonoverlapping(
            std::ptr::from_ref(&statistics).cast::<u8>(),
            out.cast::<u8>(),
            size,
        );
    }
    1
}
