//! SSL_CTX_sessions(3)

use crate::ffi::types::{LHASH_OF_SSL_SESSION, SSL_CTX};

/// Returns libssl's own table of sessions, which is empty: the sessions are in our cache. NULL without
/// a libssl in the process.
///
/// Use SSL_CTX_sess_number() for how many there are.
/// See SSL_CTX_sessions(3).
///
/// # Safety
/// `ctx` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SSL_CTX_sessions(ctx: *mut SSL_CTX) -> *mut LHASH_OF_SSL_SESSION {
    if ctx.is_null() {
        return std::ptr::null_mut();
    }
    export!(std::ptr::null_mut(); SSL_CTX_sessions(ctx); std::ptr::null_mut())
}
