//! The key file: up to four lines, each a key of 32 bytes in base64. The first line seals; all
//! open.
//!
//! To change the key, put a new line before the others: what the old ones sealed opens as long as
//! they stand there.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use base64ct::{Base64, Encoding};
use sslcache_segment::{Unnamed, file_status, open_at, own_file};
use zeroize::{Zeroize, Zeroizing};

use crate::keys::{KEYS, Keys, LINE, Line};
use crate::secret::Secret;

/// Letters of a line.
const LETTERS: usize = LINE.div_ceil(3) * 4;
/// More than a file of four lines has, with room for blanks.
const LARGEST: usize = 1024;

/// Where keys come from.
pub struct KeyFile;

/// Why there are no keys. `Display` has it as half a sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// A system call failed, or the file cannot be made.
    System(sslcache_segment::Error),
    /// It is not a regular file.
    NotAFile,
    /// It belongs neither to this user nor to root.
    Owner,
    /// Others may read it, or write to it.
    Mode,
    /// There is no key in it.
    Empty,
    /// It is longer than four keys are, or has more of them.
    TooLong,
    /// This line, counted from 1, is no key of 32 bytes in base64.
    Line(usize),
    /// There is no memory for keys.
    NoMemory,
}

impl From<sslcache_segment::Error> for Error {
    fn from(error: sslcache_segment::Error) -> Self {
        match error {
            sslcache_segment::Error::NotAFile => Error::NotAFile,
            sslcache_segment::Error::Owner => Error::Owner,
            error => Error::System(error),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::System(error) => return error.fmt(f),
            Error::NotAFile => "it is not a regular file",
            Error::Owner => "it belongs to another user",
            Error::Mode => "others may read it or write to it",
            Error::Empty => "there is no key in it",
            Error::TooLong => "it is longer than four keys",
            Error::Line(number) => {
                return write!(f, "line {number} is no key of 32 bytes in base64");
            }
            Error::NoMemory => "there is no memory for it",
        })
    }
}

impl std::error::Error for Error {}

impl KeyFile {
    /// The keys in a file that is there.
    pub fn read(directory: BorrowedFd<'_>, name: &CStr) -> Result<Secret<Keys>, Error> {
        let file = open(directory, name)?;
        check(file.as_fd())?;
        let mut text = Zeroizing::new([0; LARGEST]);
        let length = read(file.as_fd(), &mut text)?;
        let mut wrong = None;
        let keys = Secret::new(Keys::NONE, |keys| wrong = parse(&text[..length], keys).err());
        let keys = keys.ok_or(Error::NoMemory)?;
        wrong.map_or(Ok(keys), Err)
    }

    /// The keys in a file, which is made, with one of chance, if it is not there. Of several
    /// processes that come at once one makes it, and all have the same keys.
    pub fn read_or_make(directory: BorrowedFd<'_>, name: &CStr) -> Result<Secret<Keys>, Error> {
        // Again only while somebody makes and removes it.
        for _ in 0..10 {
            match Self::read(directory, name) {
                Err(Error::System(error)) if error.is(libc::ENOENT) => {}
                other => return other,
            }
            match make(directory, name) {
                Err(Error::System(error)) if !error.is(libc::EEXIST) => return Err(error.into()),
                _ => {}
            }
        }
        Err(Error::System(sslcache_segment::Error::System("open", libc::EAGAIN)))
    }

