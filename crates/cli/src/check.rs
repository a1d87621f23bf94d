//! `sslcache check`: whether a segment is as it has to be.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::failure::{DONE, Done};
use crate::place::Which;
use crate::show::{json, now, number_of};

/// Look at every invariant of a segment, set after set, each with its lock held.
#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    which: Which,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    sound: bool,
    sets: usize,
    sessions: u64,
    fault: Option<String>,
}

impl Check {
    pub fn run(&self) -> Done {
        let place = self.which.place()?;
        let store = place.store()?;
        let fault = store.check().err().map(|fault| fault.to_string());
        let sessions = store.census(now()).live;
        let answer = Answer { sound: fault.is_none(), sets: store.sets(), sessions, fault };
        if self.json {
            json(&answer)?;
        } else {
            let sets = number_of(answer.sets as u64, "set");
            let sessions = number_of(sessions, "session");
            let file = place.file();
            match &answer.fault {
                None => println!("{}: sound: {sets}, {sessions}", file.display()),
                Some(fault) => println!("{}: damaged: {fault}", file.display()),
            }
        }
        if answer.sound { DONE } else { Ok(ExitCode::from(1)) }
    }
}
