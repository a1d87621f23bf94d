//! Where the library is, and what it has seen in a process.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sslcache_facts::Seen;

use crate::failure::{About, Failure};
use crate::processes::{self, Mapped};

/// Its name where it is installed, and where it is built.
const NAMES: [&str; 2] =
    [concat!("libsslcache.so.", env!("CARGO_PKG_VERSION_MAJOR")), "libsslcache.so"];

/// The library's file: the one that was named, or the one beside this command.
pub fn find(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        version_of(named)?;
        return named.canonicalize().about(named.display());
    }
    let own = std::env::current_exe().about("/proc/self/exe")?;
    let directories = directories(own.parent().unwrap_or(Path::new("/")));
    let mut files = directories.iter().flat_map(|directory| NAMES.map(|name| directory.join(name)));
    match files.find(|file| version_of(file).is_ok()) {
        // (As it was found: the link stays where releases change.)
        Some(file) => file
            .parent()
            .unwrap_or(&file)
            .canonicalize()
            .about(file.display())
            .map(|directory| directory.join(file.file_name().unwrap_or_default())),
        None => Err(Failure::new(format_args!(
            "{} is not beside this command ({}): name it with --library",
            NAMES[0],
            own.display()
        ))),
    }
}

/// Where it may be, for a command in this directory: there, or in the `lib` beside a `bin`.
fn directories(own: &Path) -> Vec<PathBuf> {
    let prefix = own.parent().unwrap_or(own);
    let of_machine = format!("lib/{}-linux-gnu", std::env::consts::ARCH);
    let beside = ["lib", "lib64", &of_machine].map(|lib| prefix.join(lib));
    [own.to_owned()].into_iter().chain(beside).collect()
}

/// The version of the library in a file.
pub fn version_of(file: &Path) -> Result<String, Failure> {
    let data = fs::read(file).about(file.display())?;
    let seen = Seen::find(&data);
    let seen = seen
        .ok_or_else(|| Failure::new(format_args!("{}: it is no libsslcache.so", file.display())))?;
    Ok(seen.version)
}

/// The library in a process.
pub struct InProcess {
    /// Its file; it may be gone.
    pub file: String,
    /// What it has seen; `None`: nobody but root may look.
    pub seen: Option<Seen>,
}

/// What of all this a process has.
pub struct Process {
    pub library: Option<InProcess>,
    /// The files of OpenSSL's libssl.
    pub libssls: Vec<String>,
    /// The paths of segments.
    pub segments: Vec<String>,
}

/// Looks at a process.
pub fn in_process(pid: u32) -> io::Result<Process> {
    let maps = processes::maps(pid)?;
    let mut libssls: Vec<String> =
        maps.iter().filter(|mapped| is_libssl(mapped.name())).map(|m| m.path.clone()).collect();
    libssls.dedup();
    let mut segments: Vec<String> =
        maps.iter().filter_map(Mapped::segment).map(str::to_owned).collect();
    segments.dedup();
    let ours: Vec<&Mapped> =
        maps.iter().filter(|mapped| mapped.name().starts_with("libsslcache.so")).collect();
    let library = ours
        .first()
        .map(|first| InProcess { file: first.file().to_owned(), seen: seen(pid, &ours) });
    Ok(Process { library, libssls, segments })
}

/// `libssl.so.3`, or as Python's wheels have it `libssl-3f8a.so.3`. (`libssl3.so` is another's.)
fn is_libssl(name: &str) -> bool {
    let rest = name.strip_prefix("libssl").unwrap_or("");
    (rest.starts_with('.') || rest.starts_with('-')) && rest.contains(".so")
}

/// What is noted in the library's data.
fn seen(pid: u32, mappings: &[&Mapped]) -> Option<Seen> {
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let data = mappings.iter().filter(|mapped| mapped.rights.starts_with("rw"));
    data.filter_map(|mapped| {
        let mut bytes = vec![0; usize::try_from(mapped.end - mapped.start).ok()?];
        memory.read_exact_at(&mut bytes, mapped.start).ok()?;
        Seen::find(&bytes)
    })
    .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssls_libraries_are_told_from_others() {
        for name in ["libssl.so.3", "libssl.so.1.1", "libssl-3a1b.so.3", "libssl.so"] {
            assert!(is_libssl(name), "{name}");
        }
        for name in ["libssl3.so", "libsslcache.so.0", "libcrypto.so.3", "", "libssl.a"] {
            assert!(!is_libssl(name), "{name}");
        }
    }

    #[test]
    fn what_is_no_library_is_refused() {
        assert!(
            find(Some(Path::new("/bin/sh"))).is_err_and(|why| why.to_string().contains("no lib"))
        );
        assert!(find(Some(Path::new("/no/file"))).is_err());
        // This program has the mark, but not in its data.
        assert!(in_process(std::process::id()).unwrap().library.is_none());
    }
}
