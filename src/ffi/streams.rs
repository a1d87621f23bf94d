//! The C library's streams, whose functions need not return: a stream may be the application's own
//! (`fopencookie`), and a thread may be cancelled while it reads or writes. The libc crate's own
//! declarations say otherwise.

use libc::{c_char, c_int, c_void, size_t};

use super::types::FILE;

unsafe extern "C-unwind" {
    /// fgets(3)
    pub fn fgets(to: *mut c_char, size: c_int, from: *mut FILE) -> *mut c_char;
    /// fwrite(3)
    pub fn fwrite(from: *const c_void, size: size_t, count: size_t, to: *mut FILE) -> size_t;
}
