//! SSL_SESSION_get_protocol_version(3)

use libc::c_int;

use crate::ffi::guard::guard;
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
    let session = forward!(s as Session, SSL_SESSION_get_protocol_version(s), 0);
    guard(0, || session.read(|v| v.version))
}

/// Sets the protocol version of `s`; any number is taken. A cached session stays under the version
/// it was added with.
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
    let session = forward!(s as Session, SSL_SESSION_set_protocol_version(s, version), 0);
    guard(0, || {
        session.write(|v| v.version = version);
        1
    })
}
