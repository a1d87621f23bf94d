//! The clock: whole seconds since the epoch, as OpenSSL up to 3.1 counts the life of a session.

use libc::c_long;

/// Now, in seconds.
pub fn now() -> c_long {
    // SAFETY: time() accepts NULL and then only returns the value.
    unsafe { libc::time(std::ptr::null_mut()) }
}
