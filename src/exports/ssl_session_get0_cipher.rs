//! SSL_SESSION_get0_cipher(3)

use libc::c_int;

use crate::ffi::guard::guard;
use crate::ffi::types::{SSL_CIPHER, SSL_SESSION};
use crate::standalone::{CipherPtr, Session};

/// Returns the cipher suite of `s`, or NULL if it has none or its number is not known.
///
/// Ownership: static, never freed.
///
/// See SSL_SESSION_get0_cipher(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get0_cipher(
    s: *const SSL_SESSION,
) -> *const SSL_CIPHER {
    let session = forward!(s as Session, SSL_SESSION_get0_cipher(s), std::ptr::null());
    guard(std::ptr::null(), || session.read(|v| v.cipher.0))
}

/// Sets the cipher suite of `s`; NULL is taken.
///
/// Returns 1; 0 for NULL.
/// See SSL_SESSION_set_cipher(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set_cipher(
    s: *mut SSL_SESSION,
    cipher: *const SSL_CIPHER,
) -> c_int {
    let session = forward!(s as Session, SSL_SESSION_set_cipher(s, cipher), 0);
    guard(0, || {
        session.write(|v| v.cipher = CipherPtr(cipher));
        1
    })
}
