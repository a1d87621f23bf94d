//! `sslcache flush`: nobody resumes what is there now.

use clap::Args;
use serde::Serialize;

use crate::failure::{DONE, Done, Failure};
use crate::place::Which;
use crate::show::{json, number_of};

/// Empty a segment: every client makes a full handshake next.
#[derive(Args)]
pub struct Flush {
    #[command(flatten)]
    which: Which,
    /// Of this service alone (ns= in SSLCACHE_SHARED, or the name of the program's file). Its
    /// sessions stay where they are until they expire, but nobody finds them
    #[arg(long, value_name = "NAME")]
    ns: Option<String>,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Flushed {
    /// How many sessions are gone; `null`: those of a service, which nobody can tell from others.
    sessions: Option<u64>,
    /// Sets in which they are gone, but not wiped yet.
    busy: u64,
}

impl Flush {
    pub fn run(&self) -> Done {
        let place = self.which.place()?;
        let flushed = match &self.ns {
            None => {
                let swept = place.store()?.clear();
                Flushed { sessions: Some(swept.records), busy: swept.busy }
            }
            Some(name) => {
                let sealed = place.sealed()?;
                let service = sealed.service(name.as_bytes());
                let service = service.ok_or_else(|| Failure::new("there is no key"))?;
                sealed.store().begin_epoch(service.epoch());
                Flushed { sessions: None, busy: 0 }
            }
        };
        if self.json {
            json(&flushed)?;
        } else {
            let file = place.file();
            match (flushed.sessions, &self.ns) {
                (Some(sessions), _) => {
                    println!("{}: emptied of {}", file.display(), number_of(sessions, "session"));
                }
                (None, name) => {
                    let name = name.as_deref().unwrap_or_default();
                    println!("{}: the sessions of {name} are gone", file.display());
                }
            }
        }
        DONE
    }
}
