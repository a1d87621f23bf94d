//! The mapping: the one place that turns shared memory into Rust's references.
//!
//! It rests on three rules:
//!
//! 1. *The memory is there* as long as the [`Mapping`]: it is unmapped by its drop alone. (Where
//!    the file is shorter than the mapping a look at it is SIGBUS, as with every mapped file.
//!    Nobody of ours makes a file shorter, and one that nobody has a name for, `anonymous`, is
//!    sealed against it.)
//! 2. *Everything in it is an atomic integer*, for which every value is one. So references may be
//!    shared with whoever else stores there, in this process or another.
//! 3. *Its size is that of a [`Head`] and so many [`Set`]s*, which is what the file was when it was
//!    mapped.
#![allow(unsafe_code)]

use crate::error::Error;
use crate::layout::{HEAD, Head, SET, Set};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

/// What is done with the memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// It is read, and that alone: a store into it would end the process.
    Read,
    /// It is read and written.
    Write,
}

/// A segment in this process's memory.
pub(crate) struct Mapping {
    base: NonNull<u8>,
    sets: usize,
}

// SAFETY: rules 1 and 2: it is memory that stays, full of atomics, whichever thread has it.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps a file with so many sets: rule 3.
    pub(crate) fn new(file: BorrowedFd<'_>, sets: u64, access: Access) -> Result<Self, Error> {
        let sets = usize::try_from(sets).map_err(|_| Error::Size)?;
        let size = size(sets).ok_or(Error::Size)?;
        let rights = match access {
            Access::Read => libc::PROT_READ,
            Access::Write => libc::PROT_READ | libc::PROT_WRITE,
        };
        let null = std::ptr::null_mut();
        // SAFETY: a new mapping, where the kernel likes: nothing else is there.
        let base = unsafe { libc::mmap(null, size, rights, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(Error::last("mmap"));
        }
        // A core file is not to have other processes' records. (Where that cannot be, it has them.)
        // SAFETY: the mapping just made.
        unsafe { libc::madvise(base, size, libc::MADV_DONTDUMP) };
        let base = NonNull::new(base.cast()).ok_or(Error::Size)?;
        Ok(Mapping { base, sets })
    }

    /// How many bytes it has.
    pub(crate) fn size(&self) -> u64 {
        size(self.sets).map_or(0, |size| size as u64)
    }

    #[inline(always)]
    pub(crate) fn head(&self) -> &Head {
        // SAFETY: rules 1 to 3; a mapping begins at a page.
        unsafe { self.base.cast().as_ref() }
    }

    #[inline(always)]
    pub(crate) fn sets(&self) -> &[Set] {
        // SAFETY: rule 3: the sets are behind the head, which has a multiple of their alignment.
        let first = unsafe { self.base.add(HEAD) };
        // SAFETY: rules 1 to 3.
        unsafe { std::slice::from_raw_parts(first.cast().as_ptr(), self.sets) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if let Some(size) = size(self.sets) {
            // SAFETY: the whole mapping, which nobody borrows any more.
            unsafe { libc::munmap(self.base.as_ptr().cast(), size) };
        }
    }
}

fn size(sets: usize) -> Option<usize> {
    sets.checked_mul(SET)?.checked_add(HEAD).filter(|&size| size <= isize::MAX as usize)
}