    /// Puts a new key before the others of a file, whoever's it is, for processes that come from now
    /// on. Of the old ones stays the first, since others seal with it yet, and the one with the
    /// name check `naming`: what a segment has is found by it (0: there is none). Returns how many
    /// keys there are then.
    pub fn rotate(directory: BorrowedFd<'_>, name: &CStr, naming: u64) -> Result<usize, Error> {
        let old = open(directory, name)?;
        let status = file_status(old.as_fd())?;
        let mut text = Zeroizing::new([0; LARGEST]);
        let length = read(old.as_fd(), &mut text)?;
        let (mut named_by, mut wrong) = (None, None);
        let keys = Secret::new(Keys::NONE, |keys| {
            wrong = parse(&text[..length], keys).err();
            named_by = keys.named_by(naming);
        });
        keys.ok_or(Error::NoMemory)?;
        wrong.map_or(Ok(()), Err)?;
        let stays = |line: usize| line == 0 || named_by == Some(line);
        let mut new = Text::new()?;
        for (line, (_, letters)) in lines(&text[..length]).enumerate() {
            if stays(line) {
                new.add(letters)?;
            }
        }
        let file = Unnamed::new(directory, status.st_mode & 0o7777)?;
        let (descriptor, group) = (file.as_fd().as_raw_fd(), status.st_gid);
        // SAFETY: a descriptor.
        if unsafe { libc::fchown(descriptor, status.st_uid, group) } < 0 {
            return Err(last("chown"));
        }
        new.write(file.as_fd())?;
        file.replace(directory, name)?;
        Ok(new.lines)
    }

    /// A key of chance, which is in no file: this process has it, and those that it forks.
    pub fn in_memory() -> Result<Secret<Keys>, Error> {
        let mut failed = None;
        let keys = Secret::new(Keys::NONE, |keys| match random() {
            Ok(line) => keys.add(&line),
            Err(error) => failed = Some(error),
        });
        let keys = keys.ok_or(Error::NoMemory)?;
        failed.map_or(Ok(keys), Err)
    }
}

fn open(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Error> {
    Ok(open_at(directory, name, libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK, 0)?)
}

fn last(at: &'static str) -> Error {
    Error::System(sslcache_segment::Error::last(at))
}

/// Nobody else may have put the keys there, or may know them.
fn check(file: BorrowedFd<'_>) -> Result<(), Error> {
    // A group may read it: how else would several users' servers share it?
    if own_file(file)?.st_mode & (libc::S_IRWXO | libc::S_IWGRP) != 0 {
        return Err(Error::Mode);
    }
    Ok(())
}

/// All of a file; returns how many bytes that are.
fn read(file: BorrowedFd<'_>, text: &mut [u8; LARGEST]) -> Result<usize, Error> {
    let mut length = 0;
    while let Some(rest) = text.get_mut(length..).filter(|rest| !rest.is_empty()) {
        // SAFETY: room for as many bytes.
        let read = unsafe { libc::read(file.as_raw_fd(), rest.as_mut_ptr().cast(), rest.len()) };
        match usize::try_from(read) {
            Ok(0) => return Ok(length),
            Ok(read) => length += read,
            Err(_) => return Err(last("read")),
        }
    }
    Err(Error::TooLong)
}

/// Adds the keys of the lines.
fn parse(text: &[u8], keys: &mut Keys) -> Result<(), Error> {
    let mut line = Zeroizing::new([0; LINE]);
    for (number, letters) in lines(text) {
        if keys.count() == KEYS {
            return Err(Error::TooLong);
        }
        decode(letters, &mut line).ok_or(Error::Line(number))?;
        keys.add(&line);
    }
    if keys.count() == 0 { Err(Error::Empty) } else { Ok(()) }
}

/// The lines that are not empty, with their numbers.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = text.split(|&byte| byte == b'\n').map(|letters| letters.trim_ascii());
    (1..).zip(lines).filter(|(_, letters)| !letters.is_empty())
}

fn decode(letters: &[u8], line: &mut Line) -> Option<()> {
    let decoded = Base64::decode(letters, line).ok()?;
    (decoded.len() == LINE).then_some(())
}

/// Makes a file with one key.
fn make(directory: BorrowedFd<'_>, name: &CStr) -> Result<(), Error> {
    let file = Unnamed::new(directory, 0o600)?;
    Text::new()?.write(file.as_fd())?;
    Ok(file.publish(directory, name)?)
}

/// What is in a new file.
struct Text {
    bytes: Zeroizing<[u8; KEYS * (LETTERS + 1)]>,
    lines: usize,
}

