//! SSL_CTX_sessions(3)

use crate::ffi::handle::Handle;
use crate::ffi::lhash::lhash_functions;
use crate::ffi::libcrypto::libcrypto;
use crate::ffi::types::{LHASH_OF_SSL_SESSION, SSL_CTX};
use crate::interpose::calls;
use crate::standalone::Context;
use crate::standing;

/// Returns a hash table of libcrypto (for OPENSSL_LH_doall() and its like) that shows the sessions
/// in the internal cache of `ctx`.
///
/// It follows the cache: a session that is added appears in it, one that leaves is taken out. Each
/// call returns the same table. Changing it changes nothing else. SSL_CTX_sess_number() is the
/// cheap way to count: from the first call on, every change of the cache is one of the table too.
///
/// Ownership: the table is the context's, and ends with it; no references are taken.
/// Returns NULL for NULL, and without libcrypto in the process.
/// Thread safety: any number of threads may walk the table while none changes the cache.
/// See SSL_CTX_sessions(3).
///
/// # Safety
/// `ctx` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CTX_sessions(ctx: *mut SSL_CTX) -> *mut LHASH_OF_SSL_SESSION {
    let null = std::ptr::null_mut();
    if ctx.is_null() {
        return null;
    }
    if let Some(real) = standing::of(ctx) {
        // SAFETY: the caller's promise.
        return unsafe { calls::sessions(real, ctx) };
    }
    // SAFETY: the caller's promise.
    unsafe { Context::borrow(ctx) }
        .zip(lhash_functions!(libcrypto()?))
        .and_then(|(ctx, functions)| ctx.cache().table(functions))
        .unwrap_or(null)
}
