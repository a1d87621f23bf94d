//! Files that nobody sees before they are whole: they have no name until then, and end with whoever
//! has them open.
#![allow(unsafe_code)]

use crate::error::Error;
use std::ffi::{CStr, c_int};
use std::fmt::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A file without a name.
#[derive(Debug)]
pub struct Unnamed(OwnedFd);

impl Unnamed {
    /// In the file system of this directory, with exactly this mode.
    pub fn new(directory: BorrowedFd<'_>, mode: libc::mode_t) -> Result<Self, Error> {
        let file = open_at(directory, c".", libc::O_RDWR | libc::O_TMPFILE, mode)?;
        // What the umask took away.
        // SAFETY: a descriptor.
        check("chmod", unsafe { libc::fchmod(file.as_raw_fd(), mode) })?;
        Ok(Unnamed(file))
    }

    /// Gives it this name, if nothing has it: of several that do so at once one succeeds, and the
    /// others get `EEXIST`.
    pub fn publish(&self, directory: BorrowedFd<'_>, name: &CStr) -> Result<(), Error> {
        let mut path = Name::new();
        write!(path, "/proc/self/fd/{}", self.0.as_raw_fd()).map_err(|_| Error::Name)?;
        let link = |from: c_int, path: &CStr, flags| {
            // SAFETY: C strings and descriptors.
            let answer = unsafe {
                libc::linkat(from, path.as_ptr(), directory.as_raw_fd(), name.as_ptr(), flags)
            };
            check("link", answer)
        };
        match link(libc::AT_FDCWD, path.as_c_str()?, libc::AT_SYMLINK_FOLLOW) {
            // Without /proc: root may, and everybody since Linux 6.10.
            Err(error) if error.is(libc::ENOENT) => {
                link(self.0.as_raw_fd(), c"", libc::AT_EMPTY_PATH)
            }
            other => other,
        }
    }

    /// Gives it this name, whatever has it: nobody ever finds nothing there.
    pub fn replace(&self, directory: BorrowedFd<'_>, name: &CStr) -> Result<(), Error> {
        let mut meanwhile = Name::new();
        meanwhile.append(b".")?;
        meanwhile.append(name.to_bytes())?;
        write!(meanwhile, ".{}", std::process::id()).map_err(|_| Error::Name)?;
        let meanwhile = meanwhile.as_c_str()?;
        self.publish(directory, meanwhile)?;
        let directory = directory.as_raw_fd();
        // SAFETY: C strings and a descriptor.
        let renamed = check("rename", unsafe {
            libc::renameat(directory, meanwhile.as_ptr(), directory, name.as_ptr())
        });
        if renamed.is_err() {
            // SAFETY: a C string and a descriptor.
            unsafe { libc::unlinkat(directory, meanwhile.as_ptr(), 0) };
        }
        renamed
    }
}

impl AsFd for Unnamed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Opens a directory, to open files of it.
pub fn open_directory(path: &CStr) -> Result<OwnedFd, Error> {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: a C string.
    owned("open", unsafe { libc::open(path.as_ptr(), flags) })
}

/// Opens a file of a directory.
pub fn open_at(
    directory: BorrowedFd<'_>,
    name: &CStr,
    flags: c_int,
    mode: libc::mode_t,
) -> Result<OwnedFd, Error> {
    let flags = flags | libc::O_CLOEXEC;
    // SAFETY: a descriptor and a C string.
    owned("open", unsafe { libc::openat(directory.as_raw_fd(), name.as_ptr(), flags, mode) })
}

pub(crate) fn owned(at: &'static str, descriptor: c_int) -> Result<OwnedFd, Error> {
    check(at, descriptor)?;
    // SAFETY: a descriptor that the call before has just made.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

pub(crate) fn check(at: &'static str, answer: c_int) -> Result<(), Error> {
    if answer < 0 { Err(Error::last(at)) } else { Ok(()) }
}

/// A file's name, in no memory but its own. There is always a zero behind it.
pub(crate) struct Name {
    bytes: [u8; 256],
    length: usize,
}

impl Name {
    pub(crate) fn new() -> Self {
        Name { bytes: [0; 256], length: 0 }
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let end = self.length + bytes.len();
        if end >= self.bytes.len() {
            return Err(Error::Name);
        }
        self.bytes[self.length..end].copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }

    pub(crate) fn as_c_str(&self) -> Result<&CStr, Error> {
        CStr::from_bytes_until_nul(&self.bytes).map_err(|_| Error::Name)
    }
}

impl Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append(text.as_bytes()).map_err(|_| fmt::Error)
    }
}
