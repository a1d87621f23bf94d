//! What can be told of a program before it runs: whether a library can be put in front of it at
//! all.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use elf::ElfBytes;
use elf::abi::PT_INTERP;
use elf::endian::AnyEndian;

use crate::failure::{About, Failure};

/// A program that a library can be put in front of. (Which libraries it has is seen when it runs:
/// many load libssl late.)
#[derive(Debug)]
pub struct Program {
    /// Whether OpenSSL is linked into its file.
    pub has_openssl: bool,
}

/// Exit statuses of `env`, `nohup` and others.
const NOT_FOUND: u8 = 127;
const NOT_RUNNABLE: u8 = 126;

/// More than that are a circle of interpreters.
const INTERPRETERS: usize = 4;

/// Looks at the program that this name means, and refuses one that would not notice the library.
pub fn look_at(name: &OsStr, library: &Path) -> Result<Program, Failure> {
    let mut file = resolve(name)?;
    for _ in 0..INTERPRETERS {
        let data = fs::read(&file).map_err(|error| not_runnable(&file, error))?;
        match interpreter(&data) {
            Some(interpreter) => file = resolve(interpreter)?,
            None => return look_at_binary(file, &data, library),
        }
    }
    Err(not_runnable(&file, "its interpreter is a script, and so on"))
}

fn not_runnable(file: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::with_code(NOT_RUNNABLE, format_args!("{}: {why}", file.display()))
}

/// The file of a program, as `execvp` finds it.
fn resolve(name: &OsStr) -> Result<PathBuf, Failure> {
    if name.as_bytes().contains(&b'/') {
        return is_program(Path::new(name)).map(|()| name.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let mut files = std::env::split_paths(&path).map(|directory| directory.join(name));
    files.find(|file| is_program(file).is_ok()).ok_or_else(|| {
        Failure::with_code(
            NOT_FOUND,
            format_args!("{}: not found in PATH", Path::new(name).display()),
        )
    })
}

fn is_program(file: &Path) -> Result<(), Failure> {
    let status = fs::metadata(file).map_err(|error| {
        Failure::with_code(NOT_FOUND, format_args!("{}: {error}", file.display()))
    })?;
    if !status.is_file() || status.permissions().mode() & 0o111 == 0 {
        return Err(not_runnable(file, "it is no program"));
    }
    Ok(())
}

/// The interpreter of a script; `env`'s is the program that it looks for.
fn interpreter(data: &[u8]) -> Option<&OsStr> {
    let line = data.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let mut words = line
        .split(|byte| byte.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .map(OsStr::from_bytes);
    let interpreter = words.next()?;
    if !interpreter.as_bytes().ends_with(b"/env") {
        return Some(interpreter);
    }
    words.find(|word| !word.as_bytes().starts_with(b"-") && !word.as_bytes().contains(&b'='))
}

fn look_at_binary(file: PathBuf, data: &[u8], library: &Path) -> Result<Program, Failure> {
    let refused = |why: String| Failure::new(format_args!("{}: {why}", file.display()));
    let Ok(program) = ElfBytes::<AnyEndian>::minimal_parse(data) else {
        return Err(not_runnable(
            &file,
            "it is neither a program nor a script that names its interpreter",
        ));
    };
    let own = fs::read(library).about(library.display())?;
    let own = ElfBytes::<AnyEndian>::minimal_parse(&own).about(library.display())?;
    if (program.ehdr.e_machine, program.ehdr.class) != (own.ehdr.e_machine, own.ehdr.class) {
        return Err(refused("it is for another kind of processor than the library".into()));
    }
    let has_openssl = contains_openssl(data);
    let segments = program.segments().ok_or_else(|| refused("it is no program".into()))?;
    if !segments.iter().any(|segment| segment.p_type == PT_INTERP) {
        let too = if has_openssl { ", OpenSSL too" } else { "" };
        return Err(refused(format!(
            "everything is linked into it{too}: no library can be put in front of it"
        )));
    }
    if let Some(rights) = gains_rights(&file) {
        return Err(refused(format!(
            "it runs with more rights than yours ({rights}), and the system ignores LD_PRELOAD \
             then: start it as the user that it runs as"
        )));
    }
    Ok(Program { has_openssl })
}

/// What OpenSSL says of itself is in every program that it is linked into.
fn contains_openssl(data: &[u8]) -> bool {
    const START: &[u8] = b"OpenSSL ";
    let mut places = data.windows(START.len() + 6).filter(|place| place.starts_with(START));
    // "OpenSSL 3.0.11 19 Sep 2023"
    places.any(|place| {
        matches!(&place[START.len()..], [b'1' | b'3' | b'4', b'.', b'0'..=b'9', b'.', ..])
    })
}

/// Which rights a program has that its caller has not, if any.
fn gains_rights(file: &Path) -> Option<&'static str> {
    let status = fs::metadata(file).ok()?;
    // SAFETY: they have no conditions.
    let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
    let mode = status.permissions().mode();
    if mode & libc::S_ISUID != 0 && status.uid() != uid {
        return Some("set-user-ID");
    }
    if mode & libc::S_ISGID != 0 && status.gid() != gid {
        return Some("set-group-ID");
    }
    (uid != 0 && has_capabilities(file)).then_some("capabilities")
}

fn has_capabilities(file: &Path) -> bool {
    let Ok(path) = std::ffi::CString::new(file.as_os_str().as_bytes()) else { return false };
    let name = c"security.capability";
    // SAFETY: C strings, and no room for the answer.
    unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), std::ptr::null_mut(), 0) > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_name_their_interpreters() {
        let of = |text: &'static str| interpreter(text.as_bytes()).and_then(OsStr::to_str);
        assert_eq!(of("#!/bin/sh\necho"), Some("/bin/sh"));
        assert_eq!(of("#! /usr/bin/perl -w\n"), Some("/usr/bin/perl"));
        assert_eq!(of("#!/usr/bin/env python3\n"), Some("python3"));
        assert_eq!(of("#!/usr/bin/env -S A=b python3 -u\n"), Some("python3"));
        assert_eq!(of("#!/usr/bin/env\n"), None);
        assert_eq!(of("echo"), None);
    }

    #[test]
    fn openssl_is_known_by_what_it_says() {
        assert!(contains_openssl(b"..OpenSSL 3.0.11 19 Sep 2023.."));
        assert!(!contains_openssl(b"OpenSSL is not here") && !contains_openssl(b"OpenSSL 3"));
    }

    #[test]
    fn programs_are_told_apart() {
        let own = std::env::current_exe().unwrap();
        let look_at = |name: &str| look_at(OsStr::new(name), &own);
        let shell = look_at("sh").unwrap();
        assert!(!shell.has_openssl);
        let code = |name: &str| format!("{:?}", look_at(name).unwrap_err());
        assert!(code("no-such-program").contains("code: 127"));
        assert!(code("/etc/passwd").contains("code: 126"));
        assert!(code("/etc").contains("code: 126"));
    }
}
