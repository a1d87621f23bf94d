//! Opening a file by a path such that nobody else decides which file that is.
//!
//! The environment of a server names a path, and the server often runs as root. In a directory that
//! others may write to, the name may be a symbolic link to a file of root's by then, at the end of
//! the path or in the middle of it. So the path is walked one component at a time, and a link is
//! followed only where nobody but this user and root can have put it. (The kernel's
//! `fs.protected_symlinks` guards directories with the sticky bit alone, and is not on everywhere.)

use std::ffi::CStr;
use std::fmt;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libc::{c_int, mode_t, uid_t};
use sslcache_segment::Errno;

use crate::ffi::memory::{NoMemory, append, copied, zeroed};

/// Why a file is not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The system says why: an `errno`.
    System(c_int),
    /// A symbolic link in the path, that another user may have put there.
    Link,
    /// The file has another name elsewhere, and another user may have given it this one.
    HardLink,
    /// A block device: text would destroy what is on it.
    Device,
}

impl Refused {
    /// What the last system call said.
    pub fn last() -> Refused {
        // SAFETY: `errno` is this thread's.
        Refused::System(unsafe { *libc::__errno_location() })
    }
}

impl From<NoMemory> for Refused {
    fn from(_: NoMemory) -> Self {
        Refused::System(libc::ENOMEM)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::System(errno) => Errno(*errno).fmt(f),
            Refused::Link => f.write_str("a symbolic link in a directory that others may change"),
            Refused::HardLink => f.write_str("a hard link in a directory that others may change"),
            Refused::Device => f.write_str("a block device"),
        }
    }
}

/// Opens the file at `path` to append to it; makes it, for this user alone, if it is not there.
/// Writing to it never blocks, and it is not passed on to other programs.
pub fn open(path: &CStr) -> Result<OwnedFd, Refused> {
    let mut walk = Walk::begin(path.to_bytes())?;
    loop {
        if let Some(file) = walk.step()? {
            return walk.checked(file);
        }
    }
}

/// On the way through a path.
struct Walk {
    /// How far it has come.
    directory: OwnedFd,
    /// What is left of the path.
    rest: Vec<u8>,
    /// Links followed so far.
    links: u32,
}

/// As many as the kernel follows.
const MOST_LINKS: u32 = 40;

/// Into a directory: no more than passing through it is asked for.
const ENTER: c_int = libc::O_PATH | libc::O_DIRECTORY;
/// To the end: a pipe that nobody reads is an error, and a terminal does not become the process's.
const APPEND: c_int = libc::O_WRONLY | libc::O_APPEND | libc::O_NONBLOCK | libc::O_NOCTTY;

impl Walk {
    fn begin(path: &[u8]) -> Result<Walk, Refused> {
        let start = if path.starts_with(b"/") { c"/" } else { c"." };
        let directory = open_at(libc::AT_FDCWD, start, ENTER)?;
        Ok(Walk { directory, rest: copied(path)?, links: 0 })
    }

    /// Goes on by one component: into a directory, along a link, or to the file at the end.
    fn step(&mut self) -> Result<Option<OwnedFd>, Refused> {
        let (name, is_last) = self.next_name()?;
        let name = name.as_c_str();
        let how = if is_last { APPEND | libc::O_CREAT } else { ENTER };
        let opened = open_at(self.directory.as_raw_fd(), name, how | libc::O_NOFOLLOW);
        match opened {
            Ok(opened) => Ok(self.arrive(opened, is_last)),
            Err(why) => self.follow(name, is_last, why),
        }
    }

    fn arrive(&mut self, opened: OwnedFd, is_last: bool) -> Option<OwnedFd> {
        if is_last {
            return Some(opened);
        }
        self.directory = opened;
        None
    }

