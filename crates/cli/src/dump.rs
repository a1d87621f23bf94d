//! `sslcache dump`: the records of a segment, one a line.

use clap::Args;
use serde::Serialize;
use sslcache_segment::Listed;

use crate::failure::{DONE, Done};
use crate::place::Which;
use crate::show::{json, now};

/// List the records of a segment: no ids, no names, nothing that is in them.
#[derive(Args)]
pub struct Dump {
    #[command(flatten)]
    which: Which,
    /// A line of JSON for each
    #[arg(long)]
    json: bool,
}

/// A record. Its key is a keyed hash of what it is found by: as much of it as tells it from others.
#[derive(Serialize)]
struct Line {
    key: String,
    set: usize,
    /// Seconds that are left; `null`: it never expires. Below 0: it has expired.
    left: Option<i64>,
    bytes: usize,
    used: bool,
    sealed_by: u8,
}

impl Line {
    fn of(record: &Listed, now: u32) -> Self {
        let left = i64::from(record.expiry) - i64::from(now);
        Line {
            key: record.key.bytes()[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
            set: record.set,
            left: Some(left).filter(|_| record.expiry != u32::MAX),
            bytes: record.length,
            used: record.is_used,
            sealed_by: record.key_id,
        }
    }
}

impl Dump {
    pub fn run(&self) -> Done {
        let view = self.which.place()?.view()?;
        let now = now();
        if !self.json {
            println!(
                "{:<16} {:>7} {:>9} {:>6} {:<4} KEY",
                "RECORD", "SET", "LEFT", "BYTES", "USED"
            );
        }
        for line in view.records().map(|record| Line::of(&record, now)) {
            if self.json {
                json(&line)?;
                continue;
            }
            let left = line.left.map_or("never".into(), |left| format!("{left} s"));
            let used = if line.used { "yes" } else { "no" };
            println!(
                "{} {:>7} {left:>9} {:>6} {used:<4} {}",
                line.key, line.set, line.bytes, line.sealed_by
            );
        }
        DONE
    }
}
