//! SSL_CTX_sessions(3)

use crate::ffi::handle::Handle;
use crate::ffi::types::{LHASH_OF_SSL_SESSION, SSL_CTX};
use crate::interpose::calls;
use crate::rules::Member;
use crate::standalone::Context;

/// Returns a hash table of libcrypto (for OPENSSL_LH_doall() and its like) that shows the sessions in
/// the internal cache of `ctx`, as they are now.
///
/// It is a picture: good to look at until the cache changes, brought up to date by the next call, and
/// changing it changes nothing else. SSL_CTX_sess_number() is the cheap way to count.
///
/// Ownership: the table is the context's; no references are taken.
/// Returns NULL for NULL, and without libcrypto in the process.
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
    export_both!(null;
        |real| calls::sessions(real, ctx);
        // SAFETY: the caller's promise.
        unsafe { Context::borrow(ctx) }.and_then(|ctx| ctx.cache().table()).unwrap_or(null))
}
