//! Where the library's text goes: a file of its own or standard error, and never into a file of the
//! program's that happens to have got the same descriptor.
//!
//! Daemons close descriptors that they have not opened, and then open their data under the same
//! numbers. So the file behind a descriptor is remembered and compared before each write, and the
//! text is dropped if it is another one by then. Standard error is remembered when the library is
//! loaded, before a program can have closed it.

use std::ffi::CStr;
use std::fmt;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use libc::c_int;

use crate::trusted_path::{self, Refused};
use crate::undisturbed::Undisturbed;

/// A text that is written whole, of at most 1 KiB: nothing is allocated for it. What is too long is
/// cut off.
pub struct Text {
    bytes: [u8; Text::SIZE],
    len: usize,
}

impl Text {
    const SIZE: usize = 1024;

    /// No text yet.
    pub const fn new() -> Self {
        Text { bytes: [0; Text::SIZE], len: 0 }
    }

    /// The text so far. A line that was cut off ends nevertheless.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..];
        let fits = text.len().min(room.len());
        room[..fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.len += fits;
        if fits < text.len() {
            self.bytes[Text::SIZE - 1] = b'\n';
        }
        Ok(())
    }
}

/// A descriptor, and the file it was of.
#[derive(Clone, Copy)]
pub struct Output {
    descriptor: c_int,
    file: File,
}

impl Output {
    /// Standard error, as it was when the library was loaded.
    pub fn standard_error() -> Output {
        Output { descriptor: libc::STDERR_FILENO, file: File::of_standard_error() }
    }

    /// Opens the file at `path` to append to it: see [`trusted_path`].
    pub fn open(path: &CStr) -> Result<Output, Refused> {
        let _undisturbed = Undisturbed::begin();
        let file = above_standard_error(trusted_path::open(path)?)?;
        let file = Output { descriptor: file.into_raw_fd(), ..Output::NOWHERE };
        Ok(Output { file: File::behind(file.descriptor), ..file })
    }

    /// What is written here is dropped.
    pub const NOWHERE: Output = Output { descriptor: -1, file: File::NONE };

    /// Gives an opened descriptor back.
    pub fn close(self) {
        if self.descriptor > libc::STDERR_FILENO {
            // SAFETY: `open` made it, and this is the only copy in use.
            drop(unsafe { OwnedFd::from_raw_fd(self.descriptor) });
        }
    }

    /// Writes a text at once, so that processes that share the file do not mix their lines. What
    /// cannot be written is lost: there is nobody to tell.
    pub fn write(self, text: &Text) {
        let undisturbed = Undisturbed::begin();
        let mut rest = text.as_bytes();
        if self.file == File::NONE || self.file != File::behind(self.descriptor) {
            return;
        }
        while !rest.is_empty() {
            // SAFETY: the bytes and their number.
            let written = unsafe { libc::write(self.descriptor, rest.as_ptr().cast(), rest.len()) };
            match usize::try_from(written) {
                Ok(0) => return,
                Ok(written) => rest = &rest[written..],
                Err(_) if undisturbed.error() == libc::EINTR => {}
                Err(_) => return undisturbed.take_signal_of_write(),
            }
        }
    }
}

/// Keeps the numbers of standard input, output and error free for what the program opens as them.
fn above_standard_error(file: OwnedFd) -> Result<OwnedFd, Refused> {
    if file.as_raw_fd() > libc::STDERR_FILENO {
        return Ok(file);
    }
    let first = libc::STDERR_FILENO + 1;
    // SAFETY: a command of fcntl with its argument, on a descriptor of ours.
    let above = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, first) };
    if above < 0 {
        return Err(Refused::last());
    }
    // SAFETY: fcntl has just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(above) })
}

/// Tells a file from others: its device and its number there. A number is given out again when a
/// file is deleted, so how the file was opened counts too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct File {
    device: u64,
    number: u64,
    flags: c_int,
}

impl File {
    /// That of a descriptor that is closed: equal to no file.
    const NONE: File = File { device: 0, number: 0, flags: -1 };

