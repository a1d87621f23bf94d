//! d2i_SSL_SESSION(3): a session as DER

use libc::{c_char, c_int, c_long, c_uchar};

use crate::ffi::guard::guard;
use crate::ffi::real::call;
use crate::ffi::types::{OSSL_LIB_CTX, SSL_SESSION};
use crate::standalone::i2d;
use crate::standing;

/// Reads a session from the DER at `*pp`, of which there are `length` bytes at most.
///
/// Ownership: with `a` or `*a` NULL the session is new, the caller has its one reference, and it is
/// stored in `*a` too unless `a` is NULL. Else the session at `*a` takes the values that are read,
/// keeps its references and ex_data, and is returned. A cached session stays where it is, under the
/// id it was added with. Returns NULL with an error queued (without one for an unknown cipher
/// suite, or an id or key that is too long); nothing has changed then. On success `*pp` moves
/// behind the session.
///
/// Without a libssl in the process only DER is read, no other form of BER; libcrypto checks the
/// peer's certificate, if it is there. See d2i_SSL_SESSION(3).
///
/// # Safety
/// `a` is NULL or points to NULL or to a live session; `pp` is NULL or points to NULL or to
/// `length` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn d2i_SSL_SESSION(
    a: *mut *mut SSL_SESSION,
    pp: *mut *const c_uchar,
    length: c_long,
) -> *mut SSL_SESSION {
    // SAFETY: the caller's promise.
    if pp.is_null() || (length > 0 && unsafe { *pp }.is_null()) {
        return std::ptr::null_mut();
    }
    // SAFETY: the caller's promise.
    forward!(unsafe { standing::reading(a) }, d2i_SSL_SESSION(a, pp, length), std::ptr::null_mut());
    // SAFETY: the caller's promise; `pp` is not NULL, nor `*pp` for a length above 0.
    unsafe { i2d::decode(a, pp, length) }
}

/// The same as d2i_SSL_SESSION(), with a library context for the peer's key. Without a libssl in
/// the process, and in front of one before 3.2, it is always the default one.
///
/// See d2i_SSL_SESSION_ex(3); since OpenSSL 3.2, and in front of any release.
///
/// # Safety
/// As for d2i_SSL_SESSION(); `libctx` is NULL or live, `propq` NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn d2i_SSL_SESSION_ex(
    a: *mut *mut SSL_SESSION,
    pp: *mut *const c_uchar,
    length: c_long,
    libctx: *mut OSSL_LIB_CTX,
    propq: *const c_char,
) -> *mut SSL_SESSION {
    // SAFETY: the caller's promise.
    if pp.is_null() || (length > 0 && unsafe { *pp }.is_null()) {
        return std::ptr::null_mut();
    }
    // SAFETY: the caller's promise.
    if let Some(real) = unsafe { standing::reading(a) } {
        let null = std::ptr::null_mut();
        // SAFETY: the caller's promise.
        return unsafe {
            call!(
                real,
                d2i_SSL_SESSION_ex(a, pp, length, libctx, propq),
                call!(real, d2i_SSL_SESSION(a, pp, length), null)
            )
        };
    }
    // SAFETY: the caller's promise; `pp` is not NULL, nor `*pp` for a length above 0.
    unsafe { i2d::decode(a, pp, length) }
}

/// Writes `in_` as DER to `*pp`.
///
/// Ownership: with `*pp` NULL a buffer is allocated, which the caller frees with OPENSSL_free()
/// (without libcrypto in the process: free()), and `*pp` points to its start. Else there must be
/// room at `*pp`, which moves behind what is written. With `pp` NULL nothing is written. Returns
/// the length; 0 for NULL, and for a session that never had a cipher suite.
///
/// See i2d_SSL_SESSION(3).
///
/// # Safety
/// `in_` is NULL or live; `pp` is NULL or points to NULL or to enough writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn i2d_SSL_SESSION(
    in_: *const SSL_SESSION,
    pp: *mut *mut c_uchar,
) -> c_int {
    if in_.is_null() {
        return 0;
    }
    forward!(standing::of(in_), i2d_SSL_SESSION(in_, pp), 0);
    guard(0, || {
        // SAFETY: the caller's promise.
        unsafe { i2d::encode(in_, pp) }.unwrap_or(0)
    })
}
