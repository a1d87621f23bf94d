//! How a process finds the memory that it shares with others, and the keys to it.
//!
//! At the first call, when most servers are still root and in no chroot: then the memory and the
//! keys are made, too, if they are not there. And when the library is loaded, if they are there
//! already: for programs that are confined before their first call. Mappings stay, whatever root
//! directory and user the process has later; no descriptor does.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use once_cell::race::OnceBox;
use sslcache_seal::{Kept, KeyFile, Keys, Sealed, Secret};
use sslcache_segment::{Error, Store, is_in_memory, open_directory};
use sslcache_settings::shared::{KeyFrom, Memory, Options, Wrong};

use super::tier::Tier;
use crate::ffi::memory::{OwnedCStr, append, boxed, copied};
use crate::undisturbed::Undisturbed;

static TIER: OnceBox<Tier> = OnceBox::new();

/// The memory that this process shares with others, if it has any.
#[inline(always)]
pub fn tier() -> Option<&'static Tier> {
    TIER.get()
}

/// Attaches to what the variable says, or makes it. What was attached to stays.
pub fn attach(value: &CStr) -> Result<(), Wrong> {
    let undisturbed = Undisturbed::begin();
    let attached = attach_as(value, true);
    // Of a process whose files may not grow so large.
    use sslcache_seal::Error as OfKeys;
    if let Err(
        Wrong::Segment(Error::System(_, error))
        | Wrong::Keys(OfKeys::System(Error::System(_, error))),
    ) = attached
    {
        undisturbed.take_signal_of(error);
    }
    attached
}

/// Attaches to what the variable says, if it is there, and good. Otherwise the first call will say
/// what is wrong.
pub fn attach_if_there(value: &CStr) {
    let _ = attach_as(value, false);
}

fn attach_as(value: &CStr, make: bool) -> Result<(), Wrong> {
    if tier().is_some() {
        return Ok(());
    }
    let options = Options::read(value.to_bytes())?;
    let opened = Opened::open(&options, make)?;
    let sealed = Sealed::new(opened.store, opened.keys).ok_or(Wrong::OtherKey)?;
    let mut program = [0; libc::PATH_MAX as usize];
    let service = options.service.map_or_else(|| program_name(&mut program), str::as_bytes);
    let tier = Tier::new(sealed, service, options.compares_names).ok_or(Wrong::OtherKey)?;
    // Another thread may have been faster: then this one is let go.
    let _ = TIER.set(boxed(tier).map_err(|_| Wrong::NoMemory)?);
    Ok(())
}

/// For `SSLCACHE_VERBOSE`: what is shared.
pub fn describe(f: &mut dyn std::fmt::Write) -> std::fmt::Result {
    let Some(tier) = tier() else { return Ok(()) };
    let kept = match tier.sealed().kept() {
        Kept::Secret => "where nobody else reads them",
        Kept::Locked => "in memory that is not swapped",
        Kept::Plain => "in memory that may be swapped",
    };
    let sets = tier.sealed().store().sets();
    writeln!(f, "sslcache: shared: attached, {sets} sets of 16 KiB; keys {kept}")
}

struct Opened {
    store: Store,
    keys: Secret<Keys>,
}

impl Opened {
    /// What is there; with `make` also what is not.
    fn open(options: &Options<'_>, make: bool) -> Result<Self, Wrong> {
        match options.memory {
            Memory::Anonymous if make => Ok(Opened {
                keys: match options.key {
                    None => KeyFile::in_memory().map_err(Wrong::Keys)?,
                    Some(from) => named_keys(from)?,
                },
                store: Store::anonymous(options.segment.size).map_err(Wrong::Segment)?,
            }),
            // Nobody else can have made it.
            Memory::Anonymous => Err(Wrong::Segment(Error::System("open", libc::ENOENT))),
            Memory::File(path) => {
                let file = Located::new(path)?;
                let (directory, name) = (file.directory.as_fd(), &*file.name);
                // The keys first: whoever finds the memory is to find them, too.
                let keys = match options.key {
                    Some(from) => named_keys(from)?,
                    None => keys_beside(directory, name, make)?,
                };
                let open = if make { Store::open } else { Store::attach };
                let store = open(directory, name, &options.segment).map_err(Wrong::Segment)?;
                Ok(Opened { store, keys })
            }
        }
    }
}

