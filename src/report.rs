//! What the library says: `SSLCACHE_VERBOSE` and `SSLCACHE_STATS`. Silent unless asked.

use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::output::{Output, Text};
use crate::settings::settings;

/// With `SSLCACHE_VERBOSE=1`: one line on standard error.
pub fn verbose(line: impl Display) {
    if settings().verbose {
        say(line);
    }
}

/// One line on standard error.
pub fn say(line: impl Display) {
    write(Output::standard_error(), format_args!("sslcache: {line}\n"));
}

/// Whether statistics were asked for.
pub fn stats_wanted() -> bool {
    settings().stats.is_some()
}

/// Writes a block of statistics to where `SSLCACHE_STATS` says.
pub fn stats(block: impl Display) {
    if let Some(output) = settings().stats {
        write(output, block);
    }
}

fn write(output: Output, what: impl Display) {
    let mut text = Text::new();
    // A `Text` takes everything.
    let _ = write!(text, "{what}");
    output.write(&text);
}

/// Has `report` run when the process exits, if statistics were asked for. Once.
pub fn at_exit(report: extern "C" fn()) {
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    if stats_wanted() && !REGISTERED.swap(true, Ordering::Relaxed) {
        // SAFETY: a function that lives as long as the library, which is never unloaded.
        unsafe { libc::atexit(report) };
    }
}