    /// The next component, and whether it is the last. A path that ends in a slash is that of a
    /// directory.
    fn next_name(&mut self) -> Result<(Name, bool), Refused> {
        let start = self.rest.iter().take_while(|&&byte| byte == b'/').count();
        let length = self.rest[start..].iter().take_while(|&&byte| byte != b'/').count();
        let end = start + length;
        let name = Name::new(&self.rest[start..end])?;
        let is_last = end == self.rest.len();
        self.rest.drain(..end);
        Ok((name, is_last))
    }

    /// Goes along the link that `name` is, if it is one that may be followed. `why` it was not
    /// opened in the first place is the answer if it is none.
    fn follow(
        &mut self,
        name: &CStr,
        is_last: bool,
        why: Refused,
    ) -> Result<Option<OwnedFd>, Refused> {
        let directory = self.directory.as_raw_fd();
        let link = open_at(directory, name, libc::O_PATH | libc::O_NOFOLLOW).map_err(|_| why)?;
        let status = status_of(&link)?;
        if status.st_mode & libc::S_IFMT != libc::S_IFLNK {
            return Err(why);
        }
        if !is_trusted(status.st_uid) || !self.is_private()? {
            return Err(Refused::Link);
        }
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(Refused::System(libc::ELOOP));
        }
        if is_of_proc(&link)? {
            // Not a text but the file itself, as in /proc/self/fd.
            let opened = open_at(directory, name, if is_last { APPEND } else { ENTER })?;
            return Ok(self.arrive(opened, is_last));
        }
        let target = read_link(&link)?;
        if target.starts_with(b"/") {
            self.directory = open_at(libc::AT_FDCWD, c"/", ENTER)?;
        }
        let rest = std::mem::replace(&mut self.rest, target);
        append(&mut self.rest, &rest)?;
        Ok(None)
    }

    /// Whether nobody but this user and root can put anything into the directory.
    fn is_private(&self) -> Result<bool, Refused> {
        const WRITABLE: mode_t = libc::S_IWGRP | libc::S_IWOTH;
        let status = status_of(&self.directory)?;
        Ok(is_trusted(status.st_uid) && status.st_mode & WRITABLE == 0)
    }

    /// The file at the end, if it may be written to.
    fn checked(&self, file: OwnedFd) -> Result<OwnedFd, Refused> {
        let status = status_of(&file)?;
        match status.st_mode & libc::S_IFMT {
            libc::S_IFBLK => Err(Refused::Device),
            libc::S_IFREG if status.st_nlink > 1 && !self.is_private()? => Err(Refused::HardLink),
            _ => Ok(file),
        }
    }
}

/// A component of a path.
struct Name([u8; Name::MAX + 1]);

impl Name {
    const MAX: usize = 255;

    fn new(name: &[u8]) -> Result<Name, Refused> {
        if name.is_empty() {
            return Err(Refused::System(libc::EISDIR));
        }
        let mut bytes = [0; Name::MAX + 1];
        let place = bytes[..Name::MAX].get_mut(..name.len());
        place.ok_or(Refused::System(libc::ENAMETOOLONG))?.copy_from_slice(name);
        Ok(Name(bytes))
    }

    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).expect("the last byte is NUL")
    }
}

fn is_trusted(owner: uid_t) -> bool {
    // SAFETY: no arguments, no failure.
    owner == 0 || owner == unsafe { libc::geteuid() }
}