    fn behind(descriptor: c_int) -> File {
        let mut status = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: a place for the answer.
        if unsafe { libc::fstat(descriptor, status.as_mut_ptr()) } != 0 {
            return File::NONE;
        }
        // SAFETY: fstat has filled it.
        let status = unsafe { status.assume_init() };
        // SAFETY: a command of fcntl without an argument.
        let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFL) };
        if flags < 0 {
            return File::NONE;
        }
        let flags = flags & (libc::O_ACCMODE | libc::O_APPEND);
        File { device: status.st_dev, number: status.st_ino, flags }
    }

    /// Standard error as `remember_standard_error` found it.
    fn of_standard_error() -> File {
        remember_standard_error();
        if STANDARD_ERROR.state.load(Ordering::Acquire) != KNOWN {
            return File::NONE;
        }
        File {
            device: STANDARD_ERROR.device.load(Ordering::Relaxed),
            number: STANDARD_ERROR.number.load(Ordering::Relaxed),
            flags: STANDARD_ERROR.flags.load(Ordering::Relaxed) as c_int,
        }
    }
}

/// What standard error was. Written once, by the thread that changes `state` from `UNKNOWN`.
static STANDARD_ERROR: Remembered = Remembered {
    state: AtomicU8::new(UNKNOWN),
    device: AtomicU64::new(0),
    number: AtomicU64::new(0),
    flags: AtomicU64::new(0),
};

struct Remembered {
    state: AtomicU8,
    device: AtomicU64,
    number: AtomicU64,
    flags: AtomicU64,
}

const UNKNOWN: u8 = 0;
const WRITING: u8 = 1;
const KNOWN: u8 = 2;

/// Run when the library is loaded. (Earlier still is a call from a constructor of the program's.)
#[used]
#[unsafe(link_section = ".init_array")]
static ON_LOAD: extern "C" fn() = remember_standard_error;

extern "C" fn remember_standard_error() {
    let state = &STANDARD_ERROR.state;
    let (relaxed, first) = (Ordering::Relaxed, UNKNOWN);
    if state.load(relaxed) != first
        || state.compare_exchange(first, WRITING, relaxed, relaxed).is_err()
    {
        return;
    }
    let file = File::behind(libc::STDERR_FILENO);
    STANDARD_ERROR.device.store(file.device, Ordering::Relaxed);
    STANDARD_ERROR.number.store(file.number, Ordering::Relaxed);
    STANDARD_ERROR.flags.store(file.flags as u64, Ordering::Relaxed);
    state.store(KNOWN, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fmt::Write;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn text(line: &str) -> Text {
        let mut text = Text::new();
        writeln!(text, "{line}").unwrap();
        text
    }

    #[test]
    fn a_long_text_is_cut_off_and_ends_its_line() {
        assert_eq!(text("a line").as_bytes(), b"a line\n");
        for len in [1022, 1023, 1024, 5000] {
            let text = text(&"x".repeat(len));
            assert_eq!(text.as_bytes().len(), (len + 1).min(1024));
            assert_eq!(text.as_bytes().last(), Some(&b'\n'));
            assert_eq!(text.as_bytes()[1000], b'x');
        }
    }

    /// What the numbers of closed descriptors are used for next is not written to.
    #[test]
    fn only_the_file_that_was_opened_is_written_to() {
        let directory =
            std::env::temp_dir().join(format!("sslcache-output-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let path = |name: &str| CString::new(directory.join(name).as_os_str().as_bytes()).unwrap();
        let (own, data) = (path("own"), path("data"));
        let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap();

        let output = Output::open(&own).unwrap();
        output.write(&text("one"));
        let replace = |path: &CStr, flags: c_int| {
            // SAFETY: a C string, a mode, and a descriptor of this test's.
            unsafe {
                let file = libc::open(path.as_ptr(), flags | libc::O_CREAT, 0o600);
                assert_eq!(libc::dup2(file, output.descriptor), output.descriptor);
                libc::close(file);
            }
            output.write(&text("more"));
        };
        replace(&data, libc::O_WRONLY | libc::O_APPEND);
        replace(&own, libc::O_RDWR);
        assert_eq!((read("own"), read("data")), ("one\n".into(), String::new()));
        replace(&own, libc::O_WRONLY | libc::O_APPEND);
        assert_eq!(read("own"), "one\nmore\n");
        output.close();
        output.write(&text("more"));
        Output::NOWHERE.write(&text("more"));
        assert_eq!(read("own"), "one\nmore\n");
        fs::remove_dir_all(&directory).unwrap();
    }
}
