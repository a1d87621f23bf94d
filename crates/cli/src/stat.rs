//! `sslcache stat`: what is in a segment, and what happened there.

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use sslcache_segment::{Statistics, View};

use crate::failure::{About, DONE, Done, Failure};
use crate::place::{Place, Which};
use crate::processes::{self, Users};
use crate::show::{bytes, count, json, now, number_of, share, span, time};

/// Show what is in a segment, and what happened there since it was made.
#[derive(Args)]
pub struct Stat {
    #[command(flatten)]
    which: Which,
    /// Look twice, so many seconds apart, and show what happened per second between
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    interval: Option<u64>,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

impl Stat {
    pub fn run(&self) -> Done {
        let place = self.which.place()?;
        let view = place.view()?;
        let before = self.interval.map(|seconds| {
            let before = Moment::of(&view);
            std::thread::sleep(Duration::from_secs(seconds));
            before
        });
        let summary = Summary::of(&place, &view, users(&place)?, before.as_ref());
        if self.json {
            json(&summary)?;
        } else {
            print!("{}", summary.text());
        }
        DONE
    }
}

/// The processes that have the segment.
pub fn users(place: &Place) -> Result<Users, Failure> {
    let file = place.file();
    processes::users_of(&file).about(file.display())
}

/// What was counted, and when.
pub struct Moment {
    at: Instant,
    counted: Statistics,
}

impl Moment {
    /// Now.
    pub fn of(view: &View) -> Self {
        Moment { at: Instant::now(), counted: view.statistics() }
    }
}

/// All that is said of a segment. As JSON its names are those of sslcache(1).
#[derive(Serialize)]
pub struct Summary {
    segment: Segment,
    sessions: Sessions,
    total: Counts<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_second: Option<Counts<f64>>,
    users: Users,
}

#[derive(Serialize)]
struct Segment {
    file: String,
    bytes: u64,
    sets: usize,
    created: u64,
    creator: u64,
    /// Locks that are held at this moment, or by processes that are gone.
    locked: u64,
    sealing_keys: usize,
}

#[derive(Serialize)]
struct Sessions {
    live: u64,
    places: u64,
    used_again: u64,
    expired: u64,
    dead: u64,
    room_used: u64,
    room: u64,
    /// Seconds that are left; `null` without sessions.
    soonest_expiry: Option<u32>,
    median_expiry: Option<u32>,
}

#[derive(Clone, Copy, Serialize)]
struct Counts<T> {
    fetched: T,
    confirmed: T,
    taken: T,
    misses_unknown: T,
    misses_expired: T,
    misses_other_name: T,
    stored: T,
    removed: T,
    evicted: T,
    expired_away: T,
    busy: T,
    too_large: T,
    taken_over: T,
    damaged: T,
}

impl Counts<u64> {
    fn of(counted: &Statistics) -> Self {
        Counts {
            fetched: counted.hits,
            confirmed: counted.confirmed,
            taken: counted.taken,
            misses_unknown: counted.unknown,
            misses_expired: counted.expired,
            misses_other_name: counted.other_name,
            stored: counted.stored,
            removed: counted.removed,
            evicted: counted.evicted,
            expired_away: counted.expired_away,
            busy: counted.busy,
            too_large: counted.too_large,
            taken_over: counted.taken_over,
            damaged: counted.damaged,
        }
    }

