//! SSL_read_early_data(3): how much early data a session allows

use libc::c_int;

use crate::ffi::guard::guard;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;

/// Returns how many bytes of early data `s` allows.
///
/// See SSL_SESSION_get_max_early_data(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get_max_early_data(s: *const SSL_SESSION) -> u32 {
    let session = forward!(s as Session, SSL_SESSION_get_max_early_data(s), 0);
    guard(0, || session.read(|v| v.max_early_data))
}

/// Sets how many bytes of early data `s` allows.
///
/// Returns 1; 0 for NULL.
/// See SSL_SESSION_set_max_early_data(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set_max_early_data(
    s: *mut SSL_SESSION,
    max_early_data: u32,
) -> c_int {
    let session = forward!(s as Session, SSL_SESSION_set_max_early_data(s, max_early_data), 0);
    guard(0, || {
        session.write(|v| v.max_early_data = max_early_data);
        1
    })
}
