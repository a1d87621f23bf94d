//! OpenSSL's types as C programs name them.
//!
//! The opaque structs carry OpenSSL's own tags (`ssl_ctx_st`, `ssl_session_st`, ...), so that a C
//! file that includes the real `<openssl/ssl.h>` and then `sslcache.h` compiles: the C compiler
//! itself proves that the prototypes are the same.

#![allow(non_camel_case_types)]

use libc::{c_char, c_int, c_long, c_uchar, c_uint, c_void, size_t};

macro_rules! opaque {
    ($($(#[$doc:meta])* $tag:ident as $name:ident;)*) => {$(
        $(#[$doc])*
        #[repr(C)]
        pub struct $tag {
            _private: [u8; 0],
        }
        #[doc = concat!("OpenSSL's name for `", stringify!($tag), "`.")]
        pub type $name = $tag;
    )*};
}

opaque! {
    /// A connection.
    ssl_st as SSL;
    /// A context: settings shared by connections, and the session cache.
    ssl_ctx_st as SSL_CTX;
    /// A session.
    ssl_session_st as SSL_SESSION;
    /// A protocol method, as `TLS_method()` returns it.
    ssl_method_st as SSL_METHOD;
    /// A cipher suite.
    ssl_cipher_st as SSL_CIPHER;
    /// libcrypto's I/O abstraction.
    bio_st as BIO;
    /// libcrypto's certificate.
    x509_st as X509;
    /// libcrypto's key.
    evp_pkey_st as EVP_PKEY;
    /// libcrypto's library context.
    ossl_lib_ctx_st as OSSL_LIB_CTX;
    /// The settings that `OPENSSL_init_ssl` takes.
    ossl_init_settings_st as OPENSSL_INIT_SETTINGS;
    /// The hash table that `SSL_CTX_sessions` returns.
    lhash_st_SSL_SESSION as LHASH_OF_SSL_SESSION;
}

/// The C library's stream.
pub type FILE = libc::FILE;

/// Called with each new session a handshake made; 1 keeps the reference it is given, 0 gives it
/// back.
pub type NewSessionCb = Option<unsafe extern "C-unwind" fn(*mut SSL, *mut SSL_SESSION) -> c_int>;
/// Called with each session that is removed.
pub type RemoveSessionCb = Option<unsafe extern "C-unwind" fn(*mut SSL_CTX, *mut SSL_SESSION)>;
/// Called for a session id that the internal cache does not hold; the external cache's look-up.
pub type GetSessionCb = Option<
    unsafe extern "C-unwind" fn(*mut SSL, *const c_uchar, c_int, *mut c_int) -> *mut SSL_SESSION,
>;
/// Makes a session id.
pub type GEN_SESSION_CB =
    Option<unsafe extern "C-unwind" fn(*mut SSL, *mut c_uchar, *mut c_uint) -> c_int>;
/// Asks for the pass phrase of an encrypted PEM text.
pub type pem_password_cb =
    Option<unsafe extern "C-unwind" fn(*mut c_char, c_int, c_int, *mut c_void) -> c_int>;
/// The untyped function that `SSL_CTX_callback_ctrl` takes.
pub type UntypedCb = Option<unsafe extern "C-unwind" fn()>;

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

/// libcrypto's allocation function; the others are only asked for along with it.
pub type Malloc = Option<unsafe extern "C-unwind" fn(size_t, *const c_char, c_int) -> *mut c_void>;
