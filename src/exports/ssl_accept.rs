//! SSL_accept(3), SSL_set_accept_state(3): what makes a connection a server's

use libc::c_int;

use crate::ffi::constants::SSL_R_READ_BIO_NOT_SET;
use crate::ffi::errors;
use crate::ffi::guard::guard;
use crate::ffi::types::SSL;
use crate::interpose::calls;
use crate::standalone::Connection;
use crate::standing;

/// Waits for a client's handshake.
///
/// Without a libssl in the process there are no handshakes, and nothing to read from: it is an error,
/// with SSL_R_READ_BIO_NOT_SET queued.
/// Returns 1 when the handshake is done, 0 or less if it is not; SSL_get_error() says why. -1 for NULL.
/// See SSL_accept(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_accept(ssl: *mut SSL) -> c_int {
    if let Some(real) = standing::of(ssl) {
        // SAFETY: the caller's promise.
        return unsafe { calls::accept(real, ssl) };
    }
    let connection = forward!(ssl as Connection, SSL_accept(ssl), -1);
    guard(-1, || {
        connection.set_server();
        errors::raise(SSL_R_READ_BIO_NOT_SET, c"SSL_accept");
        -1
    })
}

/// Makes `ssl` a server's connection. NULL: nothing happens.
///
/// See SSL_set_accept_state(3).
///
/// # Safety
/// `ssl` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_set_accept_state(ssl: *mut SSL) {
    if let Some(real) = standing::of(ssl) {
        // SAFETY: the caller's promise.
        return unsafe { calls::set_accept_state(real, ssl) };
    }
    let connection = forward!(ssl as Connection, SSL_set_accept_state(ssl));
    guard((), || connection.set_server());
}
