//! SSL_get_client_random(3): the master key of a session

use libc::{c_int, c_uchar, size_t};

use crate::ffi::args::{bytes, null_with_length};
use crate::ffi::constants::{ERR_LIB_SSL, MAX_MASTER_KEY_LENGTH};
use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::memory::copied;
use crate::ffi::types::SSL_SESSION;
use crate::standalone::Session;
use crate::standing;

/// Copies up to `outlen` bytes of the master key of `session` to `out`.
///
/// Returns how many were copied; for an `outlen` of 0, how many there are. 0 for NULL.
/// See SSL_SESSION_get_master_key(3).
///
/// # Safety
/// `session` is NULL or live; `out` points to `outlen` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_get_master_key(
    session: *const SSL_SESSION,
    out: *mut c_uchar,
    outlen: size_t,
) -> size_t {
    if out.is_null() && outlen > 0 {
        return 0;
    }
    let session = forward!(session as Session, SSL_SESSION_get_master_key(session, out, outlen), 0);
    guard(0, || {
        session.read(|v| {
            if outlen == 0 {
                return v.master_key.len();
            }
            let len = v.master_key.len().min(outlen);
            // SAFETY: the caller's promise; `len` is within both.
            unsafe { std::ptr::copy_nonoverlapping(v.master_key.as_ptr(), out, len) };
            len
        })
    })
}

/// Sets the master key of `sess` to a copy of the `len` bytes at `key`, 512 at most.
///
/// Returns 1; 0 for NULL or a longer key.
/// See SSL_SESSION_set1_master_key(3).
///
/// # Safety
/// `sess` is NULL or live; `key` points to `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_set1_master_key(
    sess: *mut SSL_SESSION,
    key: *const c_uchar,
    len: size_t,
) -> c_int {
    if sess.is_null() || (null_with_length(key, len) && len <= MAX_MASTER_KEY_LENGTH) {
        return 0;
    }
    forward!(standing::of(sess), SSL_SESSION_set1_master_key(sess, key, len), 0);
    guard(0, || {
        // SAFETY: the caller's promise.
        unsafe { Session::borrow(sess) }.filter(|_| len <= MAX_MASTER_KEY_LENGTH).map_or(
            0,
            |session| {
                // SAFETY: the caller's promise.
                match copied(unsafe { bytes(key, len) }) {
                    Ok(key) => {
                        session.write(|v| v.master_key = key.into());
                        1
                    }
                    // In OpenSSL a session has room for every key, and this cannot happen.
                    Err(no_memory) => {
                        no_memory.raise(ERR_LIB_SSL, c"SSL_SESSION_set1_master_key");
                        0
                    }
                }
            },
        )
    })
}
