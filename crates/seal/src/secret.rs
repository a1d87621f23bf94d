//! A place for keys: a page that is in no core file, is not swapped, and, where the kernel can do
//! that, is reached by this process's own instructions alone (`memfd_secret`).
//!
//! Children by `fork` have it, too; a program that is executed has not.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

use libc::{c_int, c_void};

/// How well a secret is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kept {
    /// Swapping may write it to a disk: memory may not be locked here.
    Plain,
    /// It stays in memory.
    Locked,
    /// Not even the kernel reads it for somebody else.
    Secret,
}

/// A value in such a page, which nobody changes, and which is wiped when it goes.
pub struct Secret<T> {
    page: NonNull<c_void>,
    kept: Kept,
    _value: PhantomData<T>,
}

// SAFETY: it is a `T` that is only read.
unsafe impl<T: Send> Send for Secret<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Secret<T> {}

impl<T: Copy> Secret<T> {
    /// The value that `fill` makes, there and nowhere else: of one that is none, in a page of
    /// zeros. `None`: there is no memory.
    pub fn new(zeros: T, fill: impl FnOnce(&mut T)) -> Option<Self> {
        const { assert!(align_of::<T>() <= 4096) };
        let (page, kept) = secret_page(size_of::<T>())
            .map(|page| (page, Kept::Secret))
            .or_else(|| plain_page(size_of::<T>()))?;
        // SAFETY: the page is new, large enough, and aligned.
        unsafe { page.cast::<T>().write(zeros) };
        // SAFETY: written just now; nobody else has it.
        fill(unsafe { page.cast::<T>().as_mut() });
        // From here on a write to it is a mistake.
        // SAFETY: the mapping just made.
        unsafe { libc::mprotect(page.as_ptr(), size_of::<T>(), libc::PROT_READ) };
        Some(Secret { page, kept, _value: PhantomData })
    }

    /// How well it is kept.
    pub fn kept(&self) -> Kept {
        self.kept
    }
}

impl<T> Deref for Secret<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: written by `new`, and not changed since.
        unsafe { self.page.cast().as_ref() }
    }
}

/// A child's drop does not wipe what the parent still reads: a page of `memfd_secret` is shared,
/// and goes with the last process that has it.
impl<T> Drop for Secret<T> {
    fn drop(&mut self) {
        let size = size_of::<T>();
        if self.kept != Kept::Secret {
            let rights = libc::PROT_READ | libc::PROT_WRITE;
            // SAFETY: the whole mapping, which nobody borrows any more.
            if unsafe { libc::mprotect(self.page.as_ptr(), size, rights) } == 0 {
                // SAFETY: as above: as many bytes of it as a `T` has.
                let bytes: &mut [u8] =
                    unsafe { std::slice::from_raw_parts_mut(self.page.cast().as_ptr(), size) };
                zeroize::Zeroize::zeroize(bytes);
            }
        }
        // SAFETY: the whole mapping, which nobody borrows any more.
        unsafe { libc::munmap(self.page.as_ptr(), size) };
    }
}

/// A page that the kernel itself does not map.
fn secret_page(size: usize) -> Option<NonNull<c_void>> {
    if is_filtered() {
        return None;
    }
    // SAFETY: makes a descriptor; a kernel without it says so.
    let file = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) } as c_int;
    if file < 0 {
        return None;
    }
    let length = libc::off_t::try_from(size).ok()?;
    // SAFETY: a descriptor.
    let page = if unsafe { libc::ftruncate(file, length) } == 0 {
        map(size, libc::MAP_SHARED, file)
    } else {
        None
    };
    // SAFETY: a descriptor of this function's own; a mapping outlives it.
    unsafe { libc::close(file) };
    page
}

/// Whether the process has a filter of system calls, as systemd's `SystemCallFilter=` is one. It may
/// end the process for a call that it does not know, as this one is to most.
fn is_filtered() -> bool {
    // SAFETY: only asks.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP) != 0 }
}

fn plain_page(size: usize) -> Option<(NonNull<c_void>, Kept)> {
    let page = map(size, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)?;
    // SAFETY: the mapping just made. (Where that cannot be, a core file has it.)
    unsafe { libc::madvise(page.as_ptr(), size, libc::MADV_DONTDUMP) };
    // SAFETY: as above.
    let locked = unsafe { libc::mlock(page.as_ptr(), size) } == 0;
    Some((page, if locked { Kept::Locked } else { Kept::Plain }))
}

fn map(size: usize, flags: c_int, file: c_int) -> Option<NonNull<c_void>> {
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping, where the kernel likes: nothing else is there.
    let page = unsafe { libc::mmap(std::ptr::null_mut(), size, rights, flags, file, 0) };
    if page == libc::MAP_FAILED { None } else { NonNull::new(page) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    #[test]
    fn a_secret_is_what_was_put_there() {
        let secret = Secret::new([0u8; 1000], |value| value.fill(7)).unwrap();
        assert_eq!(*secret, [7; 1000]);
        println!("kept: {:?}", secret.kept());
    }

    #[test]
    fn what_the_kernel_keeps_nobody_reads_through_proc() {
        let secret = Secret::new([0u8; 16], |value| value.fill(7)).unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let at = secret.page.as_ptr().addr() as u64;
        let read = memory.read_at(&mut [0; 16], at);
        assert_eq!(read.is_err(), secret.kept() == Kept::Secret, "{:?}: {read:?}", secret.kept());
    }

    #[test]
    fn a_child_has_it_and_its_end_takes_nothing_away() {
        let secret = Secret::new([0u8; 16], |value| value.fill(7)).unwrap();
        // SAFETY: the child only reads, unmaps, and ends.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let good = *secret == [7; 16];
            drop(secret);
            // SAFETY: has no conditions.
            unsafe { libc::_exit(i32::from(!good)) };
        }
        let mut status = 0;
        // SAFETY: a child of ours, and a place for the answer.
        unsafe { libc::waitpid(pid, &mut status, 0) };
        assert_eq!((status, *secret), (0, [7; 16]));
    }

    #[test]
    fn without_memfd_secret_it_is_a_page_of_its_own() {
        let (page, kept) = plain_page(64).unwrap();
        assert!(kept < Kept::Secret);
        // SAFETY: the mapping just made.
        unsafe { libc::munmap(page.as_ptr(), 64) };
    }
}
