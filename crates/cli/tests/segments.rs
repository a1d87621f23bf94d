//! The verbs that are about a segment: real segments, with real sessions' worth of sealed records in
//! them, and the command as a process.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sslcache_seal::{KeyFile, Sealed, Thing};
use sslcache_segment::{MAX_RECORD, Miss, Options, Process, Put, Record, Store};

/// A directory in memory, for one test.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let path = format!("/dev/shm/sslcache-cli-{}-{test}", std::process::id());
        fs::create_dir(&path).unwrap();
        Directory(path.into())
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().into()
    }

    /// The segment `web`, as a server has it.
    fn server(&self) -> Server {
        let directory = File::open(&self.0).unwrap();
        let keys = KeyFile::read_or_make(directory.as_fd(), c"web.key").unwrap();
        let options = Options { size: 1 << 20, ..Options::default() };
        let store = Store::open(directory.as_fd(), c"web", &options).unwrap();
        Server(Sealed::new(store, keys).expect("its keys"))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Server(Sealed<Process>);

fn now() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as u32
}

impl Server {
    /// What the library does, as far as it matters here: the service and its epoch are in the key.
    fn thing(&self, service: &str, id: u32) -> Thing {
        let service = self.0.service(service.as_bytes()).unwrap();
        let epoch = self.0.store().epoch(service.epoch()).to_le_bytes();
        let key = self.0.key(&[service.bytes(), &epoch, &id.to_le_bytes()]).unwrap();
        Thing { key, name: self.0.name(b"a.example").unwrap(), now: now() }
    }

    fn put(&self, service: &str, id: u32, life: u32) {
        let mut room = [0; MAX_RECORD];
        let thing = self.thing(service, id);
        assert_eq!(self.0.put(&thing, now() + life, &mut room, 150), Put::Stored);
    }

    fn get(&self, service: &str, id: u32) -> Result<usize, Miss> {
        self.0.get(&self.thing(service, id), &mut [0; MAX_RECORD])
    }

    /// One that has expired already.
    fn put_expired(&self, id: u32) {
        let record = Record { expiry: now() - 1, name: 0, key_id: 0, bytes: &[7; 100] };
        let key = self.thing("x", id).key;
        assert_eq!(self.0.store().put(key, &record, now() - 100), Put::Stored);
    }
}

fn sslcache(arguments: &[&str]) -> Output {
    let command = env!("CARGO_BIN_EXE_sslcache");
    let mut command = Command::new(command);
    command.args(arguments).env_remove("SSLCACHE_SHARED").output().unwrap()
}

