//! SSL_CTX_set_ex_data(3): what applications hang on an object by index

use libc::{c_int, c_void};

use crate::ffi::guard::guard;
use crate::ffi::types::{SSL, SSL_CTX, SSL_SESSION};
use crate::standalone::{Connection, Context, Session};

/// Stores `data` under `idx` in `ctx`.
///
/// Indexes come from SSL_CTX_get_ex_new_index(), a macro over libcrypto's
/// CRYPTO_get_ex_new_index(); index 0 is the application's own (SSL_CTX_set_app_data()).
///
/// Ownership: the library never frees `data`; the index's free function may.
/// Returns 1; 0 for NULL, a negative index, or out of memory.
/// See SSL_CTX_set_ex_data(3).
///
/// # Safety
/// `ctx` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_set_ex_data(
    ctx: *mut SSL_CTX,
    idx: c_int,
    data: *mut c_void,
) -> c_int {
    let context = forward!(ctx as Context, SSL_CTX_set_ex_data(ctx, idx, data), 0);
    guard(0, || context.set_ex_data(idx, data).into())
}

/// Returns what was stored under `idx` in `ctx`, or NULL.
///
/// See SSL_CTX_get_ex_data(3).
///
/// # Safety
/// `ctx` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_get_ex_data(
    ctx: *const SSL_CTX,
    idx: c_int,
) -> *mut c_void {
    let null = std::ptr::null_mut();
    let context = forward!(ctx as Context, SSL_CTX_get_ex_data(ctx, idx), null);
    guard(null, || context.ex_data(idx))
}

/// Stores `data` under `idx` in `ssl`.
///
/// Indexes come from SSL_get_ex_new_index(), a macro over libcrypto's CRYPTO_get_ex_new_index();
/// index 0 is the application's own (SSL_set_app_data()).
///
/// Ownership: the library never frees `data`; the index's free function may.
/// Returns 1; 0 for NULL, a negative index, or out of memory.
/// See SSL_set_ex_data(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_set_ex_data(
    ssl: *mut SSL,
    idx: c_int,
    data: *mut c_void,
) -> c_int {
    let connection = forward!(ssl as Connection, SSL_set_ex_data(ssl, idx, data), 0);
    guard(0, || connection.set_ex_data(idx, data).into())
}

/// Returns what was stored under `idx` in `ssl`, or NULL.
///
/// See SSL_get_ex_data(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_get_ex_data(ssl: *const SSL, idx: c_int) -> *mut c_void {
    let null = std::ptr::null_mut();
    let connection = forward!(ssl as Connection, SSL_get_ex_data(ssl, idx), null);
    guard(null, || connection.ex_data(idx))
}

/// Stores `data` under `idx` in `ses`.
///
/// Indexes come from SSL_SESSION_get_ex_new_index(), a macro over libcrypto's
/// CRYPTO_get_ex_new_index(); index 0 is the application's own (SSL_SESSION_set_app_data()).
///
/// Ownership: the library never frees `data`; the index's free function may.
/// Returns 1; 0 for NULL, a negative index, or out of memory.
/// See SSL_SESSION_set_ex_data(3).
///
/// # Safety
/// `ses` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set_ex_data(
    ses: *mut SSL_SESSION,
    idx: c_int,
    data: *mut c_void,
) -> c_int {
    let session = forward!(ses as Session, SSL_SESSION_set_ex_data(ses, idx, data), 0);
    guard(0, || session.set_ex_data(idx, data).into())
}

/// Returns what was stored under `idx` in `ses`, or NULL.
///
/// See SSL_SESSION_get_ex_data(3).
///
/// # Safety
/// `ses` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get_ex_data(
    ses: *const SSL_SESSION,
    idx: c_int,
) -> *mut c_void {
    let null = std::ptr::null_mut();
    let session = forward!(ses as Session, SSL_SESSION_get_ex_data(ses, idx), null);
    guard(null, || session.ex_data(idx))
}
