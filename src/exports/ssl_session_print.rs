//! SSL_SESSION_print(3): a session as text

use libc::{c_int, c_void};

use crate::ffi::constants::ERR_LIB_SSL;
use crate::ffi::guard::guard;
use crate::ffi::handle::Handle;
use crate::ffi::libcrypto::libcrypto;
use crate::ffi::memory::NoMemory;
use crate::ffi::streams::fwrite;
use crate::ffi::types::{BIO, FILE, SSL_SESSION};
use crate::standalone::{Session, Values, print};
use crate::standing;

/// Prints every value of `ses` to `fp`, the master key too, for people to read.
///
/// Returns 1; 0 if it could not be written, or for NULL.
/// Without libcrypto in the process the verify result is a number only.
/// See SSL_SESSION_print_fp(3).
///
/// # Safety
/// `fp` is NULL or an open stream, `ses` NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_print_fp(
    fp: *mut FILE,
    ses: *const SSL_SESSION,
) -> c_int {
    if fp.is_null() {
        return 0;
    }
    forward!(standing::of(ses), SSL_SESSION_print_fp(fp, ses), 0);
    // SAFETY: the caller's promise.
    let session = unsafe { Session::borrow(ses) };
    let Some(text) = session.and_then(|session| text(session, print::print)) else { return 0 };
    // SAFETY: the caller's promise; the text's own length.
    let written = unsafe { fwrite(text.as_ptr().cast(), 1, text.len(), fp) };
    (written == text.len()).into()
}

/// Prints every value of `ses` to `bp`, the master key too, for people to read.
///
/// Returns 1; 0 if it could not be written, or for NULL.
/// See SSL_SESSION_print(3).
///
/// # Safety
/// `bp` is NULL or live, `ses` NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_print(bp: *mut BIO, ses: *const SSL_SESSION) -> c_int {
    forward!(standing::of(ses), SSL_SESSION_print(bp, ses), 0);
    // SAFETY: the caller's promise.
    let session = unsafe { Session::borrow(ses) };
    let text = session.and_then(|session| text(session, print::print));
    // SAFETY: the caller's promise.
    text.map_or(0, |text| unsafe { write(bp, &text) })
}

/// Prints the id and the master key of `ses` to `bp`, in one line of a key log.
///
/// Returns 1; 0 without an id or a master key, if it could not be written, or for NULL.
/// See SSL_SESSION_print_keylog(3).
///
/// # Safety
/// `bp` is NULL or live, `ses` NULL or live.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SSL_SESSION_print_keylog(
    bp: *mut BIO,
    ses: *const SSL_SESSION,
) -> c_int {
    forward!(standing::of(ses), SSL_SESSION_print_keylog(bp, ses), 0);
    // SAFETY: the caller's promise.
    let session = unsafe { Session::borrow(ses) };
    let text = session.and_then(|session| text(session, print::print_keylog).flatten());
    // SAFETY: the caller's promise.
    text.map_or(0, |text| unsafe { write(bp, &text) })
}

/// What `print` makes of the session; `None` without memory, with the error queued.
fn text<T>(session: &Session, print: fn(&Values) -> Result<T, NoMemory>) -> Option<T> {
    let text = guard(Err(NoMemory), || session.read(print));
    text.inspect_err(|no_memory| no_memory.raise(ERR_LIB_SSL, c"SSL_SESSION_print")).ok()
}

/// Writes to a BIO. There is none without libcrypto to make one.
///
/// # Safety
/// `bp` is NULL or live.
unsafe fn write(bp: *mut BIO, text: &[u8]) -> c_int {
    let (Some(crypto), Ok(len)) = (libcrypto(), c_int::try_from(text.len())) else { return 0 };
    let (Some(write), false) = (crypto.BIO_write, bp.is_null()) else { return 0 };
    // SAFETY: the caller's promise; not NULL.
    let written = unsafe { write(bp, text.as_ptr().cast::<c_void>(), len) };
    (written == len).into()
}
