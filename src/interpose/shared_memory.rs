//! Contexts in memory that processes share.
//!
//! A server may have libcrypto allocate from a mapping that its worker processes share, so that a
//! context made in one is used, and freed, in another. libssl's own cache is in that memory too;
//! ours is not. Such a context is left alone.

use std::ffi::CStr;

use crate::ffi::real::{Real, call};
use crate::ffi::types::Malloc;
use crate::undisturbed::Undisturbed;

/// Whether other processes may see the object at this address change. If it cannot be known: yes.
pub fn is_shared(real: &Real, object: usize) -> bool {
    // libcrypto's own functions allocate from the heap, and that is nobody else's.
    has_own_allocator(real) && mapping_is_shared(object).unwrap_or(true)
}

/// Whether the program gave libcrypto functions of its own. It cannot, once there is an object.
fn has_own_allocator(real: &Real) -> bool {
    let (mut malloc, null): (Malloc, _) = (None, std::ptr::null_mut());
    // SAFETY: a place for one answer; NULL for those that nobody wants.
    unsafe { call!(real, CRYPTO_get_mem_functions(&mut malloc, null, null), ()) };
    malloc.map(|f| f as usize) != real.CRYPTO_malloc.map(|f| f as usize)
}

/// Whether the mapping of `address` is a shared one; `None` if the kernel does not say.
fn mapping_is_shared(address: usize) -> Option<bool> {
    const MAPS: &CStr = c"/proc/self/maps";
    // libssl makes no context where a thread may be cancelled.
    let _undisturbed = Undisturbed::begin();
    // SAFETY: a C string.
    let file = unsafe { libc::open(MAPS.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return None;
    }
    let mut buffer = [0; 4096];
    let mut lines = Lines { bytes: [0; 40], len: 0 };
    let answer = loop {
        // SAFETY: the buffer and its size.
        let read = unsafe { libc::read(file, buffer.as_mut_ptr().cast(), buffer.len()) };
        let Some(read) = usize::try_from(read).ok().filter(|&read| read > 0) else { break None };
        if let Some(shared) = buffer[..read].iter().find_map(|&byte| lines.next(byte, address)) {
            break Some(shared);
        }
    };
    // SAFETY: opened above.
    unsafe { libc::close(file) };
    answer
}

/// The beginning of a line, `7f0c00000000-7f0c00021000 rw-s ...`; its rest is passed over. Nothing
/// is allocated.
struct Lines {
    bytes: [u8; 40],
    len: usize,
}

impl Lines {
    /// Takes the next byte. At the end of a line whose range has `address`: whether it is shared.
    fn next(&mut self, byte: u8, address: usize) -> Option<bool> {
        if byte != b'\n' {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = byte;
                self.len += 1;
            }
            return None;
        }
        let line = std::str::from_utf8(&self.bytes[..self.len]).ok();
        self.len = 0;
        let (range, permissions) = line?.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let number = |digits| usize::from_str_radix(digits, 16).ok();
        (number(start)?..number(end)?)
            .contains(&address)
            .then_some(permissions.as_bytes().get(3) == Some(&b's'))
    }
}

#[cfg(test)]
mod tests {
    use libc::c_int;

    use super::*;

    fn mapped(flags: c_int) -> bool {
        let read = libc::PROT_READ;
        // SAFETY: a mapping of our own, which stays.
        let page = unsafe { libc::mmap(std::ptr::null_mut(), 4096, read, flags, -1, 0) };
        assert_ne!(page, libc::MAP_FAILED);
        mapping_is_shared(page.addr() + 4095).expect("it is mapped")
    }

    #[test]
    fn a_shared_mapping_is_told_from_a_private_one() {
        assert!(mapped(libc::MAP_ANONYMOUS | libc::MAP_SHARED));
        assert!(!mapped(libc::MAP_ANONYMOUS | libc::MAP_PRIVATE));
        assert_eq!(mapping_is_shared(8), None);
    }
}
