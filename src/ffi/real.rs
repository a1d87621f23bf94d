//! The real libssl's functions, found by name.

use libc::{c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void, size_t, time_t};

use super::lhash::*;
use super::symbols::symbol_table;
use super::types::*;

symbol_table! {
    /// What we call of the real libssl, and of the libcrypto it uses. A function that this release
    /// does not have is `None`.
    pub struct Real {
        // SSL_CTX_new(3)
        fn OPENSSL_init_ssl(u64, *const OPENSSL_INIT_SETTINGS) -> c_int;
        fn TLS_method() -> *const SSL_METHOD;
        fn TLS_server_method() -> *const SSL_METHOD;
        fn TLS_client_method() -> *const SSL_METHOD;
        fn TLSv1_2_method() -> *const SSL_METHOD;
        fn TLSv1_2_server_method() -> *const SSL_METHOD;
        fn TLSv1_2_client_method() -> *const SSL_METHOD;
        fn TLSv1_1_method() -> *const SSL_METHOD;
        fn TLSv1_1_server_method() -> *const SSL_METHOD;
        fn TLSv1_1_client_method() -> *const SSL_METHOD;
        fn TLSv1_method() -> *const SSL_METHOD;
        fn TLSv1_server_method() -> *const SSL_METHOD;
        fn TLSv1_client_method() -> *const SSL_METHOD;
        fn DTLS_method() -> *const SSL_METHOD;
        fn DTLS_server_method() -> *const SSL_METHOD;
        fn DTLS_client_method() -> *const SSL_METHOD;
        fn DTLSv1_2_method() -> *const SSL_METHOD;
        fn DTLSv1_2_server_method() -> *const SSL_METHOD;
        fn DTLSv1_2_client_method() -> *const SSL_METHOD;
        fn DTLSv1_method() -> *const SSL_METHOD;
        fn DTLSv1_server_method() -> *const SSL_METHOD;
        fn DTLSv1_client_method() -> *const SSL_METHOD;
        fn SSL_CTX_new(*const SSL_METHOD) -> *mut SSL_CTX;
        fn SSL_CTX_new_ex(*mut OSSL_LIB_CTX, *const c_char, *const SSL_METHOD) -> *mut SSL_CTX;
        fn SSL_CTX_up_ref(*mut SSL_CTX) -> c_int;
        fn SSL_CTX_free(*mut SSL_CTX);
        // SSL_CTX_ctrl(3)
        fn SSL_CTX_ctrl(*mut SSL_CTX, c_int, c_long, *mut c_void) -> c_long;
        fn SSL_CTX_callback_ctrl(*mut SSL_CTX, c_int, UntypedCb) -> c_long;
        fn SSL_ctrl(*mut SSL, c_int, c_long, *mut c_void) -> c_long;
        // SSL_CTX_add_session(3), SSL_CTX_flush_sessions(3), SSL_CTX_sessions(3)
        fn SSL_CTX_add_session(*mut SSL_CTX, *mut SSL_SESSION) -> c_int;
        fn SSL_CTX_remove_session(*mut SSL_CTX, *mut SSL_SESSION) -> c_int;
        fn SSL_CTX_flush_sessions(*mut SSL_CTX, c_long);
        fn SSL_CTX_flush_sessions_ex(*mut SSL_CTX, time_t);
        fn SSL_CTX_sessions(*mut SSL_CTX) -> *mut LHASH_OF_SSL_SESSION;
        // SSL_CTX_sess_set_get_cb(3)
        fn SSL_CTX_sess_set_new_cb(*mut SSL_CTX, NewSessionCb);
        fn SSL_CTX_sess_get_new_cb(*mut SSL_CTX) -> NewSessionCb;
        fn SSL_CTX_sess_set_remove_cb(*mut SSL_CTX, RemoveSessionCb);
        fn SSL_CTX_sess_get_remove_cb(*mut SSL_CTX) -> RemoveSessionCb;
        fn SSL_CTX_sess_set_get_cb(*mut SSL_CTX, GetSessionCb);
        fn SSL_CTX_sess_get_get_cb(*mut SSL_CTX) -> GetSessionCb;
        // SSL_CTX_set_timeout(3)
        fn SSL_CTX_set_timeout(*mut SSL_CTX, c_long) -> c_long;
        fn SSL_CTX_get_timeout(*const SSL_CTX) -> c_long;
        fn SSL_get_default_timeout(*const SSL) -> c_long;
        // SSL_CTX_set_session_id_context(3), SSL_CTX_set_generate_session_id(3)
        fn SSL_CTX_set_session_id_context(*mut SSL_CTX, *const c_uchar, c_uint) -> c_int;
        fn SSL_set_session_id_context(*mut SSL, *const c_uchar, c_uint) -> c_int;
        fn SSL_CTX_set_generate_session_id(*mut SSL_CTX, GEN_SESSION_CB) -> c_int;
        fn SSL_set_generate_session_id(*mut SSL, GEN_SESSION_CB) -> c_int;
        fn SSL_has_matching_session_id(*const SSL, *const c_uchar, c_uint) -> c_int;
        // ex_data
        fn SSL_CTX_set_ex_data(*mut SSL_CTX, c_int, *mut c_void) -> c_int;
        fn SSL_CTX_get_ex_data(*const SSL_CTX, c_int) -> *mut c_void;
        fn SSL_set_ex_data(*mut SSL, c_int, *mut c_void) -> c_int;
        fn SSL_get_ex_data(*const SSL, c_int) -> *mut c_void;
        fn SSL_SESSION_set_ex_data(*mut SSL_SESSION, c_int, *mut c_void) -> c_int;
        fn SSL_SESSION_get_ex_data(*const SSL_SESSION, c_int) -> *mut c_void;
        // SSL_new(3)
        fn SSL_new(*mut SSL_CTX) -> *mut SSL;
        fn SSL_up_ref(*mut SSL) -> c_int;
        fn SSL_free(*mut SSL);
        fn SSL_get_SSL_CTX(*const SSL) -> *mut SSL_CTX;
        fn SSL_set_SSL_CTX(*mut SSL, *mut SSL_CTX) -> *mut SSL_CTX;
        fn SSL_version(*const SSL) -> c_int;
        fn SSL_is_server(*const SSL) -> c_int;
        // SSL_accept(3), SSL_set_accept_state(3)
        fn SSL_accept(*mut SSL) -> c_int;
        fn SSL_set_accept_state(*mut SSL);
        // SSL_get_session(3), SSL_set_session(3)
        fn SSL_get_session(*const SSL) -> *mut SSL_SESSION;
        fn SSL_get1_session(*mut SSL) -> *mut SSL_SESSION;
        fn SSL_set_session(*mut SSL, *mut SSL_SESSION) -> c_int;
        fn SSL_session_reused(*const SSL) -> c_int;
        fn SSL_copy_session_id(*mut SSL, *const SSL) -> c_int;
        // SSL_SESSION_free(3)
        fn SSL_SESSION_new() -> *mut SSL_SESSION;
        fn SSL_SESSION_dup(*const SSL_SESSION) -> *mut SSL_SESSION;
        fn SSL_SESSION_up_ref(*mut SSL_SESSION) -> c_int;
        fn SSL_SESSION_free(*mut SSL_SESSION);
        // SSL_SESSION_get_time(3)
        fn SSL_SESSION_get_time(*const SSL_SESSION) -> c_long;
        fn SSL_SESSION_get_time_ex(*const SSL_SESSION) -> time_t;
        fn SSL_SESSION_set_time(*mut SSL_SESSION, c_long) -> c_long;
        fn SSL_SESSION_set_time_ex(*mut SSL_SESSION, time_t) -> time_t;
        fn SSL_SESSION_get_timeout(*const SSL_SESSION) -> c_long;
        fn SSL_SESSION_set_timeout(*mut SSL_SESSION, c_long) -> c_long;
        // The other pages on session objects
        fn SSL_SESSION_get_id(*const SSL_SESSION, *mut c_uint) -> *const c_uchar;
        fn SSL_SESSION_set1_id(*mut SSL_SESSION, *const c_uchar, c_uint) -> c_int;
        fn SSL_SESSION_get0_id_context(*const SSL_SESSION, *mut c_uint) -> *const c_uchar;
        fn SSL_SESSION_set1_id_context(*mut SSL_SESSION, *const c_uchar, c_uint) -> c_int;
        fn SSL_SESSION_get_protocol_version(*const SSL_SESSION) -> c_int;
        fn SSL_SESSION_set_protocol_version(*mut SSL_SESSION, c_int) -> c_int;
        fn SSL_SESSION_get0_cipher(*const SSL_SESSION) -> *const SSL_CIPHER;
        fn SSL_SESSION_set_cipher(*mut SSL_SESSION, *const SSL_CIPHER) -> c_int;
        fn SSL_SESSION_get0_hostname(*const SSL_SESSION) -> *const c_char;
        fn SSL_SESSION_set1_hostname(*mut SSL_SESSION, *const c_char) -> c_int;
        fn SSL_SESSION_get0_alpn_selected(*const SSL_SESSION, *mut *const c_uchar, *mut size_t);
        fn SSL_SESSION_set1_alpn_selected(*mut SSL_SESSION, *const c_uchar, size_t) -> c_int;
        fn SSL_SESSION_has_ticket(*const SSL_SESSION) -> c_int;
        fn SSL_SESSION_get_ticket_lifetime_hint(*const SSL_SESSION) -> c_ulong;
        fn SSL_SESSION_get0_ticket(*const SSL_SESSION, *mut *const c_uchar, *mut size_t);
        fn SSL_SESSION_get_max_early_data(*const SSL_SESSION) -> u32;
        fn SSL_SESSION_set_max_early_data(*mut SSL_SESSION, u32) -> c_int;
        fn SSL_SESSION_get_max_fragment_length(*const SSL_SESSION) -> u8;
        fn SSL_SESSION_is_resumable(*const SSL_SESSION) -> c_int;
        fn SSL_SESSION_get0_peer(*mut SSL_SESSION) -> *mut X509;
        fn SSL_SESSION_get0_peer_rpk(*mut SSL_SESSION) -> *mut EVP_PKEY;
        fn SSL_SESSION_get_compress_id(*const SSL_SESSION) -> c_uint;
        fn SSL_SESSION_get_master_key(*const SSL_SESSION, *mut c_uchar, size_t) -> size_t;
        fn SSL_SESSION_set1_master_key(*mut SSL_SESSION, *const c_uchar, size_t) -> c_int;
        fn SSL_SESSION_set1_ticket_appdata(*mut SSL_SESSION, *const c_void, size_t) -> c_int;
        fn SSL_SESSION_get0_ticket_appdata(*mut SSL_SESSION, *mut *mut c_void, *mut size_t) -> c_int;
        fn SSL_SESSION_print(*mut BIO, *const SSL_SESSION) -> c_int;
        fn SSL_SESSION_print_fp(*mut FILE, *const SSL_SESSION) -> c_int;
        fn SSL_SESSION_print_keylog(*mut BIO, *const SSL_SESSION) -> c_int;
        // SSL_CIPHER_get_name(3)
        fn SSL_CIPHER_find(*mut SSL, *const c_uchar) -> *const SSL_CIPHER;
        fn SSL_CIPHER_get_name(*const SSL_CIPHER) -> *const c_char;
        fn SSL_CIPHER_standard_name(*const SSL_CIPHER) -> *const c_char;
        fn SSL_CIPHER_get_version(*const SSL_CIPHER) -> *const c_char;
        fn SSL_CIPHER_get_id(*const SSL_CIPHER) -> u32;
        fn SSL_CIPHER_get_protocol_id(*const SSL_CIPHER) -> u16;
        fn SSL_CIPHER_get_bits(*const SSL_CIPHER, *mut c_int) -> c_int;
        // d2i_SSL_SESSION(3), PEM_read_bio_SSL_SESSION(3)
        fn d2i_SSL_SESSION(*mut *mut SSL_SESSION, *mut *const c_uchar, c_long) -> *mut SSL_SESSION;
        fn d2i_SSL_SESSION_ex(*mut *mut SSL_SESSION, *mut *const c_uchar, c_long, *mut OSSL_LIB_CTX, *const c_char) -> *mut SSL_SESSION;
        fn i2d_SSL_SESSION(*const SSL_SESSION, *mut *mut c_uchar) -> c_int;
        fn PEM_read_bio_SSL_SESSION(*mut BIO, *mut *mut SSL_SESSION, pem_password_cb, *mut c_void) -> *mut SSL_SESSION;
        fn PEM_read_SSL_SESSION(*mut FILE, *mut *mut SSL_SESSION, pem_password_cb, *mut c_void) -> *mut SSL_SESSION;
        fn PEM_write_bio_SSL_SESSION(*mut BIO, *const SSL_SESSION) -> c_int;
        fn PEM_write_SSL_SESSION(*mut FILE, *const SSL_SESSION) -> c_int;
        // Asked of a handshake, or told, not exported
        fn SSL_in_before(*const SSL) -> c_int;
        fn SSL_set_options(*mut SSL, u64) -> u64;
        fn SSL_set_num_tickets(*mut SSL, size_t) -> c_int;
        fn SSL_clear_options(*mut SSL, u64) -> u64;
        fn SSL_get_options(*const SSL) -> u64;
        fn SSL_CTX_get_options(*const SSL_CTX) -> u64;
        fn SSL_get_max_early_data(*const SSL) -> u32;
        fn SSL_is_quic(*const SSL) -> c_int;
        fn OpenSSL_version_num() -> c_ulong;
        fn SSL_CTX_get_ssl_method(*const SSL_CTX) -> *const SSL_METHOD;
        // What separates sessions that processes share: see interpose/isolation.rs
        fn SSL_client_hello_get0_ext(*mut SSL, c_uint, *mut *const c_uchar, *mut size_t) -> c_int;
        fn SSL_get_servername(*const SSL, c_int) -> *const c_char;
        fn SSL_get_verify_mode(*const SSL) -> c_int;
        fn SSL_CTX_get_verify_mode(*const SSL_CTX) -> c_int;
        fn SSL_CTX_get_verify_depth(*const SSL_CTX) -> c_int;
        fn SSL_CTX_get0_param(*mut SSL_CTX) -> *mut c_void;
        fn SSL_CTX_get0_certificate(*const SSL_CTX) -> *mut X509;
        fn SSL_CTX_get_client_CA_list(*const SSL_CTX) -> *mut c_void;
        fn SSL_CTX_get_cert_store(*const SSL_CTX) -> *mut c_void;
        fn X509_get0_signature(*mut *const c_void, *mut *const c_void, *const X509);
        fn ASN1_STRING_length(*const c_void) -> c_int;
        fn ASN1_STRING_get0_data(*const c_void) -> *const c_uchar;
        fn EVP_sha256() -> *const c_void;
        fn X509_digest(*const X509, *const c_void, *mut c_uchar, *mut c_uint) -> c_int;
        fn X509_CRL_digest(*const c_void, *const c_void, *mut c_uchar, *mut c_uint) -> c_int;
        fn X509_NAME_digest(*const c_void, *const c_void, *mut c_uchar, *mut c_uint) -> c_int;
        fn X509_NAME_get0_der(*const c_void, *mut *const c_uchar, *mut size_t) -> c_int;
        fn OPENSSL_sk_num(*const c_void) -> c_int;
        fn OPENSSL_sk_value(*const c_void, c_int) -> *mut c_void;
        fn X509_OBJECT_get0_X509(*const c_void) -> *mut X509;
        fn X509_OBJECT_get0_X509_CRL(*const c_void) -> *mut c_void;
        fn X509_STORE_lock(*mut c_void) -> c_int;
        fn X509_STORE_unlock(*mut c_void) -> c_int;
        fn X509_STORE_get0_objects(*const c_void) -> *mut c_void;
        fn X509_STORE_get0_param(*const c_void) -> *mut c_void;
        fn X509_VERIFY_PARAM_get_flags(*mut c_void) -> c_ulong;
        fn ERR_set_mark() -> c_int;
        fn ERR_pop_to_mark() -> c_int;
        // BoringSSL's and its children's: what has the same name there may be another thing.
        fn CRYPTO_library_init();
        fn OSSL_LIB_CTX_set0_default(*mut OSSL_LIB_CTX) -> *mut OSSL_LIB_CTX;
        fn CRYPTO_malloc(size_t, *const c_char, c_int) -> *mut c_void;
        fn CRYPTO_get_mem_functions(*mut Malloc, *mut c_void, *mut c_void);
        fn OPENSSL_LH_new(LhHash, LhCompare) -> *mut LHASH_OF_SSL_SESSION;
        fn OPENSSL_LH_set_thunks(*mut LHASH_OF_SSL_SESSION, LhHashThunk, LhCompareThunk, LhVisitThunk, LhVisitWithThunk) -> *mut LHASH_OF_SSL_SESSION;
        fn OPENSSL_LH_insert(*mut LHASH_OF_SSL_SESSION, *mut c_void) -> *mut c_void;
        fn OPENSSL_LH_delete(*mut LHASH_OF_SSL_SESSION, *const c_void) -> *mut c_void;
        fn OPENSSL_LH_free(*mut LHASH_OF_SSL_SESSION);
        fn CRYPTO_get_ex_new_index(c_int, c_long, *mut c_void, Option<ExNewFree>, Option<ExDup>, Option<ExNewFree>) -> c_int;
    }
}

