//! SSL_CTX_set_generate_session_id(3)

use libc::{c_int, c_uchar, c_uint};

use crate::ffi::args::key;
use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::types::{GEN_SESSION_CB, SSL, SSL_CTX};
use crate::interpose::calls;
use crate::standalone::{Connection, Context};
use crate::standing;

/// Sets the function that makes session ids for the connections of `ctx` to come; NULL makes them
/// at random.
///
/// Without a libssl in the process the one place an id is made is SSLCACHE_negotiated().
/// Returns 1; 0 for NULL.
/// See SSL_CTX_set_generate_session_id(3).
///
/// # Safety
/// `ctx` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_set_generate_session_id(
    ctx: *mut SSL_CTX,
    cb: GEN_SESSION_CB,
) -> c_int {
    let context = forward!(ctx as Context, SSL_CTX_set_generate_session_id(ctx, cb), 0);
    guard(0, || {
        context.set_generate_session_id(cb);
        1
    })
}

/// Sets the function that makes session ids for this connection; NULL makes them at random.
///
/// Without a libssl in the process the one place an id is made is SSLCACHE_negotiated().
/// Returns 1; 0 for NULL.
/// See SSL_set_generate_session_id(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_set_generate_session_id(
    ssl: *mut SSL,
    cb: GEN_SESSION_CB,
) -> c_int {
    let connection = forward!(ssl as Connection, SSL_set_generate_session_id(ssl, cb), 0);
    guard(0, || {
        connection.set_generate_session_id(cb);
        1
    })
}

/// Looks in the internal cache of the context `ssl` was made from for a session with this id and
/// the protocol version of `ssl`.
///
/// Returns 1 if there is one, else 0: also for NULL and for an id of more than 32 bytes.
/// Thread safety: any thread, any time.
/// See SSL_has_matching_session_id(3).
///
/// # Safety
/// `ssl` is NULL or live; `id` points to `id_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_has_matching_session_id(
    ssl: *const SSL,
    id: *const c_uchar,
    id_len: c_uint,
) -> c_int {
    if let Some(real) = standing::of(ssl) {
        return guard(0, || {
            // SAFETY: the caller's promise.
            unsafe { calls::has_matching_session_id(real, ssl, id, id_len) }
        });
    }
    guard(0, || {
        // SAFETY: the caller's promise.
        unsafe { Connection::borrow(ssl) }.map_or(0, |connection| {
            // SAFETY: the caller's promise.
            let key = unsafe { key(connection.version(), id, id_len) };
            key.is_some_and(|key| connection.has_matching_session_id(&key)).into()
        })
    })
}
