//! `sslcache rotate`: a new key.

use std::os::fd::AsFd;

use clap::Args;
use sslcache_seal::KeyFile;

use crate::failure::{About, DONE, Done};
use crate::place::Which;

/// Put a new key before those of a key file, for processes that start from now on.
///
/// The one before stays, for those that are running, and the one that the segment was made with.
#[derive(Args)]
pub struct Rotate {
    #[command(flatten)]
    which: Which,
}

impl Rotate {
    pub fn run(&self) -> Done {
        let place = self.which.place()?;
        // Without a segment no key is needed for what is in it.
        let naming = if place.file().exists() { place.view()?.index_key() } else { 0 };
        let (directory, name) = place.located_key()?;
        let key = place.key_file().display();
        let keys = KeyFile::rotate(directory.as_fd(), &name, naming).about(&key)?;
        println!("{key}: a new key, and {} before it", keys - 1);
        DONE
    }
}
