//! SSL_SESSION_get0_peer(3)

use crate::ffi::guard::guard;
use crate::ffi::types::{EVP_PKEY, SSL_SESSION, X509};
use crate::standalone::Session;

/// Returns the peer's certificate in `s`, or NULL.
///
/// Ownership: the certificate is the session's. Without a libssl in the process: the certificate of
/// a decoded session, if libcrypto is there to make it an X509, else NULL. See
/// SSL_SESSION_get0_peer(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get0_peer(s: *mut SSL_SESSION) -> *mut X509 {
    let session = forward!(s as Session, SSL_SESSION_get0_peer(s), std::ptr::null_mut());
    guard(std::ptr::null_mut(), || session.peer())
}

/// Returns the peer's raw public key in `s`, or NULL.
///
/// Ownership: the key is the session's. Without a libssl in the process: as for
/// SSL_SESSION_get0_peer().
/// See SSL_SESSION_get0_peer_rpk(3); since OpenSSL 3.2.
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get0_peer_rpk(s: *mut SSL_SESSION) -> *mut EVP_PKEY {
    let session = forward!(s as Session, SSL_SESSION_get0_peer_rpk(s), std::ptr::null_mut());
    guard(std::ptr::null_mut(), || session.peer_rpk())
}
