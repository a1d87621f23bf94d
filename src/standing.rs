//! Which of the two standings this process is in, decided once, at the first call.
//!
//! A real libssl in the process means interposed: its own code may call us with its own objects, so
//! returning one of ours would be fatal. It is looked for in two steps, because a libssl that came
//! with a module by `dlopen(RTLD_LOCAL)` (as with CPython) is not in any search order.

use std::ffi::{CStr, CString};
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

use libc::{c_int, c_void};

use crate::interpose::Real;
use crate::report;

/// Null: not decided. `STANDALONE`: no libssl. Otherwise the real one's functions.
static DECIDED: AtomicPtr<Real> = AtomicPtr::new(std::ptr::null_mut());

/// A marker that is no table's address: tables are aligned.
const STANDALONE: *mut Real = std::ptr::without_provenance_mut(1);

/// The real libssl, if there is one; `None` in the standalone standing.
#[inline(always)]
pub fn real() -> Option<&'static Real> {
    let mut decided = DECIDED.load(Ordering::Acquire);
    if decided.is_null() {
        decided = decide();
    }
    if decided == STANDALONE {
        None
    } else {
        // SAFETY: neither null nor the marker: a table that was leaked, so it lives for ever.
        Some(unsafe { &*decided })
    }
}

#[cold]
fn decide() -> *mut Real {
    static DECIDE: Once = Once::new();
    DECIDE.call_once(|| {
        let standing = match find_libssl() {
            Some((handle, path)) => {
                report::verbose(format_args!(
                    "interposed: in front of {}",
                    path.to_bytes().escape_ascii()
                ));
                // SAFETY: `find_libssl` opened it, and nobody closes it.
                let real = unsafe { Real::from_library(handle) };
                let real: &'static Real = Box::leak(Box::new(real));
                std::ptr::from_ref(real).cast_mut()
            }
            None => {
                report::verbose("standalone: no libssl in this process");
                STANDALONE
            }
        };
        DECIDED.store(standing, Ordering::Release);
    });
    DECIDED.load(Ordering::Acquire)
}

/// A function of libssl that every release has, and that nobody else defines.
const PROBE: &CStr = c"SSL_CTX_new";

/// A handle for the libssl that is loaded, and its path.
fn find_libssl() -> Option<(*mut c_void, CString)> {
    next_in_search_order().or_else(loaded_somewhere)
}

/// The libssl behind us in the search order: linked by the program, or loaded globally.
fn next_in_search_order() -> Option<(*mut c_void, CString)> {
    // SAFETY: dlsym with a C string.
    let probe = unsafe { libc::dlsym(libc::RTLD_NEXT, PROBE.as_ptr()) };
    if probe.is_null() { None } else { library_of(probe) }
}

/// A libssl that is loaded, but that we are not in the search order of.
fn loaded_somewhere() -> Option<(*mut c_void, CString)> {
    ["libssl.so.3", "libssl.so.4", "libssl.so.1.1"].iter().find_map(|name| {
        let handle = loaded(&CString::new(*name).expect("no NUL in it"))?;
        // SAFETY: a handle from dlopen.
        let probe = unsafe { libc::dlsym(handle, PROBE.as_ptr()) };
        library_of(probe)
    })
}

/// A handle for a library that is loaded already. It is never given back: the library stays.
fn loaded(name: &CStr) -> Option<*mut c_void> {
    const FLAGS: c_int = libc::RTLD_NOLOAD | libc::RTLD_LAZY;
    // SAFETY: dlopen with a C string; RTLD_NOLOAD runs no constructors.
    let handle = unsafe { libc::dlopen(name.as_ptr(), FLAGS) };
    (!handle.is_null()).then_some(handle)
}

/// The library that `address` is in: a handle that also searches what it depends on (libcrypto).
fn library_of(address: *mut c_void) -> Option<(*mut c_void, CString)> {
    if address.is_null() {
        return None;
    }
    // SAFETY: all zero is a Dl_info; dladdr fills it for any address.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    if unsafe { libc::dladdr(address, &mut info) } == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: dladdr gives a C string that lives as long as the library.
    let path = unsafe { CStr::from_ptr(info.dli_fname) }.to_owned();
    // A library that is part of the program itself has the program's handle.
    let handle = loaded(&path).or_else(|| {
        // SAFETY: NULL is the program.
        let program = unsafe { libc::dlopen(std::ptr::null(), libc::RTLD_LAZY) };
        (!program.is_null()).then_some(program)
    })?;
    Some((handle, path))
}
