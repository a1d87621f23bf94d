//! SSL_CIPHER_get_name(3): what is known of a cipher suite

use std::ffi::CStr;

use libc::{c_char, c_int, c_uchar};

use crate::ffi::guard::guard;
use crate::ffi::types::{SSL, SSL_CIPHER};
use crate::standalone::{Cipher, CipherPtr};
use crate::standing;

/// Returns the cipher suite with the two-byte number at `ptr`, or NULL if it is not known.
///
/// Ownership: static, never freed.
/// Without a libssl in the process every connection knows the same suites: those of OpenSSL 3.0.
/// See SSL_CIPHER_find(3).
///
/// # Safety
/// `ssl` is NULL or live; `ptr` is NULL or points to two readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CIPHER_find(
    ssl: *mut SSL,
    ptr: *const c_uchar,
) -> *const SSL_CIPHER {
    if ssl.is_null() || ptr.is_null() {
        return std::ptr::null();
    }
    forward!(standing::of(ssl), SSL_CIPHER_find(ssl, ptr), std::ptr::null());
    guard(std::ptr::null(), || {
        // SAFETY: the caller's promise; not NULL.
        let number = u16::from_be_bytes(unsafe { ptr.cast::<[u8; 2]>().read() });
        Cipher::by_number(number).map_or(CipherPtr::NULL, Cipher::as_c).0
    })
}

/// Returns OpenSSL's name of `c`, for example "ECDHE-RSA-AES128-GCM-SHA256"; "(NONE)" for NULL.
///
/// Ownership: static, never freed.
/// See SSL_CIPHER_get_name(3).
///
/// # Safety
/// `c` is NULL or a cipher suite.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CIPHER_get_name(c: *const SSL_CIPHER) -> *const c_char {
    forward!(standing::of(c), SSL_CIPHER_get_name(c), NO_CIPHER.as_ptr());
    guard(NO_CIPHER.as_ptr(), || text(c, |cipher| Some(cipher.name)))
}

/// Returns the name of `c` in the RFCs, for example "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
/// "(NONE)" for NULL, and NULL for a suite that is in none.
///
/// Ownership: static, never freed.
/// See SSL_CIPHER_standard_name(3).
///
/// # Safety
/// `c` is NULL or a cipher suite.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CIPHER_standard_name(c: *const SSL_CIPHER) -> *const c_char {
    forward!(standing::of(c), SSL_CIPHER_standard_name(c), NO_CIPHER.as_ptr());
    guard(NO_CIPHER.as_ptr(), || text(c, |cipher| cipher.standard_name))
}

/// Returns the first protocol version that has `c`, for example "TLSv1.2"; "(NONE)" for NULL.
///
/// Ownership: static, never freed.
/// See SSL_CIPHER_get_version(3).
///
/// # Safety
/// `c` is NULL or a cipher suite.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CIPHER_get_version(c: *const SSL_CIPHER) -> *const c_char {
    forward!(standing::of(c), SSL_CIPHER_get_version(c), NO_CIPHER.as_ptr());
    guard(NO_CIPHER.as_ptr(), || text(c, |cipher| Some(cipher.version)))
}

/// Returns OpenSSL's number of `c`: the one in the protocol, plus 0x03000000. 0 for NULL.
///
/// See SSL_CIPHER_get_id(3).
///
/// # Safety
/// `c` is NULL or a cipher suite.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CIPHER_get_id(c: *const SSL_CIPHER) -> u32 {
    if c.is_null() {
        return 0;
    }
    forward!(standing::of(c), SSL_CIPHER_get_id(c), 0);
    guard(0, || CipherPtr(c).cipher().map_or(0, Cipher::id))
}

/// Returns the two-byte number of `c` in the protocol; 0 for NULL.
///
/// See SSL_CIPHER_get_protocol_id(3).
///
/// # Safety
/// `c` is NULL or a cipher suite.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CIPHER_get_protocol_id(c: *const SSL_CIPHER) -> u16 {
    if c.is_null() {
        return 0;
    }
    forward!(standing::of(c), SSL_CIPHER_get_protocol_id(c), 0);
    guard(0, || CipherPtr(c).cipher().map_or(0, |cipher| cipher.number))
}

/// Returns how many bits of the key of `c` are secret, and through `alg_bits`, unless that is NULL,
/// how many the algorithm works on.
///
/// Returns 0 for NULL, and leaves `alg_bits` alone.
/// See SSL_CIPHER_get_bits(3).
///
/// # Safety
/// `c` is NULL or a cipher suite; `alg_bits` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_CIPHER_get_bits(
    c: *const SSL_CIPHER,
    alg_bits: *mut c_int,
) -> c_int {
    forward!(standing::of(c), SSL_CIPHER_get_bits(c, alg_bits), 0);
    guard(0, || {
        CipherPtr(c).cipher().map_or(0, |cipher| {
            if !alg_bits.is_null() {
                // SAFETY: the caller's promise; not NULL.
                unsafe { *alg_bits = cipher.bits.into() };
            }
            cipher.bits.into()
        })
    })
}

/// What OpenSSL calls NULL; here also a pointer that is no suite of ours.
const NO_CIPHER: &CStr = c"(NONE)";

fn text(
    c: *const SSL_CIPHER,
    text: impl Fn(&'static Cipher) -> Option<&'static CStr>,
) -> *const c_char {
    let text = CipherPtr(c).cipher().map_or(Some(NO_CIPHER), text);
    text.map_or(std::ptr::null(), CStr::as_ptr)
}
