//! SSL_SESSION_get_compress_id(3), and the maximum fragment length of
//! SSL_CTX_set_split_send_fragment(3)

use libc::c_uint;

use crate::ffi::constants::TLSEXT_MAX_FRAGMENT_LENGTH_UNSPECIFIED;
use crate::ffi::guard::guard;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;

/// Returns the compression method of `s`; 0 is none.
///
/// See SSL_SESSION_get_compress_id(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get_compress_id(s: *const SSL_SESSION) -> c_uint {
    let session = forward!(s as Session, SSL_SESSION_get_compress_id(s), 0);
    guard(0, || session.read(|v| v.compress_id.into()))
}

/// Returns the maximum fragment length mode of `s`; 0 is none.
///
/// See SSL_SESSION_get_max_fragment_length(3).
///
/// # Safety
/// `s` is NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get_max_fragment_length(s: *const SSL_SESSION) -> u8 {
    let session = forward!(s as Session, SSL_SESSION_get_max_fragment_length(s), 0);
    guard(0, || {
        session.read(|v| {
            if v.max_fragment_len_mode == TLSEXT_MAX_FRAGMENT_LENGTH_UNSPECIFIED {
                0
            } else {
                v.max_fragment_len_mode
            }
        })
    })
}
