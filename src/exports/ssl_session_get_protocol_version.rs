//! SSL_SESSION_get_protocol_version(3)

use libc::c_int;

use crate::ffi::handle::Handle;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;

/// Returns the protocol version of `s`, such as TLS1_3_VERSION; 0 for NULL.
///
/// See SSL_SESSION_get_protocol_version(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get_protocol_version(s: *const SSL_SESSION) -> c_int {
    if s.is_null() {
        return 0;
    }
    export!(s; 0; SSL_SESSION_get_protocol_version(s);
        // SAFETY: the caller's promise.
        unsafe { Session::borrow(s) }.map_or(0, |session| session.read(|v| v.version)))
}

/// Sets the protocol version of `s`; any number is taken. A cached session stays under the version it
/// was added with.
///
/// Returns 1; 0 for NULL.
/// See SSL_SESSION_set_protocol_version(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set_protocol_version(
    s: *mut SSL_SESSION,
    version: c_int,
) -> c_int {
    if s.is_null() {
        return 0;
    }
    export!(s; 0; SSL_SESSION_set_protocol_version(s, version);
    // SAFETY: the caller's promise.
    unsafe { Session::borrow(s) }.map_or(0, |session| {
        session.write(|v| v.version = version);
        1
    }))
}
