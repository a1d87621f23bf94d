//! d2i_SSL_SESSION(3): a session as DER

use libc::{c_char, c_int, c_long, c_uchar, c_void};

use super::{bytes, made};
use crate::ffi::constants::ERR_LIB_ASN1;
use crate::ffi::handle::Handle;
use crate::ffi::libcrypto::{libcrypto, raise, raise_of};
use crate::ffi::memory::NoMemory;
use crate::ffi::types::{OSSL_LIB_CTX, SSL_SESSION};
use crate::interpose::call;
use crate::standalone::{Session, der};

/// Reads a session from the DER at `*pp`, of which there are `length` bytes at most.
///
/// Ownership: with `a` or `*a` NULL the session is new, the caller has its one reference, and it is
/// stored in `*a` too unless `a` is NULL. Else the session at `*a` takes the values that are read, keeps
/// its references and ex_data, and is returned. A cached session stays where it is, under the id it was
/// added with.
/// Returns NULL with an error queued (without one for an unknown cipher suite, or an id or key that is
/// too long); nothing has changed then. On success `*pp` moves behind the session.
///
/// Without a libssl in the process only DER is read, no other form of BER; libcrypto checks the peer's
/// certificate, if it is there.
/// See d2i_SSL_SESSION(3).
///
/// # Safety
/// `a` is NULL or points to NULL or to a live session; `pp` is NULL or points to NULL or to `length`
/// readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn d2i_SSL_SESSION(
    a: *mut *mut SSL_SESSION,
    pp: *mut *const c_uchar,
    length: c_long,
) -> *mut SSL_SESSION {
    // SAFETY: the caller's promise.
    if pp.is_null() || (length > 0 && unsafe { *pp }.is_null()) {
        return std::ptr::null_mut();
    }
    export_calling_back!(reading a; std::ptr::null_mut(); d2i_SSL_SESSION(a, pp, length);
        // SAFETY: the caller's promise; `pp` is not NULL, nor `*pp` for a length above 0.
        unsafe { decode(a, pp, length) })
}

/// The same as d2i_SSL_SESSION(), with a library context for the peer's key. Without a libssl in the
/// process, and in front of one before 3.2, it is always the default one.
///
/// See d2i_SSL_SESSION_ex(3); since OpenSSL 3.2, and in front of any release.
///
/// # Safety
/// As for d2i_SSL_SESSION(); `libctx` is NULL or live, `propq` NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn d2i_SSL_SESSION_ex(
    a: *mut *mut SSL_SESSION,
    pp: *mut *const c_uchar,
    length: c_long,
    libctx: *mut OSSL_LIB_CTX,
    propq: *const c_char,
) -> *mut SSL_SESSION {
    // SAFETY: the caller's promise.
    if pp.is_null() || (length > 0 && unsafe { *pp }.is_null()) {
        return std::ptr::null_mut();
    }
    export_calling_back!(reading a; 
        |real| call!(real, d2i_SSL_SESSION_ex(a, pp, length, libctx, propq)
            else call!(real, d2i_SSL_SESSION(a, pp, length) else std::ptr::null_mut()));
        // SAFETY: the caller's promise; `pp` is not NULL, nor `*pp` for a length above 0.
        unsafe { decode(a, pp, length) })
}

/// Writes `in_` as DER to `*pp`.
///
/// Ownership: with `*pp` NULL a buffer is allocated, which the caller frees with OPENSSL_free() (without
/// libcrypto in the process: free()), and `*pp` points to its start. Else there must be room at `*pp`,
/// which moves behind what is written. With `pp` NULL nothing is written.
/// Returns the length; 0 for NULL, and for a session that never had a cipher suite.
///
/// See i2d_SSL_SESSION(3).
///
/// # Safety
/// `in_` is NULL or live; `pp` is NULL or points to NULL or to enough writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn i2d_SSL_SESSION(
    in_: *const SSL_SESSION,
    pp: *mut *mut c_uchar,
) -> c_int {
    if in_.is_null() {
        return 0;
    }
    export!(in_; 0; i2d_SSL_SESSION(in_, pp);
        // SAFETY: the caller's promise.
        unsafe { encode(in_, pp) }.unwrap_or(0))
}

/// d2i_SSL_SESSION() for a session of ours: libcrypto's PEM functions are given it, too.
///
/// # Safety
/// As for d2i_SSL_SESSION(); `pp` is not NULL, nor `*pp` for a length above 0.
pub(super) unsafe extern "C-unwind" fn decode(
    a: *mut *mut SSL_SESSION,
    pp: *mut *const c_uchar,
    length: c_long,
) -> *mut SSL_SESSION {
    // SAFETY: the caller's promise. A length below 0 is none, as one of 0.
    let input = unsafe { bytes(*pp, usize::try_from(length).unwrap_or(0)) };
    let (values, taken) = match der::decode(input) {
        Ok(decoded) => decoded,
        Err(refused) => {
            report(refused);
            return std::ptr::null_mut();
        }
    };
    // SAFETY: the caller's promise.
    let given = if a.is_null() { None } else { unsafe { Session::borrow(*a) } };
    let session = match given {
        Some(session) => {
            session.replace(values);
            session.as_c()
        }
        None => made(Session::with_values(values).map(Session::into_c), c"SSL_SESSION_new"),
    };
    if session.is_null() {
        return session;
    }
    // SAFETY: the caller's promise; `taken` is within the input.
    unsafe {
        *pp = (*pp).add(taken);
        if !a.is_null() {
            *a = session;
        }
    }
    session
}

fn report(refused: der::Refused) {
    const FUNCTION: &std::ffi::CStr = c"d2i_SSL_SESSION";
    match refused {
        der::Refused::Asn1(reasons) => {
            reasons.iter().for_each(|&reason| raise_of(ERR_LIB_ASN1, reason, FUNCTION));
        }
        der::Refused::Value(reason) => raise(reason, FUNCTION),
        der::Refused::Silently => {}
    }
}

/// # Safety
/// As for i2d_SSL_SESSION(); `in_` is not NULL.
unsafe fn encode(in_: *const SSL_SESSION, pp: *mut *mut c_uchar) -> Option<c_int> {
    // SAFETY: the caller's promise.
    let der = match unsafe { Session::borrow(in_) }?.read(der::encode) {
        Ok(der) => der?,
        Err(no_memory) => {
            no_memory.raise(ERR_LIB_ASN1, c"i2d_SSL_SESSION");
            return Some(-1);
        }
    };
    let len = c_int::try_from(der.len()).ok()?;
    if pp.is_null() {
        return Some(len);
    }
    // SAFETY: the caller's promise: NULL, or room for the length we name; a new buffer has it too.
    unsafe {
        let allocate = (*pp).is_null();
        let to = if allocate { allocate_for_c(der.len()) } else { *pp };
        if to.is_null() {
            NoMemory.raise(ERR_LIB_ASN1, c"i2d_SSL_SESSION");
            return Some(-1);
        }
        std::ptr::copy_nonoverlapping(der.as_ptr(), to, der.len());
        *pp = if allocate { to } else { to.add(der.len()) };
    }
    Some(len)
}

/// Memory that OPENSSL_free() frees; free(), without libcrypto.
fn allocate_for_c(len: usize) -> *mut c_uchar {
    let memory: *mut c_void = match libcrypto().and_then(|crypto| crypto.CRYPTO_malloc) {
        // SAFETY: the file's name is a static C string.
        Some(allocate) => unsafe { allocate(len, c"sslcache".as_ptr(), 0) },
        // SAFETY: any length.
        None => unsafe { libc::malloc(len) },
    };
    memory.cast()
}
