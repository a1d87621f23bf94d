//! What C passes: pointers and lengths, as values of Rust.

use std::ffi::CStr;

use libc::{c_int, c_uchar, c_uint, size_t};

use super::constants::{ERR_LIB_CRYPTO, ERR_LIB_SSL};
use super::errors;
use super::memory::{NoMemory, copied};
use crate::cache::Key;

/// The bytes C points to; empty for a length of 0, whatever the pointer.
///
/// # Safety
/// `pointer` points to `len` readable bytes, or `len` is 0.
pub unsafe fn bytes<'a>(pointer: *const c_uchar, len: size_t) -> &'a [u8] {
    if len == 0 || pointer.is_null() {
        return &[];
    }
    // SAFETY: the caller's promise; not NULL.
    unsafe { std::slice::from_raw_parts(pointer, len) }
}

/// What C gets of an object that was made: NULL without memory, with the error on libcrypto's
/// queue.
pub fn made<T>(object: Result<*mut T, NoMemory>, function: &'static CStr) -> *mut T {
    object.unwrap_or_else(|no_memory| {
        no_memory.raise(ERR_LIB_SSL, function);
        std::ptr::null_mut()
    })
}

/// A copy of the bytes C points to; `None` if there are none. OpenSSL clears a value when there is
/// no memory for the new one, and queues what is queued here: so the caller is to do with an error.
///
/// # Safety
/// `pointer` is NULL or points to `len` readable bytes.
pub unsafe fn copied_bytes(
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
pub fn null_with_length(pointer: *const c_uchar, len: size_t) -> bool {
    pointer.is_null() && len > 0
}

/// Up to 32 bytes from C, an id or an id context; `None` with `too_long` queued for more.
///
/// # Safety
/// `pointer` points to `len` readable bytes, unless `len` is 0 or more than 32.
pub unsafe fn short_bytes<'a>(
    pointer: *const c_uchar,
    len: c_uint,
    too_long: c_int,
    function: &'static CStr,
) -> Option<&'a [u8]> {
    let len = len as usize;
    if len > Key::MAX_ID {
        errors::raise(too_long, function);
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { bytes(pointer, len) })
}

/// Whether there is nothing that could be set: no object, or an id of a length that is no error,
/// but no pointer to it. OpenSSL crashes.
pub fn nothing_to_set<T>(object: *const T, pointer: *const c_uchar, len: c_uint) -> bool {
    let len = len as usize;
    len <= Key::MAX_ID && (object.is_null() || null_with_length(pointer, len))
}

/// The key for a version and an id from C; `None` if the id is longer than one can be.
///
/// # Safety
/// `id` points to `len` readable bytes, unless `len` is 0 or more than 32.
pub unsafe fn key(version: c_int, id: *const c_uchar, len: c_uint) -> Option<Key> {
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

/// Writes `value` through two pointers from C, NULL and 0 if there is none. A NULL `data` is left
/// alone.
///
/// # Safety
/// `data` is NULL or writable, `len` is writable; C uses the bytes only as long as `value` stays.
pub unsafe fn write_out(value: Option<&Vec<u8>>, data: *mut *const c_uchar, len: *mut size_t) {
    let pointer = value.map_or(std::ptr::null(), |value| value.as_ptr());
    // SAFETY: the caller's promise.
    unsafe {
        if !data.is_null() {
            *data = pointer;
        }
        *len = value.map_or(0, Vec::len);
    }
}
