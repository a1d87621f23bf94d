//! `sslcache gc`: what is of no use any more is wiped.

use clap::Args;
use serde::Serialize;

use crate::failure::{DONE, Done};
use crate::place::Which;
use crate::show::{count, json, now};

/// Wipe the sessions of a segment that have expired, and those that were removed.
///
/// Without it they are wiped when others need their place.
#[derive(Args)]
pub struct Gc {
    #[command(flatten)]
    which: Which,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Collected {
    expired: u64,
    wiped: u64,
    /// Sets in which others were at work for too long.
    busy: u64,
}

impl Gc {
    pub fn run(&self) -> Done {
        let place = self.which.place()?;
        let swept = place.store()?.sweep(now());
        let collected = Collected { expired: swept.records, wiped: swept.wiped, busy: swept.busy };
        if self.json {
            json(&collected)?;
        } else {
            println!(
                "{}: {} wiped, of which {} had expired",
                place.file().display(),
                count(collected.wiped),
                count(collected.expired)
            );
        }
        DONE
    }
}
