//! `sslcache info`: what a file or a process has of the library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::advice::State;
use crate::failure::{About, DONE, Done};
use crate::library;
use crate::processes;
use crate::show::json;

/// Tell the version of a library's file, or what the library does in a process.
#[derive(Args)]
pub struct Info {
    /// The number of a process, or the path of a library; without it the library beside this
    /// command
    #[arg(value_name = "PID|FILE")]
    what: Option<PathBuf>,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct File {
    file: PathBuf,
    version: String,
}

#[derive(Serialize)]
struct Process {
    pid: u32,
    command: String,
    library: Option<String>,
    version: Option<String>,
    libssl: Vec<String>,
    shares: Vec<String>,
    settings: Vec<String>,
    works: bool,
    says: &'static str,
}

impl Info {
    pub fn run(&self) -> Done {
        let pid = self.what.as_ref().and_then(|what| what.to_str()?.parse().ok());
        match (pid, self.what.as_deref()) {
            (Some(pid), _) => self.process(pid),
            (None, named) => self.file(named),
        }
    }

    fn file(&self, named: Option<&Path>) -> Done {
        let file = library::find(named)?;
        let info = File { version: library::version_of(&file)?, file };
        if self.json {
            json(&info)?;
        } else {
            println!("{}: libsslcache {}", info.file.display(), info.version);
        }
        DONE
    }

    fn process(&self, pid: u32) -> Done {
        let found = library::in_process(pid).about(format_args!("process {pid}"))?;
        // What a server does its workers may do.
        let advice = State::of(&processes::family(pid)).advice();
        let version = found.library.as_ref().and_then(|library| library.seen.as_ref());
        let info = Process {
            pid,
            command: processes::command(pid),
            version: version.map(|seen| seen.version.clone()),
            library: found.library.map(|library| library.file),
            libssl: found.libssls,
            shares: found.segments,
            settings: settings(pid),
            works: advice.works,
            says: advice.sentence,
        };
        if self.json {
            json(&info)?;
        } else {
            info.print();
        }
        if info.library.is_some() { DONE } else { Ok(ExitCode::from(1)) }
    }
}

impl Process {
    fn print(&self) {
        println!("process {} ({}): {}", self.pid, self.command, self.says);
        let rows = [
            ("library", self.library.as_slice()),
            ("version", self.version.as_slice()),
            ("libssl", &self.libssl),
            ("shares", &self.shares),
            ("started with", &self.settings),
        ];
        for (name, values) in rows.iter().filter(|(_, values)| !values.is_empty()) {
            println!("  {name:<13}{}", values.join(" "));
        }
    }
}

/// The variables that the process was started with, as far as it has not written over them.
fn settings(pid: u32) -> Vec<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let variables = environment.split(|&byte| byte == 0).map(String::from_utf8_lossy);
    let ours =
        |variable: &str| variable.starts_with("SSLCACHE_") || variable.starts_with("LD_PRELOAD=");
    variables.filter(|variable| ours(variable)).map(|variable| variable.into_owned()).collect()
}
