//! The helper processes, and how they are started.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use sslcache_segment::{Error, Host, Options, Process, Store};

use crate::control::Control;
use crate::{garbage, kills, making, steps};

/// Longer than anything takes that is not stuck, on the slowest machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where a case has its files; gone with this.
pub struct Place {
    pub path: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (pid, number) = (std::process::id(), NUMBER.fetch_add(1, SeqCst));
        let path = PathBuf::from(format!("/dev/shm/sslcache-processes-{pid}-{number}"));
        fs::create_dir(&path).expect("a directory in /dev/shm");
        Place { path }
    }

    pub fn control(&self) -> &'static Control {
        Control::of(&self.path)
    }

    pub fn segment(&self) -> PathBuf {
        self.path.join("web.v1")
    }

    pub fn open(&self, size: u64) -> Store {
        open(&self.path, size, |process| process).expect("a segment")
    }

    /// Starts a helper.
    pub fn start(&self, role: &str, number: usize) -> Child {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.args(["--as", role]).arg(&self.path).arg(number.to_string());
        command.spawn().expect("a helper")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

pub fn open<H: Host>(
    directory: &Path,
    size: u64,
    host: impl Fn(Process) -> H,
) -> Result<Store<H>, Error> {
    let directory = File::open(directory).expect("the directory of the case");
    let options = Options { size, ..Options::default() };
    Store::open_as(directory.as_fd(), c"web", &options, host)
}

/// What a helper is.
pub fn run(role: &str, directory: &Path, number: usize) {
    match role {
        "step" => steps::helper(directory, number),
        "keep" => kills::keeper(directory, number),
        "full" => kills::filler(directory, number),
        "make" => making::maker(directory, number),
        "make-again" => making::racer(directory, number),
        "no-space" => making::without_space(directory),
        "survive" => garbage::survivor(directory, number),
        "look" => garbage::looker(directory, number),
        _ => panic!("no role {role}"),
    }
}

/// Waits until it is so.
pub fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < PATIENCE, "still not: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Waits until a child has ended; returns its wait status.
pub fn ended(child: &mut Child) -> std::process::ExitStatus {
    let mut status = None;
    wait_until("a helper ends", || {
        status = child.try_wait().expect("a child");
        status.is_some()
    });
    status.expect("it has ended")
}

pub fn signal(child: &Child, signal: i32) {
    // SAFETY: a child that has not been waited for: the number is its own.
    assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
}

/// Waits until a child has stopped.
pub fn stopped(child: &Child) {
    wait_until("a helper stops", || {
        let mut status = 0;
        let flags = libc::WUNTRACED | libc::WNOHANG;
        // SAFETY: a child of ours, and a place for the answer.
        let pid = unsafe { libc::waitpid(child.id() as i32, &mut status, flags) };
        assert!(pid == 0 || libc::WIFSTOPPED(status), "it ended: {status:x}");
        pid != 0
    });
}
