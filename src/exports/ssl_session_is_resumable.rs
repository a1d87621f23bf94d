//! SSL_SESSION_is_resumable(3)

use libc::c_int;

use crate::ffi::guard::guard;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;

/// Returns 1 if `s` may be resumed: it has an id or a ticket, and was not marked when it left a
/// cache. Whether it has expired is not looked at. 0 for NULL.
///
/// See SSL_SESSION_is_resumable(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_is_resumable(s: *const SSL_SESSION) -> c_int {
    let session = forward!(s as Session, SSL_SESSION_is_resumable(s), 0);
    guard(0, || session.is_resumable().into())
}
