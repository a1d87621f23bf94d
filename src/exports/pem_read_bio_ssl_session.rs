//! PEM_read_bio_SSL_SESSION(3): a session as PEM

use libc::{c_int, c_long, c_void};

use super::d2i_ssl_session::i2d_SSL_SESSION;
use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::libcrypto::libcrypto;
use crate::ffi::types::{BIO, FILE, SSL_SESSION, pem_password_cb};
use crate::standalone::i2d::decode;
use crate::standalone::pem::LABEL;
use crate::standalone::{Session, der, pem};
use crate::standing;

/// Reads the next session in PEM, "SSL SESSION PARAMETERS", from `bp`; `cb` or `u` give the pass
/// phrase if it is encrypted, as for every PEM function.
///
/// Ownership: as for d2i_SSL_SESSION() with `x`.
/// Returns NULL with an error queued if there is none.
/// Without libcrypto in the process there are no BIOs: NULL.
/// See PEM_read_bio_SSL_SESSION(3).
///
/// # Safety
/// `bp` is NULL or live; `x` is NULL or points to NULL or to a live session; `u` is what `cb`
/// wants.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn PEM_read_bio_SSL_SESSION(
    bp: *mut BIO,
    x: *mut *mut SSL_SESSION,
    cb: pem_password_cb,
    u: *mut c_void,
) -> *mut SSL_SESSION {
    let null = std::ptr::null_mut();
    if bp.is_null() {
        return null;
    }
    // SAFETY: the caller's promise.
    forward!(unsafe { standing::reading(x) }, PEM_read_bio_SSL_SESSION(bp, x, cb, u), null);
    libcrypto().and_then(|crypto| crypto.PEM_ASN1_read_bio).map_or(null, |read| {
        // SAFETY: the caller's promise; libcrypto calls ours with what it read.
        unsafe { read(decode, LABEL.as_ptr(), bp, x, cb, u) }
    })
}

/// The same as PEM_read_bio_SSL_SESSION() from a stream. Without libcrypto in the process an
/// encrypted text is refused.
///
/// See PEM_read_SSL_SESSION(3).
///
/// # Safety
/// `fp` is NULL or an open stream; `x` and `u` as for PEM_read_bio_SSL_SESSION().
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn PEM_read_SSL_SESSION(
    fp: *mut FILE,
    x: *mut *mut SSL_SESSION,
    cb: pem_password_cb,
    u: *mut c_void,
) -> *mut SSL_SESSION {
    let null = std::ptr::null_mut();
    if fp.is_null() {
        return null;
    }
    // SAFETY: the caller's promise.
    forward!(unsafe { standing::reading(x) }, PEM_read_SSL_SESSION(fp, x, cb, u), null);
    match libcrypto().and_then(|crypto| crypto.PEM_ASN1_read) {
        // SAFETY: the caller's promise; libcrypto calls ours with what it read.
        Some(read) => unsafe { read(decode, LABEL.as_ptr(), fp, x, cb, u) },
        // SAFETY: the caller's promise; the bytes are there.
        None => unsafe { pem::read(fp) }
            .map_or(null, |der| unsafe { decode(x, &mut der.as_ptr(), der.len() as c_long) }),
    }
}

/// Writes `x` in PEM, unencrypted, to `bp`.
///
/// Returns 1; 0 if it could not be written, for NULL, and for a session that never had a cipher
/// suite.
/// Without libcrypto in the process there are no BIOs: 0.
/// See PEM_write_bio_SSL_SESSION(3).
///
/// # Safety
/// `bp` and `x` are NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn PEM_write_bio_SSL_SESSION(
    bp: *mut BIO,
    x: *const SSL_SESSION,
) -> c_int {
    if bp.is_null() {
        return 0;
    }
    forward!(standing::of(x), PEM_write_bio_SSL_SESSION(bp, x), 0);
    libcrypto().and_then(|crypto| crypto.PEM_ASN1_write_bio).map_or(0, |write| {
        let (no_cipher, no_key, no_data) =
            (std::ptr::null(), std::ptr::null(), std::ptr::null_mut());
        // SAFETY: the caller's promise; without a cipher there is no pass phrase to ask for.
        unsafe {
            write(i2d_SSL_SESSION, LABEL.as_ptr(), bp, x, no_cipher, no_key, 0, None, no_data)
        }
    })
}

/// Writes `x` in PEM, unencrypted, to `fp`.
///
/// Returns 1; 0 if it could not be written, for NULL, and for a session that never had a cipher
/// suite.
/// See PEM_write_SSL_SESSION(3).
///
/// # Safety
/// `fp` is NULL or an open stream, `x` NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn PEM_write_SSL_SESSION(
    fp: *mut FILE,
    x: *const SSL_SESSION,
) -> c_int {
    if fp.is_null() {
        return 0;
    }
    forward!(standing::of(x), PEM_write_SSL_SESSION(fp, x), 0);
    match libcrypto().and_then(|crypto| crypto.PEM_ASN1_write) {
        Some(write) => {
            let (no_cipher, no_key, no_data) =
                (std::ptr::null(), std::ptr::null(), std::ptr::null_mut());
            // SAFETY: the caller's promise; without a cipher there is no pass phrase to ask for.
            unsafe {
                write(i2d_SSL_SESSION, LABEL.as_ptr(), fp, x, no_cipher, no_key, 0, None, no_data)
            }
        }
        // SAFETY: the caller's promise.
        None => unsafe { Session::borrow(x) }
            .and_then(|session| guard(None, || session.read(der::encode).ok().flatten()))
            // SAFETY: the caller's promise.
            .is_some_and(|der| unsafe { pem::write(fp, &der) })
            .into(),
    }
}