    /// How many more there are a second.
    fn since(&self, before: &Self, seconds: f64) -> Counts<f64> {
        let rate = |of: fn(&Self) -> u64| of(self).saturating_sub(of(before)) as f64 / seconds;
        Counts {
            fetched: rate(|c| c.fetched),
            confirmed: rate(|c| c.confirmed),
            taken: rate(|c| c.taken),
            misses_unknown: rate(|c| c.misses_unknown),
            misses_expired: rate(|c| c.misses_expired),
            misses_other_name: rate(|c| c.misses_other_name),
            stored: rate(|c| c.stored),
            removed: rate(|c| c.removed),
            evicted: rate(|c| c.evicted),
            expired_away: rate(|c| c.expired_away),
            busy: rate(|c| c.busy),
            too_large: rate(|c| c.too_large),
            taken_over: rate(|c| c.taken_over),
            damaged: rate(|c| c.damaged),
        }
    }
}

impl Summary {
    /// Of a segment, now, and what happened since `before`.
    pub fn of(place: &Place, view: &View, users: Users, before: Option<&Moment>) -> Self {
        let (now, moment, identity) = (now(), Moment::of(view), view.identity());
        let census = view.census(now);
        let mut left: Vec<u32> =
            view.records().filter_map(|record| record.expiry.checked_sub(now)).collect();
        left.retain(|&left| left > 0);
        left.sort_unstable();
        let total = Counts::of(&moment.counted);
        Summary {
            segment: Segment {
                file: place.file().display().to_string(),
                bytes: view.size(),
                sets: view.sets(),
                created: identity.created,
                creator: identity.creator,
                locked: census.locked,
                sealing_keys: view.sealing_keys().iter().filter(|&&key| key != 0).count(),
            },
            sessions: Sessions {
                live: census.live,
                places: census.slots,
                used_again: census.used,
                expired: census.expired,
                dead: census.dead,
                room_used: census.cells_in_use,
                room: census.cells,
                soonest_expiry: left.first().copied(),
                median_expiry: left.get(left.len() / 2).copied(),
            },
            total,
            per_second: before.map(|before| {
                let seconds = moment.at.duration_since(before.at).as_secs_f64();
                total.since(&Counts::of(&before.counted), seconds.max(1e-9))
            }),
            users,
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let Summary { segment, sessions, total, users, .. } = self;
        let [there, use_of_it] = sessions.text();
        let mut lines = vec![
            format!(
                "{}   {}, {} sets, created {} by {}",
                segment.file,
                bytes(segment.bytes),
                count(segment.sets as u64),
                time(segment.created),
                segment.creator
            ),
            row("sessions", &there),
            row("", &use_of_it),
            row("since then", &total.looked_up(count)),
            row("", &total.changed(count)),
        ];
        if let Some(rates) = &self.per_second {
            let rate = |rate: f64| format!("{rate:.1}");
            lines.push(row("per second", &rates.looked_up(rate)));
            lines.push(row("", &rates.changed(rate)));
        }
        lines.push(row("trouble", &total.trouble(segment.locked)));
        lines.push(row("processes", &shown(users)));
        lines.join("\n") + "\n"
    }
}

fn row(name: &str, text: &str) -> String {
    format!("{name:<13}{text}")
}

fn shown(users: &Users) -> String {
    let mut names: Vec<String> =
        users.processes.iter().map(|user| format!("{} {}", user.command, user.pid)).collect();
    if names.is_empty() {
        names.push("none".into());
    }
    names.join(", ") + &unseen(users.unseen)
}

/// How many processes this user may not look at.
pub fn unseen(processes: usize) -> String {
    if processes == 0 {
        return String::new();
    }
    format!(
        "   (not seen: {}, which this user may not look at)",
        number_of(processes as u64, "process")
    )
}

impl Sessions {
    fn text(&self) -> [String; 2] {
        let left = |seconds: Option<u32>| seconds.map_or("-".into(), |left| span(left.into()));
        [
            format!(
                "{} live of {} ({}), room used {}, expired {}, dead {}",
                count(self.live),
                count(self.places),
                share(self.live, self.places),
                share(self.room_used, self.room),
                count(self.expired),
                count(self.dead)
            ),
            format!(
                "used again {}, soonest expiry {}, median {}",
                share(self.used_again, self.live),
                left(self.soonest_expiry),
                left(self.median_expiry)
            ),
        ]
    }
}

impl<T: Copy + std::ops::Add<Output = T>> Counts<T> {
    fn looked_up(&self, show: impl Fn(T) -> String) -> String {
        format!(
            "hits {} (confirmed {}, fetched {}, taken {})   misses {} (unknown {}, expired {}, \
             other name {})",
            show(self.confirmed + self.fetched + self.taken),
            show(self.confirmed),
            show(self.fetched),
            show(self.taken),
            show(self.misses_unknown + self.misses_expired + self.misses_other_name),
            show(self.misses_unknown),
            show(self.misses_expired),
            show(self.misses_other_name)
        )
    }

    fn changed(&self, show: impl Fn(T) -> String) -> String {
        format!(
            "stored {}, removed {}, evicted {} live and {} expired",
            show(self.stored),
            show(self.removed),
            show(self.evicted),
            show(self.expired_away)
        )
    }
}

impl Counts<u64> {
    fn trouble(&self, locked: u64) -> String {
        format!(
            "not stored: busy {}, too large {}   locks: held {}, taken over {}   damaged {}",
            count(self.busy),
            count(self.too_large),
            count(locked),
            count(self.taken_over),
            count(self.damaged)
        )
    }
}
