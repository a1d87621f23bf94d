//! SSL_SESSION_get0_cipher(3)

use libc::c_int;

use crate::ffi::handle::Handle;
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
    if s.is_null() {
        return std::ptr::null();
    }
    export!(s; std::ptr::null(); SSL_SESSION_get0_cipher(s);
        // SAFETY: the caller's promise.
        unsafe { Session::borrow(s) }.map_or(std::ptr::null(), |session| session.read(|v| v.cipher.0)))
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
    if s.is_null() {
        return 0;
    }
    export!(s; 0; SSL_SESSION_set_cipher(s, cipher);
    // SAFETY: the caller's promise.
    unsafe { Session::borrow(s) }.map_or(0, |session| {
        session.write(|v| v.cipher = CipherPtr(cipher));
        1
    }))
}
