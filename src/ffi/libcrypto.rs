//! The functions of libcrypto, if it is in the process.
//!
//! Nothing here loads it or needs it. What a program gets from libcrypto itself
//! (`CRYPTO_get_ex_new_index`, `ERR_get_error`, BIOs) stays libcrypto's; we only take part.

use std::sync::atomic::{AtomicPtr, Ordering};

use libc::{c_char, c_int, c_long, c_uchar, c_ulong, c_void};

use super::lhash::*;
use super::memory::boxed;
use super::types::{
    BIO, CryptoExData, EVP_PKEY, ExDup, ExNewFree, FILE, LHASH_OF_SSL_SESSION, SSL_SESSION, X509,
    pem_password_cb,
};

/// libcrypto's `ERR_STRING_DATA`.
#[repr(C)]
pub struct ErrorString {
    /// Library and reason, packed.
    pub error: c_ulong,
    /// What it says.
    pub text: *const c_char,
}

/// What reads an object from DER for libcrypto's PEM functions; with the type of ours.
pub type D2i = unsafe extern "C-unwind" fn(
    *mut *mut SSL_SESSION,
    *mut *const c_uchar,
    c_long,
) -> *mut SSL_SESSION;
/// What writes one.
pub type I2d = unsafe extern "C-unwind" fn(*const SSL_SESSION, *mut *mut c_uchar) -> c_int;

crate::ffi::symbols::symbol_table! {
    /// The functions of libcrypto that we use.
    pub struct LibCrypto {
        fn CRYPTO_get_ex_new_index(c_int, c_long, *mut c_void, Option<ExNewFree>, Option<ExDup>, Option<ExNewFree>) -> c_int;
        fn CRYPTO_new_ex_data(c_int, *mut c_void, *mut CryptoExData) -> c_int;
        fn CRYPTO_dup_ex_data(c_int, *mut CryptoExData, *const CryptoExData) -> c_int;
        fn CRYPTO_free_ex_data(c_int, *mut c_void, *mut CryptoExData);
        fn CRYPTO_set_ex_data(*mut CryptoExData, c_int, *mut c_void) -> c_int;
        fn CRYPTO_get_ex_data(*const CryptoExData, c_int) -> *mut c_void;
        fn OPENSSL_LH_new(LhHash, LhCompare) -> *mut LHASH_OF_SSL_SESSION;
        fn OPENSSL_LH_set_thunks(*mut LHASH_OF_SSL_SESSION, LhHashThunk, LhCompareThunk, LhVisitThunk, LhVisitWithThunk) -> *mut LHASH_OF_SSL_SESSION;
        fn OPENSSL_LH_insert(*mut LHASH_OF_SSL_SESSION, *mut c_void) -> *mut c_void;
        fn OPENSSL_LH_delete(*mut LHASH_OF_SSL_SESSION, *const c_void) -> *mut c_void;
        fn OPENSSL_LH_free(*mut LHASH_OF_SSL_SESSION);
        fn ERR_load_strings(c_int, *mut ErrorString) -> c_int;
        fn ERR_new();
        fn ERR_set_debug(*const c_char, c_int, *const c_char);
        fn ERR_set_error(c_int, c_int, *const c_char);
        fn ERR_put_error(c_int, c_int, c_int, *const c_char, c_int);
        fn BIO_write(*mut BIO, *const c_void, c_int) -> c_int;
        fn CRYPTO_malloc(usize, *const c_char, c_int) -> *mut c_void;
        fn d2i_X509(*mut *mut X509, *mut *const c_uchar, c_long) -> *mut X509;
        fn i2d_X509(*const X509, *mut *mut c_uchar) -> c_int;
        fn X509_free(*mut X509);
        fn d2i_PUBKEY(*mut *mut EVP_PKEY, *mut *const c_uchar, c_long) -> *mut EVP_PKEY;
        fn i2d_PUBKEY(*const EVP_PKEY, *mut *mut c_uchar) -> c_int;
        fn EVP_PKEY_free(*mut EVP_PKEY);
        fn X509_verify_cert_error_string(c_long) -> *const c_char;
        fn PEM_ASN1_read_bio(D2i, *const c_char, *mut BIO, *mut *mut SSL_SESSION, pem_password_cb, *mut c_void) -> *mut SSL_SESSION;
        fn PEM_ASN1_read(D2i, *const c_char, *mut FILE, *mut *mut SSL_SESSION, pem_password_cb, *mut c_void) -> *mut SSL_SESSION;
        fn PEM_ASN1_write_bio(I2d, *const c_char, *mut BIO, *const SSL_SESSION, *const c_void, *const c_uchar, c_int, pem_password_cb, *mut c_void) -> c_int;
        fn PEM_ASN1_write(I2d, *const c_char, *mut FILE, *const SSL_SESSION, *const c_void, *const c_uchar, c_int, pem_password_cb, *mut c_void) -> c_int;
    }
}

/// libcrypto's functions, or `None` if it was not in the process when first asked for. No lock is
/// held while the loader is asked: two threads may find the same, and one of them publishes it.
pub fn libcrypto() -> Option<&'static LibCrypto> {
    /// Null: nobody has asked. `NONE`: there was none, or no memory to remember it.
    static FOUND: AtomicPtr<LibCrypto> = AtomicPtr::new(std::ptr::null_mut());
    const NONE: *mut LibCrypto = std::ptr::without_provenance_mut(1);

    let mut found = FOUND.load(Ordering::Acquire);
    if found.is_null() {
        let functions = LibCrypto::resolve(super::libssl::libcrypto_symbol);
        let is_there = functions.CRYPTO_new_ex_data.is_some();
        let new = is_there.then(|| boxed(functions).ok()).flatten().map_or(NONE, Box::into_raw);
        found = match FOUND.compare_exchange(found, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => new,
            Err(published) => {
                if new != NONE {
                    // SAFETY: made just above, and nobody has seen it.
                    drop(unsafe { Box::from_raw(new) });
                }
                published
            }
        };
    }
    // SAFETY: not null nor the marker: published above, for ever.
    (found != NONE).then(|| unsafe { &*found })
}
