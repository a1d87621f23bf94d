//! The C functions, one file per manual page of OpenSSL, named as the page. No logic here: each body
//! passes the call to the real libssl where there is one, and to `standalone` where there is none.

#![allow(non_snake_case, non_camel_case_types)]

use std::ffi::CStr;

use libc::{c_int, c_uchar, c_uint, size_t};

use crate::cache::Key;
use crate::ffi::constants::{ERR_LIB_CRYPTO, ERR_LIB_SSL};
use crate::ffi::memory::{NoMemory, copied};

/// Who answers: for an object that is passed, for a call that makes one (with what it makes it of or
/// reads it into), for a question.
macro_rules! answering {
    (asking) => {
        crate::standing::asking()
    };
    (making) => {
        crate::standing::making()
    };
    (method $method:ident) => {
        crate::standing::making_with($method)
    };
    (reading $place:ident) => {
        // SAFETY: the caller's promise.
        unsafe { crate::standing::reading($place) }
    };
    ($object:ident) => {
        crate::standing::of($object)
    };
}

/// The body of an exported function: who answers, the failure value, the real function with its
/// arguments, and what to do if we answer ourselves. Where OpenSSL would crash on NULL, the failure
/// value is returned.
macro_rules! export {
    ($($who:ident)+; $failure:expr; $function:ident($($argument:expr),* $(,)?); $standalone:expr) => {
        match answering!($($who)+) {
            Some(real) => crate::interpose::call!(real, $function($($argument),*) else $failure),
            None => crate::ffi::guard::guard($failure, || $standalone),
        }
    };
}

/// The same for a function with a part of its own in front of a real libssl: `|real| expression`.
macro_rules! export_both {
    ($($who:ident)+; $failure:expr; |$real:ident| $interposed:expr; $standalone:expr) => {
        match answering!($($who)+) {
            Some($real) => crate::ffi::guard::guard($failure, || $interposed),
            None => crate::ffi::guard::guard($failure, || $standalone),
        }
    };
}

/// The same for a function that may call back into the application: no guard stands around that
/// (`ffi::guard` says why), and what there is to guard is guarded within.
macro_rules! export_calling_back {
    ($($who:ident)+; |$real:ident| $interposed:expr; $standalone:expr) => {
        match answering!($($who)+) {
            Some($real) => $interposed,
            None => $standalone,
        }
    };
    ($($who:ident)+; $failure:expr; $function:ident($($argument:expr),* $(,)?); $standalone:expr) => {
        match answering!($($who)+) {
            Some(real) => crate::interpose::call!(real, $function($($argument),*) else $failure),
            None => $standalone,
        }
    };
}

pub mod d2i_ssl_session;
pub mod pem_read_bio_ssl_session;
pub mod ssl_cipher_get_name;
pub mod ssl_ctx_add_session;
pub mod ssl_ctx_ctrl;
pub mod ssl_ctx_flush_sessions;
pub mod ssl_ctx_new;
pub mod ssl_ctx_sess_set_get_cb;
pub mod ssl_ctx_sessions;
pub mod ssl_ctx_set_ex_data;
pub mod ssl_ctx_set_generate_session_id;
pub mod ssl_ctx_set_session_id_context;
pub mod ssl_ctx_set_session_ticket_cb;
pub mod ssl_ctx_set_timeout;
pub mod ssl_get_client_random;
pub mod ssl_get_session;
pub mod ssl_new;
pub mod ssl_read_early_data;
pub mod ssl_session_free;
pub mod ssl_session_get0_cipher;
pub mod ssl_session_get0_hostname;
pub mod ssl_session_get0_id_context;
pub mod ssl_session_get0_peer;
pub mod ssl_session_get_compress_id;
pub mod ssl_session_get_protocol_version;
pub mod ssl_session_get_time;
pub mod ssl_session_has_ticket;
pub mod ssl_session_is_resumable;
pub mod ssl_session_print;
pub mod ssl_session_set1_id;
pub mod sslcache;

/// The bytes C points to; empty for a length of 0, whatever the pointer.
///
/// # Safety
/// `pointer` points to `len` readable bytes, or `len` is 0.
pub(crate) unsafe fn bytes<'a>(pointer: *const c_uchar, len: size_t) -> &'a [u8] {
    if len == 0 || pointer.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise; not NULL.
    unsafe { std::slice::from_raw_parts(pointer, len) }
}

/// What C gets of an object that was made: NULL without memory, with the error on libcrypto's queue.
pub(crate) fn made<T>(object: Result<*mut T, NoMemory>, function: &'static CStr) -> *mut T {
    object.unwrap_or_else(|no_memory| {
        no_memory.raise(ERR_LIB_SSL, function);
        std::ptr::null_mut()
    })
}

/// A copy of the bytes C points to; `None` if there are none. OpenSSL clears a value when there is no
/// memory for the new one, and queues what is queued here: so the caller is to do with an error.
///
/// # Safety
/// `pointer` is NULL or points to `len` readable bytes.
pub(crate) unsafe fn copy(
    pointer: *const c_uchar,
    len: size_t,
) -> Result<Option<Vec<u8>>, NoMemory> {
    if pointer.is_null() || len == 0 {
        return Ok(None);
    }
    // No object is longer: there is no slice of it.
    let copy = if len > isize::MAX as usize {
        Err(NoMemory)
    } else {
        // SAFETY: the caller's promise.
        copied(unsafe { bytes(pointer, len) })
    };
    copy.map(Some).inspect_err(|no_memory| no_memory.raise(ERR_LIB_CRYPTO, c"CRYPTO_memdup"))
}

/// Whether C says that there are bytes, but not where: OpenSSL crashes.
pub(crate) fn nowhere(pointer: *const c_uchar, len: size_t) -> bool {
    pointer.is_null() && len > 0
}

/// The key for a version and an id from C; `None` if the id is longer than one can be.
///
/// # Safety
/// `id` points to `len` readable bytes, unless `len` is 0 or more than 32.
pub(crate) unsafe fn key(version: c_int, id: *const c_uchar, len: c_uint) -> Option<Key> {
    let len = len as usize;
    if id.is_null() {
        return if len == 0 { Key::new(version, &[]) } else { None };
    }
    if len > Key::MAX_ID {
        return None;
    }
    // SAFETY: the caller's promise; not NULL.
    Key::new(version, unsafe { std::slice::from_raw_parts(id, len) })
}

/// Gives `value` through two pointers from C, NULL and 0 if there is none. A NULL `data` is left alone.
///
/// # Safety
/// `data` is NULL or writable, `len` is writable; C uses the bytes only as long as `value` stays.
pub(crate) unsafe fn give(value: Option<&Vec<u8>>, data: *mut *const c_uchar, len: *mut size_t) {
    let pointer = value.map_or(std::ptr::null(), |value| value.as_ptr());
    // SAFETY: the caller's promise.
    unsafe {
        if !data.is_null() {
            *data = pointer;
        }
        *len = value.map_or(0, Vec::len);
    }
}
