//! Which file is a segment, and which is refused.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt, chown, symlink};
use std::path::PathBuf;

use sslcache_segment::{Error, Key, MAX_RECORD, Options, Put, Record, Store, Wanted};

const SMALL: Options =
    Options { size: 1 << 20, mode: 0o600, group: None, on_disk: false, of_anybody: false };

/// A directory in memory, for one test.
struct Directory {
    path: PathBuf,
    file: File,
}

impl Directory {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(format!("/dev/shm/sslcache-files-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        let file = File::open(&path).unwrap();
        Directory { path, file }
    }

    fn open(&self, options: &Options) -> Result<Store, Error> {
        Store::open(self.file.as_fd(), c"web", options)
    }

    fn attach(&self) -> Result<Store, Error> {
        Store::attach(self.file.as_fd(), c"web", &SMALL)
    }

    fn segment(&self) -> PathBuf {
        self.path.join("web.v1")
    }

    fn error(&self, options: &Options) -> Error {
        self.open(options).err().expect("it is refused")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn put(store: &Store, number: u8) {
    let record = Record { expiry: u32::MAX, name: 0, key_id: 0, bytes: &[number; 100] };
    assert_eq!(store.put(Key::new([number; 16]), &record, 0), Put::Stored);
}

fn has(store: &Store, number: u8) -> bool {
    let mut room = [0; MAX_RECORD];
    let wanted = Wanted { key: Key::new([number; 16]), name: 0, now: 0 };
    store.get(&wanted, &mut room).is_ok_and(|found| room[..found.length] == [number; 100])
}

#[test]
fn what_one_made_the_others_find_whatever_size_they_ask_for() {
    let directory = Directory::new("made");
    assert!(directory.attach().err().unwrap().to_string().contains("No such file"));
    let made = directory.open(&SMALL).unwrap();
    put(&made, 1);
    let opened = directory.open(&Options { size: 4 << 20, ..SMALL }).unwrap();
    assert!(has(&opened, 1) && opened.sets() == made.sets());
    assert_eq!(made.sets(), ((1 << 20) - (32 << 10)) / (16 << 10));
    drop(made);
    put(&opened, 2);
    drop(opened);
    let attached = directory.attach().unwrap();
    assert!(has(&attached, 1) && has(&attached, 2));
    assert_eq!(attached.identity().creator, u64::from(std::process::id()));
    let names: Vec<_> =
        fs::read_dir(&directory.path).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["web.v1"], "and nothing else");
}

#[test]
fn a_file_has_the_mode_and_the_group_that_were_asked_for() {
    let directory = Directory::new("mode");
    let mode = |options: &Options| {
        drop(directory.open(options).unwrap());
        let mode = fs::metadata(directory.segment()).unwrap().permissions().mode();
        fs::remove_file(directory.segment()).unwrap();
        mode & 0o7777
    };
    assert_eq!(mode(&SMALL), 0o600);
    assert_eq!(mode(&Options { mode: 0o666, ..SMALL }), 0o644, "nobody else may write");
    // SAFETY: has no conditions.
    let group = Some(unsafe { libc::getegid() });
    assert_eq!(mode(&Options { mode: 0o666, group, ..SMALL }), 0o664);
}

#[test]
fn a_file_that_others_may_write_to_is_refused() {
    let directory = Directory::new("rights");
    drop(directory.open(&SMALL).unwrap());
    let set_mode = |mode| {
        fs::set_permissions(directory.segment(), Permissions::from_mode(mode)).unwrap();
    };
    set_mode(0o602);
    assert_eq!(directory.error(&SMALL), Error::Mode);
    set_mode(0o620);
    assert_eq!(directory.error(&SMALL), Error::Mode);
    // SAFETY: has no conditions.
    let group = unsafe { libc::getegid() };
    assert!(directory.open(&Options { group: Some(group), ..SMALL }).is_ok());
    assert_eq!(directory.error(&Options { group: Some(group + 1), ..SMALL }), Error::Mode);
    set_mode(0o600);
    set_mode(0o622);
    assert!(directory.open(&Options { of_anybody: true, ..SMALL }).is_ok());
    set_mode(0o600);
    if chown(directory.segment(), Some(12345), None).is_ok() {
        assert_eq!(directory.error(&SMALL), Error::Owner);
        assert!(directory.open(&Options { of_anybody: true, ..SMALL }).is_ok());
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let directory = Directory::new("kinds");
    symlink("/dev/null", directory.segment()).unwrap();
    assert!(matches!(directory.error(&SMALL), Error::System("open", libc::ELOOP)));
    fs::remove_file(directory.segment()).unwrap();
    fs::create_dir(directory.segment()).unwrap();
    assert!(matches!(directory.error(&SMALL), Error::System("open", libc::EISDIR)));
    fs::remove_dir(directory.segment()).unwrap();
    let path = CString::new(directory.segment().to_str().unwrap()).unwrap();
    // SAFETY: a C string.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
    assert_eq!(directory.error(&SMALL), Error::NotAFile);
    let long = CString::new("x".repeat(300)).unwrap();
    assert!(matches!(Store::open(directory.file.as_fd(), &long, &SMALL), Err(Error::Name)));
    for size in [0, Options::SMALLEST - 1, Options::LARGEST + 1] {
        let store = Store::open(directory.file.as_fd(), c"new", &Options { size, ..SMALL });
        assert!(matches!(store, Err(Error::Size)));
    }
}

#[test]
fn what_is_no_segment_is_refused() {
    let directory = Directory::new("damaged");
    drop(directory.open(&SMALL).unwrap());
    let file = OpenOptions::new().read(true).write(true).open(directory.segment()).unwrap();
    let mut identity = [0; 128];
    file.read_exact_at(&mut identity, 0).unwrap();
    for byte in 0..identity.len() {
        let mut other = identity;
        other[byte] ^= 1 << (byte % 8);
        file.write_all_at(&other, 0).unwrap();
        let error = directory.error(&SMALL);
        let expected = match byte {
            8..16 => Error::Format,
            _ => Error::NoSegment,
        };
        assert_eq!(error, expected, "byte {byte}");
    }
    file.write_all_at(&identity, 0).unwrap();
    assert!(directory.open(&SMALL).is_ok());
    let size = file.metadata().unwrap().len();
    for wrong in [size - 1, 32 << 10, 4096, 127, 1, 0] {
        file.set_len(wrong).unwrap();
        let error = directory.error(&SMALL);
        assert!(matches!(error, Error::NoSegment | Error::Truncated), "{wrong} bytes: {error}");
    }
    // As long as it should be, but with nothing there: to look at it on a full tmpfs would be
    // SIGBUS.
    file.set_len(size).unwrap();
    file.write_all_at(&identity, 0).unwrap();
    assert_eq!(directory.error(&SMALL), Error::Holes);
    file.set_len(size + 1).unwrap();
    assert!(matches!(directory.error(&SMALL), Error::Truncated | Error::Holes));
}

#[test]
fn a_file_on_a_disk_is_refused_unless_that_is_wanted() {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let name = CString::new(format!("on-disk-{}", std::process::id())).unwrap();
    let directory =
        OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(&target).unwrap();
    let open = |on_disk| Store::open(directory.as_fd(), &name, &Options { on_disk, ..SMALL });
    match open(false) {
        Err(Error::OnDisk) => {}
        Ok(_) => eprintln!("{}: on tmpfs: nothing to try", target.display()),
        Err(error) => panic!("{error}"),
    }
    match open(true) {
        Ok(store) => {
            put(&store, 1);
            assert!(has(&open(true).unwrap(), 1));
            let _ = fs::remove_file(target.join(format!("{}.v1", name.to_str().unwrap())));
        }
        // Some file systems have no files without a name.
        Err(error) => eprintln!("{}: {error}", target.display()),
    }
}

#[test]
fn every_reason_is_said() {
    let reasons = [
        (Error::System("open", libc::EACCES), "open: Permission denied"),
        (Error::Owner, "it belongs to another user"),
        (Error::OnDisk, "it is not on tmpfs"),
        (Error::Format, "it has another format"),
    ];
    for (error, text) in reasons {
        assert_eq!(error.to_string(), text);
    }
}