/// What it prints, if all is well.
fn said(arguments: &[&str]) -> String {
    let output = sslcache(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Its exit status and complaint: one line.
fn complaint(arguments: &[&str]) -> (i32, String) {
    let output = sslcache(arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{arguments:?}: {text}");
    assert!(text.starts_with("sslcache: "), "{text}");
    (output.status.code().unwrap(), text)
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&said(arguments)).unwrap()
}

#[test]
fn stat_tells_what_is_there_and_who_has_it() {
    let directory = Directory::new("stat");
    let server = directory.server();
    (0..90).for_each(|id| server.put("web", id, 1000 + id));
    (0..30).for_each(|id| _ = server.get("web", id).unwrap());
    server.put_expired(1000);
    assert_eq!(server.get("web", 500), Err(Miss::Unknown));
    let path = directory.path("web");
    let stat = json(&["stat", "--json", &path]);
    assert_eq!(stat["segment"]["file"], directory.path("web.v1"));
    assert_eq!(stat["segment"]["bytes"], fs::metadata(directory.path("web.v1")).unwrap().len());
    assert_eq!(stat["segment"]["creator"], std::process::id());
    let sessions = &stat["sessions"];
    assert_eq!((&sessions["live"], &sessions["expired"]), (&90.into(), &1.into()));
    assert_eq!((&sessions["used_again"], &sessions["places"]), (&30.into(), &4402.into()));
    let left = |name: &str| sessions[name].as_u64().unwrap();
    assert!((990..=1000).contains(&left("soonest_expiry")), "{sessions}");
    assert!((1035..=1045).contains(&left("median_expiry")), "{sessions}");
    let total = &stat["total"];
    assert_eq!((&total["stored"], &total["fetched"]), (&91.into(), &30.into()));
    assert_eq!(total["misses_unknown"], 1);
    assert!(stat.get("per_second").is_none());
    let users = stat["users"]["processes"].as_array().unwrap();
    assert_eq!(users.len(), 1, "this process alone");
    assert_eq!(users[0]["pid"], std::process::id());
    let by_its_file = json(&["stat", "--json", &directory.path("web.v1")]);
    assert_eq!(by_its_file["sessions"]["live"], 90);
    let text = said(&["stat", &path]);
    for part in ["90 live of 4,402 (2.0%)", "used again 33.3%", "unknown 1", "stored 91"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(text.contains(&std::process::id().to_string()), "{text}");
}

#[test]
fn rates_are_of_what_happens_between_two_looks() {
    let directory = Directory::new("rates");
    let server = directory.server();
    (0..50).for_each(|id| server.put("web", id, 1000));
    let path = directory.path("web");
    let watching = std::thread::spawn(move || {
        said(&["top", "--times", "2", &path]).lines().map(str::to_owned).collect::<Vec<_>>()
    });
    std::thread::sleep(std::time::Duration::from_millis(400));
    (0..50).for_each(|id| _ = server.get("web", id).unwrap());
    let lines = watching.join().unwrap();
    assert_eq!(lines.len(), 2, "no terminal: a line of JSON each time");
    let rates: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sum: f64 = rates.iter().map(|look| look["per_second"]["fetched"].as_f64().unwrap()).sum();
    assert!((30.0..=60.0).contains(&sum), "{rates:?}");
    assert!(rates.iter().all(|look| look["per_second"]["stored"] == 0.0));
}

#[test]
fn dump_has_a_line_for_each_and_tells_no_secret() {
    let directory = Directory::new("dump");
    let server = directory.server();
    (0..20).for_each(|id| server.put("web", id, 1000));
    server.get("web", 3).unwrap();
    let path = directory.path("web");
    let text = said(&["dump", "--json", &path]);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 20);
    assert_eq!(lines.iter().filter(|line| line["used"] == true).count(), 1);
    let left = |line: &Value| line["left"].as_i64().unwrap();
    assert!(lines.iter().all(|line| (990..=1000).contains(&left(line)) && line["bytes"] == 166));
    assert_eq!(said(&["dump", &path]).lines().count(), 21, "and a heading");
}

#[test]
fn check_says_what_is_wrong() {
    let directory = Directory::new("check");
    let server = directory.server();
    (0..200).for_each(|id| server.put("web", id, 1000));
    let path = directory.path("web");
    assert!(said(&["check", &path]).contains("sound: 62 sets, 200 sessions"));
    assert_eq!(json(&["check", "--json", &path])["sound"], true);
    // A record's key is not that of its tag any more.
    let dumped = said(&["dump", "--json", &path]);
    let key = serde_json::from_str::<Value>(dumped.lines().next().unwrap()).unwrap()["key"].clone();
    let bytes: Vec<u8> = (0..8)
        .map(|at| u8::from_str_radix(&key.as_str().unwrap()[at * 2..at * 2 + 2], 16).unwrap())
        .collect();
    let mut file = fs::read(directory.path("web.v1")).unwrap();
    let at = file.windows(8).position(|part| part == bytes).unwrap();
    file[at + 8] ^= 1;
    let written = fs::OpenOptions::new().write(true).open(directory.path("web.v1")).unwrap();
    written.write_all_at(&file[at..at + 16], at as u64).unwrap();
    let output = sslcache(&["check", "--json", &path]);
    assert_eq!(output.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answer["fault"].as_str().unwrap().contains("Tag"), "{answer}");
}

#[test]
fn create_makes_what_a_server_finds() {
    let directory = Directory::new("create");
    let path = directory.path("web");
    let text = said(&["create", &format!("{path},size=2m")]);
    assert!(text.contains("2 MiB, 126 sets") && text.contains("web.key"), "{text}");
    let mode = |name| fs::metadata(directory.path(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("web.v1"), mode("web.key")), (0o600, 0o600));
    let server = directory.server();
    assert_eq!(server.0.store().sets(), 126);
    server.put("web", 1, 1000);
    assert_eq!(complaint(&["create", &path]).0, 1, "it is there already");
    assert!(server.get("web", 1).is_ok());
    let (code, why) = complaint(&["create", &format!("{path},sizze=2m")]);
    assert!(code == 2 && why.contains("size, mode, group, key, ns, sni"), "{why}");
    let (code, why) = complaint(&["create", "--owner", "no-such-user", &directory.path("new")]);
    assert!(
        code == 2 && why.contains("no-such-user") && !fs::exists(directory.path("new.v1")).unwrap()
    );
    // SAFETY: has no conditions.
    if unsafe { libc::geteuid() } == 0 {
        said(&["create", "--owner", "12345", &directory.path("theirs")]);
        for name in ["theirs.v1", "theirs.key"] {
            assert_eq!(fs::metadata(directory.path(name)).unwrap().uid(), 12345);
        }
        said(&["flush", &directory.path("theirs")]);
    }
}

#[test]
fn what_is_flushed_is_found_by_nobody() {
    let directory = Directory::new("flush");
    let server = directory.server();
    let fill = || {
        (0..40).for_each(|id| server.put("web", id, 1000));
        (0..40).for_each(|id| server.put("mail", id, 1000));
    };
    let found = |service: &str| (0..40).filter(|&id| server.get(service, id).is_ok()).count();
    let path = directory.path("web");
    fill();
    assert_eq!((found("web"), found("mail")), (40, 40));
    said(&["flush", "--ns", "mail", &path]);
    assert_eq!((found("web"), found("mail")), (40, 0));
    fill();
    assert_eq!(found("mail"), 40, "new ones are found");
    assert_eq!(json(&["flush", "--json", &path])["sessions"], 120, "40 of them of no use");
    assert_eq!((found("web"), found("mail")), (0, 0));
    fs::remove_file(directory.path("web.key")).unwrap();
    assert_eq!(complaint(&["flush", "--ns", "web", &path]).0, 2, "which key would it be?");
}

#[test]
fn gc_wipes_what_has_expired() {
    let directory = Directory::new("gc");
    let server = directory.server();
    (0..10).for_each(|id| server.put("web", id, 1000));
    (0..5).for_each(|id| server.put_expired(id));
    let path = directory.path("web");
    let swept = json(&["gc", "--json", &path]);
    assert_eq!((&swept["expired"], &swept["wiped"]), (&5.into(), &5.into()));
    assert_eq!(json(&["stat", "--json", &path])["sessions"]["expired"], 0);
    assert!((0..10).all(|id| server.get("web", id).is_ok()));
}

#[test]
fn a_resized_segment_has_the_sessions() {
    let directory = Directory::new("resize");
    let path = directory.path("web");
    let old = directory.server();
    (0..500).for_each(|id| old.put("web", id, 1000));
    (0..9).for_each(|id| old.put_expired(id));
    fs::set_permissions(directory.path("web.v1"), fs::Permissions::from_mode(0o640)).unwrap();
    let resized = json(&["resize", "--json", "--size", "4m", &path]);
    assert_eq!((&resized["kept"], &resized["expired"]), (&500.into(), &9.into()));
    assert_eq!(resized["users"]["processes"][0]["pid"], std::process::id(), "it has the old one");
    let status = fs::metadata(directory.path("web.v1")).unwrap();
    assert_eq!((status.len(), status.permissions().mode() & 0o777), (4 << 20, 0o640));
    let new = directory.server();
    assert!((0..500).all(|id| new.get("web", id).is_ok()));
    assert!((0..500).all(|id| old.get("web", id).is_err()), "each is found once");
    assert!(said(&["check", &path]).contains("sound"));
    let (code, why) = complaint(&["resize", "--size", "4m", &directory.path("none")]);
    assert!(code == 2 && why.contains("sslcache create"), "{why}");
    assert_eq!(sslcache(&["resize", "--size", "100", &path]).status.code(), Some(2));
    let names = fs::read_dir(&directory.0).unwrap().count();
    assert_eq!(names, 2, "the segment and its key, and no other file");
}

#[test]
fn a_rotated_key_seals_and_the_others_open() {
    let directory = Directory::new("rotate");
    let path = directory.path("web");
    let before = directory.server();
    before.put("web", 1, 1000);
    let lines = || fs::read_to_string(directory.path("web.key")).unwrap().lines().count();
    for (round, keys) in [(1, 2), (2, 3), (3, 3)] {
        said(&["rotate", &path]);
        assert_eq!(lines(), keys);
        let after = directory.server();
        assert!(after.get("web", 1).is_ok(), "round {round}: an old session opens");
        after.put("web", 1 + round, 1000);
        assert!(before.get("web", 1 + round).is_err(), "the old process has not the new key");
    }
    let keys = fs::read_to_string(directory.path("web.key")).unwrap();
    assert_eq!(complaint(&["rotate", &directory.path("none")]).0, 2);
    assert_eq!(fs::read_to_string(directory.path("web.key")).unwrap(), keys);
}

#[test]
fn what_cannot_be_is_said_in_one_sentence() {
    let directory = Directory::new("errors");
    fs::write(directory.path("text.v1"), "no segment").unwrap();
    fs::write(directory.path("long.v1"), vec![7; 1 << 20]).unwrap();
    fs::create_dir(directory.path("directory.v1")).unwrap();
    let mut unshared = Command::new("sleep").arg("60").spawn().unwrap();
    let verbs: [&[&str]; 8] = [
        &["stat"],
        &["top", "--times", "1"],
        &["dump"],
        &["check"],
        &["gc"],
        &["flush"],
        &["resize", "--size", "1m"],
        &["stat", "--json"],
    ];
    for verb in verbs {
        let with = |path: &str| complaint(&[verb, &[path]].concat());
        for (name, part) in [
            ("none", "is not there; \"sslcache create\" makes it"),
            ("text", "it is no segment"),
            ("long", "it is no segment"),
            ("no/such", "No such file"),
            ("directory", "irectory"),
        ] {
            let (code, why) = with(&directory.path(name));
            assert!(code == 2 && why.contains(part), "{verb:?} {name}: {why}");
        }
        let (code, why) = with("anonymous");
        assert!(code == 2 && why.contains("anonymous memory has no path"), "{why}");
        assert_eq!(with(&unshared.id().to_string()).0, 1, "it shares nothing");
        assert_eq!(with("4194305").0, 2, "no such process");
    }
    unshared.kill().unwrap();
    unshared.wait().unwrap();
    // SAFETY: has no conditions.
    if unsafe { libc::geteuid() } == 0 {
        let server = directory.server();
        assert!(server.0.store().sets() > 0);
        let as_nobody = |verb: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sslcache"));
            command.args([verb, &directory.path("web")]).uid(65534).gid(65534).output()
        };
        // (Where nobody may run the command, as in a home of root's, there is nothing to see.)
        if let Ok(output) = as_nobody("stat") {
            let why = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.code() == Some(2) && why.contains("belongs to root"), "{why}");
        }
    }
}

