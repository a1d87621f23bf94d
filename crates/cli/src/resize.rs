//! `sslcache resize`: the same sessions in a file of another size.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, fchown};

use clap::Args;
use serde::Serialize;
use sslcache_segment::{Options, Successor};

use crate::failure::{About, DONE, Done, Failure};
use crate::place::Which;
use crate::processes::Users;
use crate::show::{bytes, count, json, now, number_of};
use crate::stat::users;

/// Move the sessions of a segment into a new one of another size, which takes its place.
///
/// Processes that have the old one keep it until they end, and lose its sessions.
#[derive(Args)]
pub struct Resize {
    #[command(flatten)]
    which: Which,
    /// Bytes of the new one, such as 64m, from 1m to 16g
    #[arg(long, value_parser = size)]
    size: u64,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

fn size(value: &str) -> Result<u64, String> {
    let units = [("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)];
    sslcache_settings::number(value, &units, 1 << 20..=Options::LARGEST)
        .ok_or_else(|| "bytes such as 64m or 1g, from 1m to 16g".into())
}

#[derive(Serialize)]
struct Resized {
    bytes: u64,
    moved: u64,
    kept: u64,
    expired: u64,
    lost: u64,
    /// Such as have the old one.
    users: Users,
}

impl Resize {
    pub fn run(&self) -> Done {
        let place = self.which.place()?;
        let old = place.store()?;
        let users = users(&place)?;
        let file = place.file();
        let status = fs::symlink_metadata(&file).about(file.display())?;
        let (directory, name) = place.located()?;
        let options = Options {
            size: self.size,
            mode: status.mode() & 0o777,
            group: Some(status.gid()),
            on_disk: true,
            of_anybody: true,
        };
        let failed = |error| Failure::new(format_args!("{}: {error}", file.display()));
        let new = Successor::new(directory.as_fd(), &options).map_err(failed)?;
        fchown(new.file(), Some(status.uid()), Some(status.gid())).about(file.display())?;
        let moved = new.take_over(&old, now());
        let store = new.replace(directory.as_fd(), &name).map_err(failed)?;
        let resized = Resized {
            bytes: store.size(),
            moved: moved.moved,
            kept: store.census(now()).live,
            expired: moved.expired,
            lost: moved.lost,
            users,
        };
        if self.json {
            json(&resized)?;
        } else {
            resized.print(&file.display().to_string());
        }
        DONE
    }
}

impl Resized {
    fn print(&self, file: &str) {
        println!(
            "{file}: {} with {} ({} had no room, {} had expired)",
            bytes(self.bytes),
            number_of(self.kept, "session"),
            count(self.moved.saturating_sub(self.kept)),
            count(self.expired)
        );
        if !self.users.processes.is_empty() {
            let pids: Vec<String> =
                self.users.processes.iter().map(|user| user.pid.to_string()).collect();
            println!("restart the server: processes {} have the old one", pids.join(" "));
        }
    }
}
