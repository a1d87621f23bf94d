//! Where a segment is, and its keys, as users say it: the value of `SSLCACHE_SHARED`, or the path
//! of the file.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use sslcache_seal::KeyFile;
use sslcache_segment::{Error, Options, Process, Store, View};
use sslcache_settings::shared::{KeyFrom, Memory, Options as Value};

use crate::failure::{About, Failure};
use crate::processes;

/// Which segment a verb is about.
#[derive(Args)]
pub struct Which {
    /// The segment: the value of SSLCACHE_SHARED (PATH[,option...]), the path of its file
    /// (PATH.v1), or the number of a process that has it
    #[arg(value_name = "PATH", env = "SSLCACHE_SHARED")]
    value: String,
}

impl Which {
    /// The place that was named.
    pub fn place(&self) -> Result<Place, Failure> {
        match self.value.parse() {
            Ok(pid) => Place::of_process(pid),
            Err(_) => Place::new(&self.value),
        }
    }
}

/// A segment's place.
pub struct Place {
    /// The path, as in `SSLCACHE_SHARED`.
    path: PathBuf,
    /// How it is made.
    pub options: Options,
    /// Where its keys are.
    key: PathBuf,
}

impl Place {
    /// What a value of `SSLCACHE_SHARED` says, or the path of a file that is there.
    pub fn new(value: &str) -> Result<Self, Failure> {
        let value = value.strip_suffix(SUFFIX).unwrap_or(value);
        let is_bare = !value.split(',').next().unwrap_or(value).contains('/');
        let value = if is_bare && !value.starts_with("anonymous") {
            format!("./{value}")
        } else {
            value.to_owned()
        };
        let read = Value::read(value.as_bytes()).about(&value)?;
        let Memory::File(path) = read.memory else {
            return Err(Failure::new(
                "anonymous memory has no path: name a process that has it, as root",
            ));
        };
        let key = match read.key {
            None => PathBuf::from(format!("{path}.key")),
            Some(KeyFrom::File(path)) => PathBuf::from(path),
            Some(KeyFrom::Credential(name)) => {
                let directory = std::env::var_os("CREDENTIALS_DIRECTORY");
                Path::new(&directory.unwrap_or_default()).join(name)
            }
        };
        let path = PathBuf::from(path);
        Ok(Place { path, options: read.segment, key })
    }

    /// The segment that a process has mapped.
    fn of_process(pid: u32) -> Result<Self, Failure> {
        let maps = processes::maps(pid).about(format_args!("process {pid}"))?;
        let mut segments = maps.iter().filter_map(|map| Some((map.segment()?, map.inode)));
        let Some(first) = segments.next() else {
            let why = format_args!("process {pid} shares no cache with others");
            return Err(Failure::with_code(1, why));
        };
        let mut paths = [first].into_iter().chain(segments).filter_map(|(path, inode)| {
            let path = format!("/proc/{pid}/root{path}");
            (fs::metadata(&path).ok()?.ino() == inode).then_some(path)
        });
        match paths.next() {
            Some(path) => Self::new(&path),
            None => Err(Failure::new(format_args!(
                "process {pid} has memory that has no path, or none any more: {}",
                first.0
            ))),
        }
    }

    /// The path of the file.
    pub fn file(&self) -> PathBuf {
        PathBuf::from(format!("{}{SUFFIX}", self.path.display()))
    }

    /// The path of the key file.
    pub fn key_file(&self) -> &Path {
        &self.key
    }

    /// The directory of the file, and its name there, without the format.
    pub fn located(&self) -> Result<(File, CString), Failure> {
        located(&self.path)
    }

    /// To look at.
    pub fn view(&self) -> Result<View, Failure> {
        let (directory, name) = self.located()?;
        View::open(directory.as_fd(), &name).map_err(|error| self.failure(error))
    }

    /// To change, whoever's it is.
    pub fn store(&self) -> Result<Store<Process>, Failure> {
        let (directory, name) = self.located()?;
        let options = Options { of_anybody: true, on_disk: true, ..self.options };
        Store::attach(directory.as_fd(), &name, &options).map_err(|error| self.failure(error))
    }

    /// What to say if it is not opened.
    pub fn failure(&self, error: Error) -> Failure {
        let file = self.file();
        let file = file.display();
        if error.is(libc::ENOENT) {
            return Failure::new(format_args!("{file} is not there; \"sslcache create\" makes it"));
        }
        if error.is(libc::EACCES) || error.is(libc::EPERM) {
            let owner = fs::metadata(self.file()).ok().map(|file| owner_of(&file));
            let owner = owner.unwrap_or_else(|| "another user".into());
            return Failure::new(format_args!(
                "{file} belongs to {owner}: run this as that user, or as root"
            ));
        }
        Failure::new(format_args!("{file}: {error}"))
    }

    /// The directory of the key file, and its name there.
    pub fn located_key(&self) -> Result<(File, CString), Failure> {
        located(&self.key)
    }

    /// Opens the segment with its keys.
    pub fn sealed(&self) -> Result<sslcache_seal::Sealed<Process>, Failure> {
        let (directory, name) = self.located_key()?;
        let key = self.key.display();
        let keys = KeyFile::read(directory.as_fd(), &name).about(&key)?;
        sslcache_seal::Sealed::new(self.store()?, keys).ok_or_else(|| {
            let file = self.file();
            Failure::new(format_args!(
                "{}: it was made with a key that {key} has not",
                file.display()
            ))
        })
    }
}

/// What the format adds to the path.
const SUFFIX: &str = ".v1";

fn located(path: &Path) -> Result<(File, CString), Failure> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default();
    let flags = libc::O_PATH | libc::O_DIRECTORY;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(directory);
    let name = CString::new(name.as_bytes()).about(path.display())?;
    Ok((opened.about(directory.display())?, name))
}

/// The name of a file's owner.
fn owner_of(file: &fs::Metadata) -> String {
    let uid = file.uid().to_string();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut users = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let user = users.find(|user| user.get(2) == Some(&uid.as_str()));
    user.map_or_else(|| format!("user {uid}"), |user| user[0].to_owned())
}
