//! What the library says: `SSLCACHE_VERBOSE`, `SSLCACHE_STATS`, and complaints about values of theirs
//! that make no sense. Silent unless asked; both are ignored in setuid programs.

use std::ffi::{CString, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::c_int;

/// Where the statistics go.
struct Settings {
    verbose: bool,
    /// Opened at the first call, before a server changes its root or its user.
    stats: Option<c_int>,
}

fn settings() -> &'static Settings {
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    SETTINGS.get_or_init(|| Settings { verbose: read_verbose(), stats: open_stats() })
}

/// The variable's value, unless it is unset or the program runs with more rights than its caller.
fn variable(name: &str) -> Option<OsString> {
    // SAFETY: getauxval only reads what the kernel gave the process.
    let secure = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    if secure { None } else { std::env::var_os(name) }
}

fn read_verbose() -> bool {
    match variable("SSLCACHE_VERBOSE") {
        None => false,
        Some(value) if value.is_empty() || value == "0" => false,
        Some(value) if value == "1" => true,
        Some(value) => {
            complain(&format!("SSLCACHE_VERBOSE={}: expected 0 or 1; taken as 0", value.display()));
            false
        }
    }
}

fn open_stats() -> Option<c_int> {
    let value = variable("SSLCACHE_STATS")?;
    if value.is_empty() || value == "0" {
        return None;
    }
    if value == "1" {
        return Some(libc::STDERR_FILENO);
    }
    let shown = value.display().to_string();
    if !shown.contains('/') {
        complain(&format!(
            "SSLCACHE_STATS={shown}: expected 0, 1 (standard error) or a path with a '/'; taken as 0"
        ));
        return None;
    }
    let path = CString::new(value.into_vec()).ok()?;
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND | libc::O_CLOEXEC;
    // SAFETY: a C string, and the mode that open() with O_CREAT takes.
    let file = unsafe { libc::open(path.as_ptr(), flags, 0o644 as libc::c_uint) };
    if file < 0 {
        let error = std::io::Error::last_os_error();
        complain(&format!("SSLCACHE_STATS={shown}: cannot open it ({error}); no statistics"));
        return None;
    }
    Some(file)
}

/// One line on standard error.
fn complain(line: &str) {
    write_whole(libc::STDERR_FILENO, &format!("sslcache: {line}\n"));
}

/// One write, so that processes that share the file do not mix their lines. What cannot be written
/// is lost: there is nobody to tell.
fn write_whole(file: c_int, text: &str) {
    // SAFETY: the file descriptor is only borrowed: ManuallyDrop keeps it open.
    let mut file = std::mem::ManuallyDrop::new(unsafe {
        <std::fs::File as std::os::fd::FromRawFd>::from_raw_fd(file)
    });
    let _ = file.write_all(text.as_bytes());
}

/// With `SSLCACHE_VERBOSE=1`: one line on standard error.
pub fn verbose(line: &str) {
    if settings().verbose {
        complain(line);
    }
}

/// Whether statistics were asked for.
pub fn stats_wanted() -> bool {
    settings().stats.is_some()
}

/// Writes a block of statistics to where `SSLCACHE_STATS` says.
pub fn stats(block: &str) {
    if let Some(file) = settings().stats {
        write_whole(file, block);
    }
}

/// Has `report` run when the process exits, if statistics were asked for. Once.
pub fn at_exit(report: extern "C" fn()) {
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    if stats_wanted() && !REGISTERED.swap(true, Ordering::Relaxed) {
        // SAFETY: a function that lives as long as the library, which is never unloaded.
        unsafe { libc::atexit(report) };
    }
}
