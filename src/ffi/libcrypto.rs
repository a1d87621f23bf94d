//! libcrypto, if it is in the process: ex_data callbacks and the error queue.
//!
//! Nothing here loads it or needs it. What a program gets from libcrypto itself (`CRYPTO_get_ex_new_index`,
//! `ERR_get_error`, BIOs) stays libcrypto's; we only take part.

use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use libc::{c_char, c_int, c_long, c_uchar, c_ulong, c_void};

use super::constants::*;
use super::lhash::*;
use super::memory::NoMemory;
use super::memory::boxed;
use super::types::{BIO, EVP_PKEY, FILE, LHASH_OF_SSL_SESSION, SSL_SESSION, X509, pem_password_cb};

/// libcrypto's `CRYPTO_EX_DATA`: two words at the most, zero when new.
#[repr(C)]
#[derive(Debug)]
pub struct CryptoExData([*mut c_void; 2]);

impl Default for CryptoExData {
    /// An ex_data no one has put anything in.
    fn default() -> Self {
        CryptoExData([std::ptr::null_mut(); 2])
    }
}

/// The dup function of an ex_data index.
pub type ExDup = unsafe extern "C-unwind" fn(
    *mut CryptoExData,
    *const CryptoExData,
    *mut *mut c_void,
    c_int,
    c_long,
    *mut c_void,
) -> c_int;
/// The new or free function of an ex_data index.
pub type ExNewFree = unsafe extern "C-unwind" fn(
    *mut c_void,
    *mut c_void,
    *mut CryptoExData,
    c_int,
    c_long,
    *mut c_void,
);

/// libcrypto's `ERR_STRING_DATA`.
#[repr(C)]
pub struct ErrorString {
    error: c_ulong,
    text: *const c_char,
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

/// libcrypto's functions, or `None` if it was not in the process when first asked for. No lock is held
/// while the loader is asked: two threads may find the same, and one of them publishes it.
pub fn libcrypto() -> Option<&'static LibCrypto> {
    /// Null: nobody has asked. `NONE`: there was none, or no memory to remember it.
    static FOUND: AtomicPtr<LibCrypto> = AtomicPtr::new(std::ptr::null_mut());
    const NONE: *mut LibCrypto = std::ptr::without_provenance_mut(1);

    let mut found = FOUND.load(Ordering::Acquire);
    if found.is_null() {
        let functions = LibCrypto::resolve(crate::standing::libcrypto_symbol);
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

/// Puts an error of libssl on libcrypto's queue, as the function that failed would have.
pub fn raise(reason: c_int, function: &'static CStr) {
    raise_of(ERR_LIB_SSL, reason, function);
}

/// The same with an error of another library of OpenSSL.
pub fn raise_of(library: c_int, reason: c_int, function: &'static CStr) {
    let Some(crypto) = libcrypto() else { return };
    load_strings(crypto);
    let file = c"sslcache".as_ptr();
    // SAFETY: plain calls; the strings are static, the format is NULL (no arguments follow).
    unsafe {
        if let (Some(new), Some(debug), Some(set)) =
            (crypto.ERR_new, crypto.ERR_set_debug, crypto.ERR_set_error)
        {
            new();
            debug(file, 0, function.as_ptr());
            set(library, reason, std::ptr::null());
        } else if let Some(put) = crypto.ERR_put_error {
            // The reasons of ours that had another number before OpenSSL 3.
            let reason = match reason {
                ERR_R_NESTED_ASN1_ERROR => 58,
                ERR_R_MALLOC_FAILURE => 65,
                reason => reason,
            };
            put(library, 0, reason, file, 0);
        }
    }
}

impl NoMemory {
    /// Queues the error as the library of OpenSSL that found it does.
    pub fn raise(self, library: c_int, function: &'static CStr) {
        raise_of(library, ERR_R_MALLOC_FAILURE, function);
    }
}

/// Tells libcrypto what our errors are called, which libssl would have done. Once.
fn load_strings(crypto: &LibCrypto) {
    static LOADED: AtomicBool = AtomicBool::new(false);
    if let (Some(load), false) = (crypto.ERR_load_strings, LOADED.swap(true, Ordering::Relaxed)) {
        // SAFETY: a table that ends with zeros and stays for ever.
        unsafe { load(ERR_LIB_SSL, STRINGS.0.get().cast()) };
    }
}

/// What libcrypto keeps: it writes the number of its library into each row.
static STRINGS: ErrorStrings = ErrorStrings(UnsafeCell::new({
    const END: ErrorString = ErrorString { error: 0, text: std::ptr::null() };
    let mut rows = [END; REASONS.len() + 1];
    let mut at = 0;
    while at < REASONS.len() {
        let (reason, text) = REASONS[at];
        rows[at] = ErrorString { error: reason as c_ulong, text: text.as_ptr() };
        at += 1;
    }
    rows
}));

struct ErrorStrings(UnsafeCell<[ErrorString; REASONS.len() + 1]>);

// SAFETY: given to libcrypto once, and never looked at here.
unsafe impl Sync for ErrorStrings {}

/// The reasons that are raised here, by libssl's names.
const REASONS: [(c_int, &CStr); 11] = [
    (SSL_R_CIPHER_CODE_WRONG_LENGTH, c"cipher code wrong length"),
    (SSL_R_UNKNOWN_SSL_VERSION, c"unknown ssl version"),
    (SSL_R_UNSUPPORTED_SSL_VERSION, c"unsupported ssl version"),
    (SSL_R_BAD_LENGTH, c"bad length"),
    (SSL_R_NULL_SSL_CTX, c"null ssl ctx"),
    (SSL_R_NULL_SSL_METHOD_PASSED, c"null ssl method passed"),
    (SSL_R_SSL_SESSION_ID_CALLBACK_FAILED, c"ssl session id callback failed"),
    (SSL_R_SSL_SESSION_ID_CONFLICT, c"ssl session id conflict"),
    (SSL_R_SSL_SESSION_ID_HAS_BAD_LENGTH, c"ssl session id has bad length"),
    (SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG, c"ssl session id context too long"),
    (SSL_R_SSL_SESSION_ID_TOO_LONG, c"ssl session id too long"),
];
