//! SSL_read_early_data(3): how much early data a session allows

use libc::c_int;

use crate::ffi::handle::Handle;
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
    if s.is_null() {
        return 0;
    }
    export!(s; 0; SSL_SESSION_get_max_early_data(s);
        // SAFETY: the caller's promise.
        unsafe { Session::borrow(s) }.map_or(0, |session| session.read(|v| v.max_early_data)))
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
    if s.is_null() {
        return 0;
    }
    export!(s; 0; SSL_SESSION_set_max_early_data(s, max_early_data);
    // SAFETY: the caller's promise.
    unsafe { Session::borrow(s) }.map_or(0, |session| {
        session.write(|v| v.max_early_data = max_early_data);
        1
    }))
}