#[test]
fn the_variable_names_the_segment_where_no_argument_does() {
    let directory = Directory::new("variable");
    let server = directory.server();
    server.put("web", 1, 1000);
    let value = format!("{},size=1m,ns=web", directory.path("web"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_sslcache"));
    let output = command.args(["stat", "--json"]).env("SSLCACHE_SHARED", value).output().unwrap();
    let stat: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(stat["sessions"]["live"], 1);
}

/// A lock of a process that is gone, in the first set.
#[test]
fn a_lock_that_nobody_gives_back_is_shown() {
    let directory = Directory::new("locked");
    let server = directory.server();
    server.put("web", 1, 1000);
    let mut child = Command::new("true").spawn().unwrap();
    let gone = u64::from(child.id());
    child.wait().unwrap();
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let seconds: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let stamp = ((seconds * 1000.0) as u64) << 22 | gone;
    let file = fs::OpenOptions::new().write(true).open(directory.path("web.v1")).unwrap();
    file.write_all_at(&stamp.to_ne_bytes(), 32 << 10).unwrap();
    let path = directory.path("web");
    assert_eq!(json(&["stat", "--json", &path])["segment"]["locked"], 1);
    assert!(said(&["check", &path]).contains("sound"), "it is taken over");
    assert_eq!(json(&["stat", "--json", &path])["segment"]["locked"], 0);
}
