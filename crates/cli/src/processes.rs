//! What runs on this machine, and what it has mapped: `/proc`.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Serialize;

/// A process.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub command: String,
}

/// A mapping: a line of `/proc/PID/maps`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mapped {
    pub start: u64,
    pub end: u64,
    /// `rw-s`
    pub rights: String,
    /// Of the file, as `major:minor` and number.
    pub device: String,
    pub inode: u64,
    /// The path of the file, or what the kernel says instead.
    pub path: String,
}

impl Mapped {
    /// From a line, such as `7f..-7f.. rw-s 00000000 00:1a 5  /dev/shm/web.v1`.
    fn read(line: &str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let (start, end) = words.next()?.split_once('-')?;
        let [rights, _, device, inode] = std::array::from_fn(|_| words.next().unwrap_or(""));
        Some(Mapped {
            start: u64::from_str_radix(start, 16).ok()?,
            end: u64::from_str_radix(end, 16).ok()?,
            rights: rights.into(),
            device: device.into(),
            inode: inode.parse().ok()?,
            path: words.next().unwrap_or("").trim_start().into(),
        })
    }

    /// The path without what the kernel adds where the file is gone.
    pub fn file(&self) -> &str {
        self.path.strip_suffix(" (deleted)").unwrap_or(&self.path)
    }

    /// The name of the file.
    pub fn name(&self) -> &str {
        self.file().rsplit('/').next().unwrap_or("")
    }

    /// The path of the segment that this is.
    pub fn segment(&self) -> Option<&str> {
        let is_shared = self.rights.starts_with("rw") && self.rights.ends_with('s');
        let is_anonymous = self.file() == "/memfd:sslcache";
        if !is_shared || !(is_anonymous || self.file().ends_with(".v1")) {
            return None;
        }
        Some(if is_anonymous { "anonymous" } else { self.file() })
    }
}

/// What a process has mapped.
pub fn maps(pid: u32) -> io::Result<Vec<Mapped>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    Ok(maps.lines().filter_map(Mapped::read).collect())
}

/// The name of a process.
pub fn command(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// The numbers of all processes.
pub fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids: Vec<u32> =
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    pids
}

/// The process that started another one.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may have anything in it.
    stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
}

/// A process, and all that descend from it and are there.
pub fn family(pid: u32) -> Vec<u32> {
    let parents: Vec<(u32, Option<u32>)> =
        all().into_iter().map(|pid| (pid, parent(pid))).collect();
    let mut family = vec![pid];
    let mut at = 0;
    while let Some(&member) = family.get(at) {
        family.extend(parents.iter().filter(|(_, of)| *of == Some(member)).map(|(pid, _)| *pid));
        at += 1;
    }
    family
}

/// Those that have a file mapped.
#[derive(Clone, Default, Debug, Serialize)]
pub struct Users {
    pub processes: Vec<Process>,
    /// How many processes this user may not look at.
    pub unseen: usize,
}

/// The processes that have this file mapped.
pub fn users_of(file: &Path) -> io::Result<Users> {
    let status = fs::metadata(file)?;
    let device = device(status.dev());
    users(|mapped| mapped.inode == status.ino() && mapped.device == device)
}

fn users(is_it: impl Fn(&Mapped) -> bool) -> io::Result<Users> {
    let mut users = Users::default();
    for pid in all().into_iter().filter(|&pid| pid != std::process::id()) {
        match maps(pid) {
            Ok(maps) if maps.iter().any(&is_it) => {
                users.processes.push(Process { pid, command: command(pid) });
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => users.unseen += 1,
            _ => {}
        }
    }
    Ok(users)
}

/// As `maps` has it.
fn device(number: u64) -> String {
    format!("{:02x}:{:02x}", libc::major(number), libc::minor(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read() {
        let line = "7fc0-7fd0 rw-s 00000000 00:1a 57                  /dev/shm/a b.v1 (deleted)";
        let mapped = Mapped::read(line).unwrap();
        assert_eq!((mapped.start, mapped.end, mapped.inode), (0x7fc0, 0x7fd0, 57));
        assert_eq!((&*mapped.rights, &*mapped.device), ("rw-s", "00:1a"));
        assert_eq!((mapped.file(), mapped.name()), ("/dev/shm/a b.v1", "a b.v1"));
        assert_eq!(mapped.segment(), Some("/dev/shm/a b.v1"));
        let memory = Mapped::read("10-20 rw-s 00000000 00:01 5    /memfd:sslcache (deleted)");
        assert_eq!(memory.unwrap().segment(), Some("anonymous"));
        let library = Mapped::read("10-20 r-xp 00000000 08:01 5    /lib/x.v1").unwrap();
        assert_eq!(library.segment(), None);
        assert_eq!(Mapped::read("10-20 rw-p 00000000 00:00 0 ").unwrap().path, "");
        assert_eq!(Mapped::read("nothing"), None);
    }

    #[test]
    fn this_process_is_there_and_so_is_its_file() {
        let pid = std::process::id();
        assert!(all().contains(&pid) && !command(pid).is_empty());
        let exe = fs::read_link("/proc/self/exe").unwrap();
        assert!(maps(pid).unwrap().iter().any(|mapped| Path::new(mapped.file()) == exe));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!(family(child.id()), [child.id()]);
        assert!(family(pid).contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