/// `NAME.key` beside the memory. On a disk there is to be neither.
fn keys_beside(directory: BorrowedFd<'_>, name: &CStr, make: bool) -> Result<Secret<Keys>, Wrong> {
    if !is_in_memory(directory).map_err(Wrong::Segment)? {
        return Err(Wrong::Segment(Error::OnDisk));
    }
    let name = joined(&[name.to_bytes(), b".key"])?;
    let read = if make { KeyFile::read_or_make } else { KeyFile::read };
    read(directory, &name).map_err(Wrong::Keys)
}

fn named_keys(from: KeyFrom<'_>) -> Result<Secret<Keys>, Wrong> {
    let file = match from {
        KeyFrom::File(path) => Located::new(path)?,
        KeyFrom::Credential(name) => {
            // SAFETY: a C string. (Not std's, which allocates, and ends the process if it cannot.)
            let directory = unsafe { libc::getenv(c"CREDENTIALS_DIRECTORY".as_ptr()) };
            if directory.is_null() {
                return Err(Wrong::Keys(Error::System("open", libc::ENOENT).into()));
            }
            // SAFETY: not NULL: a C string, which no program changes while it makes its first call.
            let directory = unsafe { CStr::from_ptr(directory) };
            Located { directory: opened(directory)?, name: joined(&[name.as_bytes()])? }
        }
    };
    KeyFile::read(file.directory.as_fd(), &file.name).map_err(Wrong::Keys)
}

/// A file's directory, and its name there.
struct Located {
    directory: OwnedFd,
    name: OwnedCStr,
}

impl Located {
    fn new(path: &str) -> Result<Self, Wrong> {
        let (directory, name) = path.rsplit_once('/').ok_or(Wrong::Path)?;
        let directory = joined(&[directory.as_bytes(), b"/"])?;
        Ok(Located { directory: opened(&directory)?, name: joined(&[name.as_bytes()])? })
    }
}

fn opened(directory: &CStr) -> Result<OwnedFd, Wrong> {
    open_directory(directory).map_err(Wrong::Segment)
}

fn joined(parts: &[&[u8]]) -> Result<OwnedCStr, Wrong> {
    let mut whole = copied(&[]).map_err(|_| Wrong::NoMemory)?;
    for part in parts {
        append(&mut whole, part).map_err(|_| Wrong::NoMemory)?;
    }
    OwnedCStr::until_nul(&whole).map_err(|_| Wrong::NoMemory)
}

/// The name of the program's file, as the kernel knows it: whatever the program was called as. Where
/// there is no /proc, the name of the path that was executed.
fn program_name(room: &mut [u8; libc::PATH_MAX as usize]) -> &[u8] {
    const EXE: &CStr = c"/proc/self/exe";
    // SAFETY: a C string, a buffer and its size.
    let length = unsafe { libc::readlink(EXE.as_ptr(), room.as_mut_ptr().cast(), room.len()) };
    let path = match usize::try_from(length) {
        Ok(length) => &room[..length],
        Err(_) => executed_path(),
    };
    // What the kernel adds where the file has been replaced.
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

fn executed_path() -> &'static [u8] {
    // SAFETY: getauxval only reads what the kernel gave the process.
    let path = unsafe { libc::getauxval(libc::AT_EXECFN) };
    let path: *const libc::c_char = std::ptr::with_exposed_provenance(path as usize);
    // SAFETY: 0, or a C string that the kernel has put above the process's stack.
    if path.is_null() { &[] } else { unsafe { CStr::from_ptr(path) }.to_bytes() }
}