impl Real {
    /// `OpenSSL_version_num`
    pub fn version(&self) -> c_ulong {
        // SAFETY: it takes nothing.
        unsafe { call!(self, OpenSSL_version_num(), 0) }
    }

    /// Whether it is OpenSSL 1.1.1 or later, and not one of those that began as it.
    pub fn is_openssl(&self) -> bool {
        const LIBRESSL: c_ulong = 0x2000_0000;
        let version = self.version();
        self.CRYPTO_library_init.is_none() && version >= 0x1010_1000 && version != LIBRESSL
    }

    /// The functions of the libssl behind `handle`.
    ///
    /// # Safety
    /// `handle` is a live handle from `dlopen`.
    pub unsafe fn from_library(handle: *mut c_void) -> Real {
        // SAFETY: dlsym with the caller's handle and a C string.
        Real::resolve(|name| unsafe { libc::dlsym(handle, name.as_ptr()) })
    }
}

/// Calls a function of the real libssl, which is `unsafe`: the caller says why its arguments are
/// good. What comes last is the value for a release that lacks the function.
macro_rules! call {
    ($real:expr, $function:ident($($argument:expr),* $(,)?), $missing:expr $(,)?) => {
        match $real.$function {
            Some(function) => function($($argument),*),
            None => $missing,
        }
    };
}

pub(crate) use call;
