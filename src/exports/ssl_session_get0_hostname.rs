//! SSL_SESSION_get0_hostname(3): the server name and the ALPN protocol

use std::ffi::CStr;

use libc::{c_char, c_int, c_uchar, size_t};

use crate::ffi::args::{copied_bytes, write_out};
use crate::ffi::guard::guard;
use crate::ffi::memory::OwnedCStr;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;

/// Returns the server name of `s`, or NULL.
///
/// Ownership: the string is the session's, good until it is set again.
///
/// See SSL_SESSION_get0_hostname(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get0_hostname(s: *const SSL_SESSION) -> *const c_char {
    let session = forward!(s as Session, SSL_SESSION_get0_hostname(s), std::ptr::null());
    guard(std::ptr::null(), || {
        session.read(|v| v.hostname.as_ref().map_or(std::ptr::null(), |name| name.as_ptr()))
    })
}

/// Sets the server name of `s` to a copy of `hostname`; NULL clears it.
///
/// Returns 1; 0 for a NULL session.
/// See SSL_SESSION_set1_hostname(3).
///
/// # Safety
/// `s` is NULL or live; `hostname` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set1_hostname(
    s: *mut SSL_SESSION,
    hostname: *const c_char,
) -> c_int {
    let session = forward!(s as Session, SSL_SESSION_set1_hostname(s, hostname), 0);
    guard(0, || {
        // SAFETY: the caller's promise; not NULL.
        let name = (!hostname.is_null()).then(|| unsafe { CStr::from_ptr(hostname) });
        // Without memory for the new name OpenSSL clears it, and queues no error.
        let name = name.map(OwnedCStr::copied).transpose();
        let done = name.is_ok();
        session.write(|v| v.hostname = name.unwrap_or(None));
        done.into()
    })
}

/// Gives the protocol that ALPN chose through `alpn` and its length through `len`.
///
/// Ownership: the bytes are the session's, good until they are set again. Without one: NULL and 0.
/// See SSL_SESSION_get0_alpn_selected(3).
///
/// # Safety
/// `s` is NULL or live; `alpn` and `len` are NULL (nothing happens) or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get0_alpn_selected(
    s: *const SSL_SESSION,
    alpn: *mut *const c_uchar,
    len: *mut size_t,
) {
    if alpn.is_null() || len.is_null() {
        return;
    }
    let session = forward!(s as Session, SSL_SESSION_get0_alpn_selected(s, alpn, len));
    guard((), || {
        // SAFETY: the caller's promise.
        session.read(|v| unsafe { write_out(v.alpn.as_ref(), alpn, len) })
    })
}

/// Sets the protocol that ALPN chose to a copy of the `len` bytes at `alpn`; NULL or 0 clears it.
///
/// Returns 1; 0 for NULL.
/// See SSL_SESSION_set1_alpn_selected(3).
///
/// # Safety
/// the session is NULL or live; `alpn` points to `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set1_alpn_selected(
    s: *mut SSL_SESSION,
    alpn: *const c_uchar,
    len: size_t,
) -> c_int {
    let session = forward!(s as Session, SSL_SESSION_set1_alpn_selected(s, alpn, len), 0);
    guard(0, || {
        // SAFETY: the caller's promise.
        let value = unsafe { copied_bytes(alpn, len) };
        let done = value.is_ok();
        session.write(|v| v.alpn = value.unwrap_or(None));
        done.into()
    })
}
