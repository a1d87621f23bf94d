//! libcrypto's error queue: what a function that failed puts there, as libssl's own would have.

use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{c_int, c_ulong};

use super::constants::*;
use super::libcrypto::{ErrorString, LibCrypto, libcrypto};
use super::memory::NoMemory;

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
                ERR_R_NESTED_ASN1_ERROR => ERR_R_NESTED_ASN1_ERROR_1_1_1,
                ERR_R_MALLOC_FAILURE => ERR_R_MALLOC_FAILURE_1_1_1,
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
const REASONS: [(c_int, &CStr); 12] = [
    (SSL_R_CIPHER_CODE_WRONG_LENGTH, c"cipher code wrong length"),
    (SSL_R_UNKNOWN_SSL_VERSION, c"unknown ssl version"),
    (SSL_R_UNSUPPORTED_SSL_VERSION, c"unsupported ssl version"),
    (SSL_R_BAD_LENGTH, c"bad length"),
    (SSL_R_NULL_SSL_CTX, c"null ssl ctx"),
    (SSL_R_NULL_SSL_METHOD_PASSED, c"null ssl method passed"),
    (SSL_R_READ_BIO_NOT_SET, c"read bio not set"),
    (SSL_R_SSL_SESSION_ID_CALLBACK_FAILED, c"ssl session id callback failed"),
    (SSL_R_SSL_SESSION_ID_CONFLICT, c"ssl session id conflict"),
    (SSL_R_SSL_SESSION_ID_HAS_BAD_LENGTH, c"ssl session id has bad length"),
    (SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG, c"ssl session id context too long"),
    (SSL_R_SSL_SESSION_ID_TOO_LONG, c"ssl session id too long"),
];
