//! `sslcache who`: which processes have the library.

use std::io::ErrorKind;

use clap::Args;
use serde::Serialize;

use crate::failure::{DONE, Done};
use crate::library;
use crate::processes;
use crate::show::json;
use crate::stat::unseen;

/// List the processes of this machine that have the library, and what they share.
#[derive(Args)]
pub struct Who {
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Everybody {
    processes: Vec<Process>,
    /// How many processes this user may not look at.
    unseen: usize,
}

#[derive(Serialize)]
struct Process {
    pid: u32,
    command: String,
    library: String,
    version: Option<String>,
    libssl: Vec<String>,
    shares: Vec<String>,
}

impl Who {
    pub fn run(&self) -> Done {
        let everybody = Everybody::now();
        if self.json {
            json(&everybody)?;
        } else {
            everybody.print();
        }
        DONE
    }
}

impl Everybody {
    fn now() -> Self {
        let mut everybody = Everybody { processes: Vec::new(), unseen: 0 };
        for pid in processes::all() {
            match library::in_process(pid) {
                Ok(library::Process { library: Some(library), libssls, segments }) => {
                    everybody.processes.push(Process {
                        pid,
                        command: processes::command(pid),
                        version: library.seen.map(|seen| seen.version),
                        library: library.file,
                        libssl: libssls,
                        shares: segments,
                    });
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => everybody.unseen += 1,
                _ => {}
            }
        }
        everybody
    }

    fn print(&self) {
        println!("{:>7} {:<16} {:<8} {:<40} SHARES", "PID", "COMMAND", "VERSION", "LIBSSL");
        for process in &self.processes {
            println!(
                "{:>7} {:<16} {:<8} {:<40} {}",
                process.pid,
                process.command,
                process.version.as_deref().unwrap_or("?"),
                or_none(&process.libssl),
                or_none(&process.shares)
            );
        }
        if self.unseen > 0 {
            println!("{}", unseen(self.unseen).trim_start());
        }
    }
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() { "-".into() } else { names.join(" ") }
}