impl Text {
    /// A key of chance.
    fn new() -> Result<Self, Error> {
        let key = random()?;
        let mut letters = Zeroizing::new([0; LETTERS]);
        // There is room for the letters of a key.
        Base64::encode(&*key, &mut *letters).map_err(|_| Error::NoMemory)?;
        let mut text = Text { bytes: Zeroizing::new([b'\n'; KEYS * (LETTERS + 1)]), lines: 0 };
        text.add(&*letters)?;
        Ok(text)
    }

    /// And another one.
    fn add(&mut self, letters: &[u8]) -> Result<(), Error> {
        let at = self.lines * (LETTERS + 1);
        let line = self.bytes.get_mut(at..at + LETTERS).ok_or(Error::TooLong)?;
        line.get_mut(..letters.len()).ok_or(Error::TooLong)?.copy_from_slice(letters);
        self.lines += 1;
        Ok(())
    }

    fn write(&self, file: BorrowedFd<'_>) -> Result<(), Error> {
        let bytes = &self.bytes[..self.lines * (LETTERS + 1)];
        // SAFETY: as many bytes as there are.
        let written = unsafe { libc::write(file.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
        if written == bytes.len() as isize { Ok(()) } else { Err(last("write")) }
    }
}

/// A key that nobody can guess. Waits until the machine has seen enough of the world, once after it
/// was started.
fn random() -> Result<Zeroizing<Line>, Error> {
    let mut line = Zeroizing::new([0; LINE]);
    // SAFETY: room for as many bytes.
    let got = unsafe { libc::getrandom(line.as_mut_ptr().cast(), LINE, 0) };
    if got != LINE as isize {
        line.zeroize();
        return Err(last("getrandom"));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::path::PathBuf;

    struct Directory {
        path: PathBuf,
        file: File,
    }

    impl Directory {
        fn new(name: &str) -> Self {
            let path = format!("/dev/shm/sslcache-keys-{}-{name}", std::process::id());
            let path = PathBuf::from(path);
            fs::create_dir(&path).unwrap();
            let file = File::open(&path).unwrap();
            Directory { path, file }
        }

        fn write(&self, text: &str) {
            fs::write(self.path.join("key"), text).unwrap();
            self.set_mode(0o600);
        }

        fn set_mode(&self, mode: u32) {
            fs::set_permissions(self.path.join("key"), Permissions::from_mode(mode)).unwrap();
        }

        fn read(&self) -> Result<Secret<Keys>, Error> {
            KeyFile::read(self.file.as_fd(), c"key")
        }

        fn error(&self) -> Error {
            self.read().err().expect("it is refused")
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.path);
        }
    }

    fn line(byte: u8) -> String {
        let mut letters = [0; LETTERS];
        Base64::encode(&[byte; LINE], &mut letters).unwrap().to_owned()
    }

    #[test]
    fn the_first_line_seals_and_all_open() {
        let directory = Directory::new("lines");
        directory.write(&format!("\n  {}\r\n\n{}", line(1), line(2)));
        let keys = directory.read().unwrap();
        let mut expected = Keys::NONE;
        [1, 2].into_iter().for_each(|byte| expected.add(&[byte; LINE]));
        assert_eq!(keys.count(), 2);
        for line in 0..2 {
            assert_eq!(keys.seal_check(line), expected.seal_check(line));
            assert_eq!(keys.name_check(line), expected.name_check(line));
        }
    }

    #[test]
    fn what_is_no_key_file_is_refused() {
        let directory = Directory::new("refused");
        assert!(matches!(directory.error(), Error::System(error) if error.is(libc::ENOENT)));
        let long = line(1).repeat(30);
        let five = format!("{}\n", line(1)).repeat(5);
        let half = &line(1)[..22];
        let cases = [
            ("", Error::Empty),
            ("\n \n", Error::Empty),
            (&line(1)[1..], Error::Line(1)),
            (half, Error::Line(1)),
            (&format!("{}\n{half}", line(1)), Error::Line(2)),
            (&format!("{}{}", line(1), line(2)), Error::Line(1)),
            ("-----BEGIN PRIVATE KEY-----", Error::Line(1)),
            (&five, Error::TooLong),
            (&long, Error::TooLong),
        ];
        for (text, error) in cases {
            directory.write(text);
            assert_eq!(directory.error(), error, "{text:?}");
        }
        directory.write(&line(1));
        for mode in [0o604, 0o602, 0o620, 0o777] {
            directory.set_mode(mode);
            assert_eq!(directory.error(), Error::Mode, "{mode:o}");
        }
        for mode in [0o600, 0o400, 0o640] {
            directory.set_mode(mode);
            assert!(directory.read().is_ok(), "{mode:o}");
        }
        if chown(directory.path.join("key"), Some(12345), None).is_ok() {
            assert_eq!(directory.error(), Error::Owner);
        }
        fs::remove_file(directory.path.join("key")).unwrap();
        symlink("/dev/null", directory.path.join("key")).unwrap();
        assert!(matches!(directory.error(), Error::System(error) if error.is(libc::ELOOP)));
        fs::remove_file(directory.path.join("key")).unwrap();
        fs::create_dir(directory.path.join("key")).unwrap();
        assert_eq!(directory.error(), Error::NotAFile);
    }

    #[test]
    fn of_many_that_make_it_at_once_all_have_the_same_key() {
        let directory = Directory::new("made");
        for _ in 0..20 {
            let checks: Vec<_> = std::thread::scope(|scope| {
                let make = || {
                    let keys = KeyFile::read_or_make(directory.file.as_fd(), c"key").unwrap();
                    assert_eq!(keys.count(), 1);
                    keys.seal_check(0)
                };
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert!(checks.iter().all(|check| check == &checks[0]));
            let status = fs::metadata(directory.path.join("key")).unwrap();
            assert_eq!(status.permissions().mode() & 0o7777, 0o600);
            fs::remove_file(directory.path.join("key")).unwrap();
        }
        assert_eq!(fs::read_dir(&directory.path).unwrap().count(), 0, "and nothing else");
    }

    #[test]
    fn a_new_key_comes_first_and_those_stay_that_are_in_use() {
        let directory = Directory::new("rotated");
        directory.write(&format!("{}\n{}\n\n {}\n", line(1), line(2), line(3)));
        let mut old = Keys::NONE;
        [1, 2, 3].into_iter().for_each(|byte| old.add(&[byte; LINE]));
        let rotate = |naming| KeyFile::rotate(directory.file.as_fd(), c"key", naming);
        assert_eq!(rotate(old.name_check(2).unwrap()), Ok(3));
        let keys = directory.read().unwrap();
        let seals = |line| keys.seal_check(line);
        assert_eq!([seals(1), seals(2)], [old.seal_check(0), old.seal_check(2)]);
        assert!((0..3).all(|line| old.sealed_by(seals(0).unwrap()) != Some(line)), "a new one");
        // Again and again: what names are made with stays.
        for _ in 0..5 {
            assert_eq!(rotate(old.name_check(2).unwrap()), Ok(3));
        }
        assert_eq!(directory.read().unwrap().named_by(old.name_check(2).unwrap()), Some(2));
        assert_eq!(rotate(0), Ok(2), "there is no segment");
        let mode = fs::metadata(directory.path.join("key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        assert_eq!(fs::read_dir(&directory.path).unwrap().count(), 1, "and nothing else");
        directory.write("no key");
        assert_eq!(rotate(0), Err(Error::Line(1)));
    }

    #[test]
    fn keys_of_chance_differ() {
        let [one, other] = [(); 2].map(|()| KeyFile::in_memory().unwrap());
        assert_ne!(one.seal_check(0), other.seal_check(0));
        assert_eq!(one.count(), 1);
    }

    #[test]
    fn every_reason_is_said() {
        assert_eq!(Error::Line(2).to_string(), "line 2 is no key of 32 bytes in base64");
        assert_eq!(Error::Mode.to_string(), "others may read it or write to it");
        let system = sslcache_segment::Error::System("open", libc::EACCES);
        assert_eq!(Error::from(system).to_string(), "open: Permission denied");
    }
}
