//! OpenSSL's numbers, under OpenSSL's names. The C header's own text of them stands in
//! cbindgen.toml; `tests/header.rs` has the C compiler compare both with the real ones.

#![allow(missing_docs)]

use libc::{c_int, c_long, c_uint};

pub const SSL_CTRL_SESS_NUMBER: c_int = 20;
pub const SSL_CTRL_SESS_CONNECT: c_int = 21;
pub const SSL_CTRL_SESS_CONNECT_GOOD: c_int = 22;
pub const SSL_CTRL_SESS_ACCEPT: c_int = 24;
pub const SSL_CTRL_SESS_ACCEPT_GOOD: c_int = 25;
pub const SSL_CTRL_SESS_HIT: c_int = 27;
pub const SSL_CTRL_SESS_CB_HIT: c_int = 28;
pub const SSL_CTRL_SESS_MISSES: c_int = 29;
pub const SSL_CTRL_SESS_TIMEOUTS: c_int = 30;
pub const SSL_CTRL_SESS_CACHE_FULL: c_int = 31;
pub const SSL_CTRL_SET_SESS_CACHE_SIZE: c_int = 42;
pub const SSL_CTRL_GET_SESS_CACHE_SIZE: c_int = 43;
pub const SSL_CTRL_SET_SESS_CACHE_MODE: c_int = 44;
pub const SSL_CTRL_GET_SESS_CACHE_MODE: c_int = 45;

pub const SSL_SESS_CACHE_CLIENT: u32 = 0x0001;
pub const SSL_SESS_CACHE_SERVER: u32 = 0x0002;
pub const SSL_SESS_CACHE_NO_AUTO_CLEAR: u32 = 0x0080;
pub const SSL_SESS_CACHE_NO_INTERNAL_LOOKUP: u32 = 0x0100;
pub const SSL_SESS_CACHE_NO_INTERNAL_STORE: u32 = 0x0200;
pub const SSL_SESS_CACHE_NO_INTERNAL: u32 = 0x0300;
pub const SSL_SESS_CACHE_UPDATE_TIME: u32 = 0x0400;

pub const SSL_SESSION_CACHE_MAX_SIZE_DEFAULT: usize = 1024 * 20;
pub const SSL_MAX_SSL_SESSION_ID_LENGTH: usize = 32;

pub const SSL_OP_NO_TICKET: u64 = 1 << 14;
pub const SSL_OP_NO_ANTI_REPLAY: u64 = 1 << 24;

pub const SSL3_VERSION: c_int = 0x0300;
pub const TLS1_VERSION: c_int = 0x0301;
pub const TLS1_1_VERSION: c_int = 0x0302;
pub const TLS1_2_VERSION: c_int = 0x0303;
pub const TLS1_3_VERSION: c_int = 0x0304;
/// The version before DTLS 1.0 that some VPNs still speak.
pub const DTLS1_BAD_VER: c_int = 0x0100;
pub const DTLS1_VERSION: c_int = 0xFEFF;
pub const DTLS1_2_VERSION: c_int = 0xFEFD;

pub const SSL_VERIFY_PEER: c_int = 1;

/// ex_data classes of libcrypto.
pub const CRYPTO_EX_INDEX_SSL: c_int = 0;
pub const CRYPTO_EX_INDEX_SSL_CTX: c_int = 1;
pub const CRYPTO_EX_INDEX_SSL_SESSION: c_int = 2;

pub const ERR_LIB_ASN1: c_int = 13;
pub const ERR_LIB_CRYPTO: c_int = 15;
pub const ERR_LIB_SSL: c_int = 20;
pub const SSL_R_CIPHER_CODE_WRONG_LENGTH: c_int = 137;
pub const SSL_R_NULL_SSL_CTX: c_int = 195;
pub const SSL_R_NULL_SSL_METHOD_PASSED: c_int = 196;
pub const SSL_R_READ_BIO_NOT_SET: c_int = 211;
pub const SSL_R_UNKNOWN_SSL_VERSION: c_int = 254;
pub const SSL_R_UNSUPPORTED_SSL_VERSION: c_int = 259;
pub const SSL_R_BAD_LENGTH: c_int = 271;
pub const SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG: c_int = 273;
pub const SSL_R_SSL_SESSION_ID_CALLBACK_FAILED: c_int = 301;
pub const SSL_R_SSL_SESSION_ID_CONFLICT: c_int = 302;
pub const SSL_R_SSL_SESSION_ID_HAS_BAD_LENGTH: c_int = 303;
pub const SSL_R_SSL_SESSION_ID_TOO_LONG: c_int = 408;
pub const ASN1_R_BAD_OBJECT_HEADER: c_int = 102;
pub const ASN1_R_EXPLICIT_LENGTH_MISMATCH: c_int = 119;
pub const ASN1_R_FIELD_MISSING: c_int = 121;
pub const ASN1_R_SEQUENCE_LENGTH_MISMATCH: c_int = 148;
pub const ASN1_R_TOO_LONG: c_int = 155;
pub const ASN1_R_WRONG_TAG: c_int = 168;
pub const ASN1_R_ILLEGAL_PADDING: c_int = 221;
pub const ASN1_R_TOO_SMALL: c_int = 224;
/// Of OpenSSL 3.
pub const ERR_R_NESTED_ASN1_ERROR: c_int = 266 | (2 << 18);
/// Of 1.1.1.
pub const ERR_R_NESTED_ASN1_ERROR_1_1_1: c_int = 58;
/// Of OpenSSL 3.
pub const ERR_R_MALLOC_FAILURE: c_int = 256 | (3 << 18);
/// Of 1.1.1.
pub const ERR_R_MALLOC_FAILURE_1_1_1: c_int = 65;

/// The timeout of a session nobody gave one: `SSL_SESSION_new`.
pub const NEW_SESSION_TIMEOUT: c_long = 60 * 5 + 4;
/// The timeout of a context, for every method.
pub const DEFAULT_TIMEOUT: c_long = 60 * 60 * 2;
/// The longest master key a session takes.
pub const MAX_MASTER_KEY_LENGTH: usize = 512;
/// X509_V_ERR_UNSPECIFIED, the verify result of a session that was never verified.
pub const X509_V_ERR_UNSPECIFIED: c_long = 1;
/// "no maximum fragment length was negotiated", as sessions keep it; readers see 0.
pub const TLSEXT_MAX_FRAGMENT_LENGTH_UNSPECIFIED: u8 = 255;
/// session flag: the extended master secret was used.
pub const SSL_SESS_FLAG_EXTMS: c_uint = 1;
