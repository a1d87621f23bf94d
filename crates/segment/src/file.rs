//! Files: making one, and opening one that is there.
//!
//! # Protocol
//!
//! *A process that opens a segment:*
//! 1. opens `NAME.v1` (the format is part of the name, so that two releases with different formats
//!    never meet in one file). If it is there: checks whose it is, who may write to it, and what
//!    it says it is; maps it, and closes it: a mapping outlives chroot, setuid and closefrom;
//! 2. if it is not there: makes a file without a name (`unnamed.rs`); gives it all its memory, so
//!    that a full tmpfs is an error now, and no SIGBUS later; writes the identity;
//! 3. gives it the name, by `link`, which fails if somebody else did so first: then it begins
//!    again with 1, and uses theirs.
//!
//! So nobody ever sees half a segment, and a process that is killed before 3 leaves nothing: a
//! file without a name ends with whoever has it open. A segment is not written when it is made,
//! but for one page: all zeros are an empty one.
#![allow(unsafe_code)]

use crate::error::Error;
use crate::host::{Host, Step, pid_namespace};
use crate::identity::{FORMAT, Identity, file_size};
use crate::layout::{HEAD, IDENTITY_WORDS, SET};
use crate::mapping::{Access, Mapping};
use crate::unnamed::{Name, Unnamed, check, open_at, owned};
use std::ffi::{CStr, c_int};
use std::fmt::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// How a segment is made, and which one is trusted.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes of a new one, at most; it has as many sets as fit. One that is there keeps its size.
    pub size: u64,
    /// The mode of a new file: others never get a right to write.
    pub mode: libc::mode_t,
    /// The group of a new file, which may be given the right to write to it.
    pub group: Option<libc::gid_t>,
    /// A file that is not in memory will do. (What is sealed then is on a disk.)
    pub on_disk: bool,
    /// A file will do whoever's it is, and whoever may write to it: for one who looks after it, and
    /// puts nothing of his own there.
    pub of_anybody: bool,
}

impl Options {
    /// The smallest size: one set.
    pub const SMALLEST: u64 = (HEAD + SET) as u64;
    /// The largest: 16 GiB.
    pub const LARGEST: u64 = 16 << 30;
}

impl Default for Options {
    /// 16 MiB, for its owner alone, in memory.
    fn default() -> Self {
        Options { size: 16 << 20, mode: 0o600, group: None, on_disk: false, of_anybody: false }
    }
}

/// What is mapped, and what it said it is.
pub(crate) type Opened = (Mapping, Identity);

/// Opens the segment, or makes it.
pub(crate) fn open(
    directory: BorrowedFd<'_>,
    name: &CStr,
    options: &Options,
    host: &impl Host,
) -> Result<Opened, Error> {
    // Again and again only while somebody makes and removes it.
    for _ in 0..10 {
        match attach(directory, name, options) {
            Err(error) if error.is(libc::ENOENT) => {}
            other => return other,
        }
        match create(directory, name, options, host) {
            Err(error) if error.is(libc::EEXIST) => {}
            other => return other,
        }
    }
    Err(Error::System("open", libc::EAGAIN))
}

/// Step 1.
pub(crate) fn attach(
    directory: BorrowedFd<'_>,
    name: &CStr,
    options: &Options,
) -> Result<Opened, Error> {
    let file = open_there(directory, name, libc::O_RDWR)?;
    let size = check_file(file.as_fd(), options)?;
    let identity = read_identity(file.as_fd(), size)?;
    Ok((Mapping::new(file.as_fd(), identity.sets, Access::Write)?, identity))
}

/// Step 1 for one who only looks.
pub(crate) fn view(directory: BorrowedFd<'_>, name: &CStr) -> Result<Opened, Error> {
    let file = open_there(directory, name, libc::O_RDONLY)?;
    let identity = read_identity(file.as_fd(), size_of_file(&file_status(file.as_fd())?)?)?;
    Ok((Mapping::new(file.as_fd(), identity.sets, Access::Read)?, identity))
}

fn open_there(directory: BorrowedFd<'_>, name: &CStr, rights: c_int) -> Result<OwnedFd, Error> {
    // O_NONBLOCK: a FIFO or a device is not waited for, to be told that it is none of ours.
    let flags = rights | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    open_at(directory, with_format(name)?.as_c_str()?, flags, 0)
}

/// Steps 2 and 3.
fn create(
    directory: BorrowedFd<'_>,
    name: &CStr,
    options: &Options,
    host: &impl Host,
) -> Result<Opened, Error> {
    let (file, opened) = unnamed(directory, options, host)?;
    file.publish(directory, with_format(name)?.as_c_str()?)?;
    host.step(Step::Linked);
    Ok(opened)
}

/// Step 2.
pub(crate) fn unnamed(
    directory: BorrowedFd<'_>,
    options: &Options,
    host: &impl Host,
) -> Result<(Unnamed, Opened), Error> {
    let mode = options.mode & if options.group.is_some() { 0o664 } else { 0o644 };
    let file = Unnamed::new(directory, mode)?;
    host.step(Step::FileMade);
    if !options.on_disk && !is_in_memory(file.as_fd())? {
        return Err(Error::OnDisk);
    }
    if let Some(group) = options.group {
        // SAFETY: a descriptor; -1: the owner stays.
        check("chown", unsafe { libc::fchown(file.as_fd().as_raw_fd(), libc::uid_t::MAX, group) })?;
    }
    let identity = fill(file.as_fd(), options.size, host)?;
    let mapping = Mapping::new(file.as_fd(), identity.sets, Access::Write)?;
    Ok((file, (mapping, identity)))
}

