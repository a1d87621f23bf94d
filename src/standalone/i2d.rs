//! A session of our own to and from DER in buffers of C: what `d2i_SSL_SESSION` and
//! `i2d_SSL_SESSION` do with their pointers.

use libc::{c_int, c_long, c_uchar, c_void};

use super::{Session, der};
use crate::ffi::args::{bytes, made};
use crate::ffi::constants::ERR_LIB_ASN1;
use crate::ffi::errors::{raise, raise_of};
use crate::ffi::handle::Handle;
use crate::ffi::libcrypto::libcrypto;
use crate::ffi::memory::NoMemory;
use crate::ffi::types::SSL_SESSION;

/// d2i_SSL_SESSION() for a session of ours: libcrypto's PEM functions are given it, too.
///
/// # Safety
/// As for d2i_SSL_SESSION(); `pp` is not NULL, nor `*pp` for a length above 0.
pub unsafe extern "C-unwind" fn decode(
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
pub unsafe fn encode(in_: *const SSL_SESSION, pp: *mut *mut c_uchar) -> Option<c_int> {
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