fn open_at(directory: c_int, name: &CStr, flags: c_int) -> Result<OwnedFd, Refused> {
    const MODE: mode_t = libc::S_IRUSR | libc::S_IWUSR;
    // SAFETY: a C string, and the mode that O_CREAT asks for.
    let opened = unsafe { libc::openat(directory, name.as_ptr(), flags | libc::O_CLOEXEC, MODE) };
    if opened < 0 {
        return Err(Refused::last());
    }
    // SAFETY: openat has just made it.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}

fn status_of(file: &OwnedFd) -> Result<libc::stat, Refused> {
    let mut status = MaybeUninit::uninit();
    // SAFETY: a place for the answer.
    if unsafe { libc::fstat(file.as_raw_fd(), status.as_mut_ptr()) } != 0 {
        return Err(Refused::last());
    }
    // SAFETY: fstat has filled it.
    Ok(unsafe { status.assume_init() })
}

fn is_of_proc(link: &OwnedFd) -> Result<bool, Refused> {
    let mut system = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: a place for the answer.
    if unsafe { libc::fstatfs(link.as_raw_fd(), system.as_mut_ptr()) } != 0 {
        return Err(Refused::last());
    }
    // SAFETY: fstatfs has filled it.
    Ok(unsafe { system.assume_init() }.f_type == libc::PROC_SUPER_MAGIC)
}

fn read_link(link: &OwnedFd) -> Result<Vec<u8>, Refused> {
    const LONGEST: usize = libc::PATH_MAX as usize;
    let mut target = zeroed(LONGEST)?;
    // SAFETY: the link itself, a buffer and its size.
    let length = unsafe {
        libc::readlinkat(link.as_raw_fd(), c"".as_ptr(), target.as_mut_ptr().cast(), LONGEST)
    };
    let length = usize::try_from(length).map_err(|_| Refused::last())?;
    target.truncate(length);
    Ok(target)
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fs::{self, Permissions};
    use std::io::Write;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
    use std::path::{Path, PathBuf};

    use super::*;

    /// A directory of its own, of this user alone, that goes with the test.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            let name = format!("sslcache-{name}-{}", std::process::id());
            let place = Place(std::env::temp_dir().join(name));
            place.directory("", 0o700);
            place
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }

        fn directory(&self, name: &str, mode: u32) {
            fs::create_dir(self.at(name)).unwrap();
            fs::set_permissions(self.at(name), Permissions::from_mode(mode)).unwrap();
        }

        /// Opens, and returns why not.
        fn refused(&self, name: &str) -> Option<Refused> {
            open_path(&self.at(name)).err()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn open_path(path: &Path) -> Result<OwnedFd, Refused> {
        open(&CString::new(path.as_os_str().as_bytes()).unwrap())
    }

    /// Another user, if this one may give files away.
    fn stranger() -> Option<u32> {
        // SAFETY: no arguments, no failure.
        (unsafe { libc::geteuid() } == 0).then_some(65534)
    }

    #[test]
    fn a_new_file_is_for_its_owner_alone_and_an_old_one_is_appended_to() {
        let place = Place::new("new");
        place.directory("in", 0o700);
        for path in ["in/../file", ".//file"] {
            let mut file = fs::File::from(open_path(&place.at(path)).unwrap());
            file.write_all(path.as_bytes()).unwrap();
        }
        assert_eq!(fs::read(place.at("file")).unwrap(), b"in/../file.//file");
        assert_eq!(fs::metadata(place.at("file")).unwrap().mode() & 0o177, 0);
    }

    #[test]
    fn a_path_names_a_file() {
        let place = Place::new("names");
        place.directory("in", 0o700);
        fs::write(place.at("file"), "").unwrap();
        for (path, errno) in [
            ("in", libc::EISDIR),
            ("in/", libc::EISDIR),
            ("in/..", libc::EISDIR),
            ("file/", libc::ENOTDIR),
            ("file/x", libc::ENOTDIR),
            ("no/x", libc::ENOENT),
            ("no/", libc::ENOENT),
            (&"x".repeat(256), libc::ENAMETOOLONG),
        ] {
            assert_eq!(place.refused(path), Some(Refused::System(errno)), "{path}");
        }
        assert_eq!(place.refused(&"x".repeat(255)), None);
        assert_eq!(open(c"/").err(), Some(Refused::System(libc::EISDIR)));
        assert_eq!(open(c"").err(), Some(Refused::System(libc::EISDIR)));
    }

    #[test]
    fn links_of_this_user_in_its_own_directories_are_followed() {
        let place = Place::new("links");
        place.directory("in", 0o700);
        symlink("made", place.at("in/to_new")).unwrap();
        symlink("../in/to_new", place.at("in/to_link")).unwrap();
        symlink(place.at("in"), place.at("absolute")).unwrap();
        symlink("absolute/", place.at("directory")).unwrap();
        symlink("round", place.at("round")).unwrap();
        for path in ["in/to_new", "in/to_link", "absolute/to_link", "directory/to_link"] {
            let mut file = fs::File::from(open_path(&place.at(path)).unwrap());
            file.write_all(b"x").unwrap();
        }
        assert_eq!(fs::read(place.at("in/made")).unwrap(), b"xxxx");
        assert_eq!(place.refused("directory"), Some(Refused::System(libc::EISDIR)));
        assert_eq!(place.refused("round"), Some(Refused::System(libc::ELOOP)));
        assert_eq!(place.refused("round/x"), Some(Refused::System(libc::ELOOP)));
    }

    #[test]
    fn links_that_others_may_have_put_there_are_not() {
        let place = Place::new("theirs");
        place.directory("private", 0o700);
        for (name, mode) in [("sticky", 0o1777), ("open", 0o777), ("group", 0o770), ("away", 0o755)]
        {
            place.directory(name, mode);
            fs::write(place.at("private/secret"), "").unwrap();
            symlink("../private/secret", place.at(name).join("end")).unwrap();
            symlink("../private", place.at(name).join("middle")).unwrap();
            symlink(place.at(name).join("end"), place.at("private").join(name)).unwrap();
            let paths =
                [format!("{name}/end"), format!("{name}/middle/new"), format!("private/{name}")];
            if name == "away" {
                let Some(stranger) = stranger() else { return };
                chown(place.at(name), Some(stranger), None).unwrap();
            }
            for path in paths {
                assert_eq!(place.refused(&path), Some(Refused::Link), "{path}");
            }
            assert_eq!(place.refused(&format!("{name}/file")), None);
        }
        assert!(!place.at("private/new").exists());
        lchown(place.at("private/open"), stranger(), None).unwrap();
        lchown(place.at("private/away"), stranger(), None).unwrap();
        symlink("secret", place.at("private/given")).unwrap();
        assert_eq!(place.refused("private/given"), None);
        lchown(place.at("private/given"), stranger(), None).unwrap();
        assert_eq!(place.refused("private/given"), Some(Refused::Link));
    }

    #[test]
    fn another_name_of_a_file_is_no_way_around_it() {
        let place = Place::new("hard");
        place.directory("sticky", 0o1777);
        fs::write(place.at("secret"), "").unwrap();
        fs::hard_link(place.at("secret"), place.at("sticky/name")).unwrap();
        assert_eq!(place.refused("sticky/name"), Some(Refused::HardLink));
        assert_eq!(place.refused("secret"), None);
    }

    #[test]
    fn a_pipe_is_opened_if_it_is_read_and_nothing_waits() {
        let place = Place::new("pipe");
        let path = CString::new(place.at("pipe").as_os_str().as_bytes()).unwrap();
        // SAFETY: a C string and a mode.
        assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
        assert_eq!(place.refused("pipe"), Some(Refused::System(libc::ENXIO)));
        let reader = open_at(libc::AT_FDCWD, &path, libc::O_RDONLY | libc::O_NONBLOCK).unwrap();
        assert_eq!(place.refused("pipe"), None);
        drop(reader);
    }

    #[test]
    fn a_descriptor_can_be_named() {
        let place = Place::new("proc");
        let file = open_path(&place.at("file")).unwrap();
        for path in ["/proc/self/fd/", "/dev/fd/"] {
            let path = CString::new(format!("{path}{}", file.as_raw_fd())).unwrap();
            fs::File::from(open(&path).unwrap()).write_all(b"x").unwrap();
        }
        assert_eq!(fs::read(place.at("file")).unwrap(), b"xx");
        assert!(open(c"/dev/null").is_ok());
    }
}
