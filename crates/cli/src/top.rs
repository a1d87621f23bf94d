//! `sslcache top`: the same as `stat`, again and again.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use sslcache_segment::View;

use crate::failure::{About, DONE, Done, Failure};
use crate::place::{Place, Which};
use crate::processes::Users;
use crate::show::json;
use crate::stat::{Moment, Summary, users};

/// Watch a segment, second after second, until Ctrl-C. Not on a terminal: a line of JSON each time.
#[derive(Args)]
pub struct Top {
    #[command(flatten)]
    which: Which,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..))]
    interval: u64,
    /// End after so many looks
    #[arg(long, value_name = "N")]
    times: Option<u64>,
    /// Lines of JSON, on a terminal too
    #[arg(long)]
    json: bool,
}

/// Of so many looks one is for the processes: there may be many on the machine.
const PROCESSES_EVERY: u64 = 5;

/// To the first line; the rest of the line is empty; so is what is below.
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

impl Top {
    pub fn run(&self) -> Done {
        let place = self.which.place()?;
        let as_json = self.json || !std::io::stdout().is_terminal();
        if !as_json {
            print!("\x1b[2J");
        }
        let mut seen = Seen::of(&place)?;
        let mut looks = 0;
        while self.times.is_none_or(|times| looks < times) {
            std::thread::sleep(Duration::from_secs(self.interval));
            if looks % PROCESSES_EVERY == 0 {
                seen.look_again(&place)?;
            }
            looks += 1;
            let summary = Summary::of(&place, &seen.view, seen.users.clone(), Some(&seen.before));
            seen.before = Moment::of(&seen.view);
            if as_json {
                json(&summary)?;
            } else {
                let text = summary.text().replace('\n', &format!("{CLEAR_LINE}\n"));
                print!("{HOME}{text}{CLEAR_BELOW}");
            }
            std::io::stdout().flush().about("standard output")?;
        }
        DONE
    }
}

/// The segment that has the name now.
struct Seen {
    view: View,
    before: Moment,
    users: Users,
}

impl Seen {
    fn of(place: &Place) -> Result<Self, Failure> {
        let view = place.view()?;
        let before = Moment::of(&view);
        Ok(Seen { before, view, users: Users::default() })
    }

    /// Who has it; and whether it is still the same, or another has taken its place.
    fn look_again(&mut self, place: &Place) -> Result<(), Failure> {
        let there = place.view()?;
        if there.identity() != self.view.identity() || there.size() != self.view.size() {
            *self = Self::of(place)?;
        }
        self.users = users(place)?;
        Ok(())
    }
}
