//! What the user of a server notices: three figures, out of all.

use crate::build::Side;
use crate::cases::{self, Case, MIXED};
use crate::run::Results;
use crate::table::{shown, times};

/// The figures as a table for docs/performance.md.
pub fn text(results: &Results, machine: &str) -> String {
    let rows = [
        (
            "processor time of a full handshake (TLS 1.2, both ends), 200,000 sessions of mixed \
             timeouts in the cache",
            cases::handshake("tls12", false, 200_000),
            "handshake",
        ),
        (
            "the same, resumed, with an empty cache: the price where there is nothing to win",
            cases::handshake("tls12", true, 0),
            "handshake",
        ),
        (
            "longest wait of a look-up while a million sessions are flushed",
            cases::pause("flush", "lookup"),
            "wait_longest",
        ),
    ];
    let head = "| | libssl | interposed | ratio |\n|---|--:|--:|--:|\n".to_owned();
    let line = |(title, case, figure): &(&str, Case, &str)| {
        let of = |side| results.median(case, side, figure).map_or("-".into(), |f| shown(&f));
        let ratio = times(results.ratio(case, Side::Interposed, figure));
        let (libssl, ours) = (of(Side::Libssl), of(Side::Interposed));
        format!("| {title} | {libssl} | {ours} | {ratio} |\n")
    };
    let add = cases::add(20_480, MIXED);
    let add = |side| results.median(&add, side, "add").map_or("-".into(), |figure| shown(&figure));
    format!(
        "{head}{}\n{machine}.\n\nWhy: an add to a full cache of 20,480 sessions of mixed timeouts \
         takes {} in libssl, which\nsearches a list for its place, and {} interposed.",
        rows.iter().map(line).collect::<String>(),
        add(Side::Libssl),
        add(Side::Interposed),
    )
}
