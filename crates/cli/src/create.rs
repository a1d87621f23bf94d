//! `sslcache create`: a segment and its key file, before the first process comes.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::lchown;

use clap::Args;
use sslcache_seal::{KeyFile, Sealed};
use sslcache_segment::{Error, Options, Store};

use crate::failure::{About, DONE, Done, Failure};
use crate::place::Place;
use crate::show::{bytes, count};

/// Make a segment and its key file, as the first process would that names them.
#[derive(Args)]
pub struct Create {
    /// What SSLCACHE_SHARED will be: PATH[,size=64m][,group=NAME][,mode=0640][,key=FILE]
    #[arg(value_name = "PATH", env = "SSLCACHE_SHARED")]
    value: String,
    /// The user that both are for (as root)
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
}

impl Create {
    pub fn run(&self) -> Done {
        let owner = self.owner.as_deref().map(user).transpose()?;
        let place = Place::new(&self.value)?;
        let file = place.file();
        let (directory, name) = place.located()?;
        let (key_directory, key_name) = place.located_key()?;
        let anybody = Options { of_anybody: true, ..place.options };
        match Store::attach(directory.as_fd(), &name, &anybody) {
            Err(error) if error.is(libc::ENOENT) => {}
            Ok(_) => {
                let file = file.display();
                return Err(Failure::with_code(1, format_args!("{file} is there already")));
            }
            Err(error) => return Err(place.failure(error)),
        }
        let key = place.key_file();
        let keys = KeyFile::read_or_make(key_directory.as_fd(), &key_name).about(key.display())?;
        let store = Store::open(directory.as_fd(), &name, &place.options)
            .map_err(|error: Error| place.failure(error))?;
        let (size, sets) = (store.size(), store.sets());
        Sealed::new(store, keys).ok_or_else(|| Failure::new("it was made with another key"))?;
        if let Some(owner) = owner {
            for file in [&file, key] {
                lchown(file, Some(owner), None).about(file.display())?;
            }
        }
        println!(
            "{}: {}, {} sets; its key is in {}",
            file.display(),
            bytes(size),
            count(sets as u64),
            key.display()
        );
        DONE
    }
}

/// The number of a user.
fn user(name: &str) -> Result<libc::uid_t, Failure> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let c_name = CString::new(std::ffi::OsStr::new(name).as_bytes()).about(name)?;
    // SAFETY: a C string; no other thread asks.
    let entry = unsafe { libc::getpwnam(c_name.as_ptr()).as_ref() };
    entry.map(|entry| entry.pw_uid).ok_or_else(|| Failure::new(format_args!("no user {name}")))
}