/// A segment without a name, which children of this process share; nobody can make it shorter.
pub(crate) fn anonymous(size: u64, host: &impl Host) -> Result<Opened, Error> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: a C string.
    let file = owned("memfd_create", unsafe { libc::memfd_create(c"sslcache".as_ptr(), flags) })?;
    let identity = fill(file.as_fd(), size, host)?;
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    // SAFETY: a descriptor.
    check("seal", unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) })?;
    Ok((Mapping::new(file.as_fd(), identity.sets, Access::Write)?, identity))
}

/// Gives a new file its memory and its identity.
fn fill(file: BorrowedFd<'_>, size: u64, host: &impl Host) -> Result<Identity, Error> {
    if !(Options::SMALLEST..=Options::LARGEST).contains(&size) {
        return Err(Error::Size);
    }
    let sets = (size - HEAD as u64) / SET as u64;
    let size = file_size(sets).and_then(|size| size.try_into().ok()).ok_or(Error::Size)?;
    // SAFETY: a descriptor.
    let errno = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, size) };
    if errno != 0 {
        return Err(Error::System("fallocate", errno));
    }
    host.step(Step::Allocated);
    let (created, creator) = (seconds(), host.pid().into());
    let identity = Identity { sets, created, creator, pid_namespace: pid_namespace() };
    let words = identity.words();
    // SAFETY: as many bytes as the words have.
    let written =
        unsafe { libc::pwrite(file.as_raw_fd(), words.as_ptr().cast(), size_of_val(&words), 0) };
    if written != size_of_val(&words) as isize {
        return Err(Error::last("write"));
    }
    host.step(Step::HeaderWritten);
    Ok(identity)
}

/// What the system says of a regular file of this user's, or root's.
pub fn own_file(file: BorrowedFd<'_>) -> Result<libc::stat, Error> {
    let status = file_status(file)?;
    // SAFETY: has no conditions.
    if status.st_uid != 0 && status.st_uid != unsafe { libc::geteuid() } {
        return Err(Error::Owner);
    }
    Ok(status)
}

/// What the system says of a regular file.
pub fn file_status(file: BorrowedFd<'_>) -> Result<libc::stat, Error> {
    // SAFETY: a structure of integers, for which zeros are a value.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: a descriptor, and a place for the answer.
    check("stat", unsafe { libc::fstat(file.as_raw_fd(), &mut status) })?;
    if status.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Err(Error::NotAFile);
    }
    Ok(status)
}

fn size_of_file(status: &libc::stat) -> Result<u64, Error> {
    u64::try_from(status.st_size).map_err(|_| Error::Truncated)
}

/// The size of a file that may be trusted to be somebody's of ours.
fn check_file(file: BorrowedFd<'_>, options: &Options) -> Result<u64, Error> {
    let status = if options.of_anybody { file_status(file)? } else { own_file(file)? };
    let group_may = options.group == Some(status.st_gid);
    let not_theirs = libc::S_IWOTH | if group_may { 0 } else { libc::S_IWGRP };
    if !options.of_anybody && status.st_mode & not_theirs != 0 {
        return Err(Error::Mode);
    }
    let size = size_of_file(&status)?;
    if is_in_memory(file)? {
        if u64::try_from(status.st_blocks).unwrap_or(0) * 512 < size {
            return Err(Error::Holes);
        }
    } else if !options.on_disk {
        return Err(Error::OnDisk);
    }
    Ok(size)
}

/// Whether a file, or what is made in a directory, lies in memory: tmpfs or ramfs.
pub fn is_in_memory(file: BorrowedFd<'_>) -> Result<bool, Error> {
    const RAMFS_MAGIC: i64 = 0x8584_58f6;
    // SAFETY: a structure of integers, for which zeros are a value.
    let mut system: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: a descriptor, and a place for the answer.
    check("statfs", unsafe { libc::fstatfs(file.as_raw_fd(), &mut system) })?;
    Ok([libc::TMPFS_MAGIC, RAMFS_MAGIC].contains(&system.f_type))
}

fn read_identity(file: BorrowedFd<'_>, size: u64) -> Result<Identity, Error> {
    let mut words = [0u64; IDENTITY_WORDS];
    let bytes = size_of_val(&words);
    // SAFETY: room for as many bytes; every value of them is one.
    let read = unsafe { libc::pread(file.as_raw_fd(), words.as_mut_ptr().cast(), bytes, 0) };
    if read < 0 {
        return Err(Error::last("read"));
    }
    if read != bytes as isize {
        return Err(Error::NoSegment);
    }
    Identity::read(&words, size)
}

fn seconds() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The name of the file of this format.
pub(crate) fn with_format(name: &CStr) -> Result<Name, Error> {
    let mut with_format = Name::new();
    with_format.append(name.to_bytes())?;
    write!(with_format, ".v{FORMAT}").map_err(|_| Error::Name)?;
    Ok(with_format)
}
