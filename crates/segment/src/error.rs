//! Why a segment is not opened.
#![allow(unsafe_code)]

use crate::host::errno;
use std::ffi::{CStr, c_char, c_int};
use std::fmt;

/// Why a segment is not opened. `Display` has it as half a sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// A system call failed, with this `errno`, at this.
    System(&'static str, c_int),
    /// The name is too long for a file.
    Name,
    /// The size is less than a segment's, or more than the largest.
    Size,
    /// It is not a regular file.
    NotAFile,
    /// It belongs neither to this user nor to root.
    Owner,
    /// Others may write to it, or a group that was not named.
    Mode,
    /// It is not in memory (tmpfs): what is in it would be written to a disk.
    OnDisk,
    /// Parts of it have no memory: it was not made by this library.
    Holes,
    /// It is no segment, or damaged.
    NoSegment,
    /// It is a segment of another format.
    Format,
    /// Its size is not what it says.
    Truncated,
}

impl Error {
    /// What the last system call said.
    pub fn last(at: &'static str) -> Self {
        Error::System(at, errno())
    }

    /// Returns `true` if a system call failed with this `errno`.
    pub fn is(&self, errno: c_int) -> bool {
        matches!(self, Error::System(_, code) if *code == errno)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::System(at, errno) => return write!(f, "{at}: {}", Errno(*errno)),
            Error::Name => "its name is too long",
            Error::Size => "its size is too small or too large",
            Error::NotAFile => "it is not a regular file",
            Error::Owner => "it belongs to another user",
            Error::Mode => "others may write to it",
            Error::OnDisk => "it is not on tmpfs",
            Error::Holes => "parts of it have no memory",
            Error::NoSegment => "it is no segment of sslcache, or damaged",
            Error::Format => "it has another format",
            Error::Truncated => "its size is not what it says",
        })
    }
}

impl std::error::Error for Error {}

/// An `errno`, whose `Display` is the C library's text for it. (`std::io::Error` allocates one.)
pub struct Errno(pub c_int);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0 as c_char; 128];
        // SAFETY: a buffer and its size, with a C string in it afterwards, if an empty one.
        let text = unsafe {
            libc::strerror_r(self.0, text.as_mut_ptr(), text.len() - 1);
            CStr::from_ptr(text.as_ptr())
        };
        match text.to_str() {
            Ok(text) if !text.is_empty() => f.write_str(text),
            _ => write!(f, "error {}", self.0),
        }
    }
}
