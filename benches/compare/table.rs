//! The table: operation, libssl, standalone, ratio, interposed, ratio, the number to reach.

use crate::build::Side;
use crate::cases::{Case, Goal, Row};
use crate::run::{Figure, Figures, Results};

const HEAD: [&str; 8] =
    ["operation", "libssl", "standalone", "ratio", "interposed", "ratio", "to reach", ""];

/// The figures of all rows as text.
pub struct Table {
    rows: Vec<[String; 8]>,
}

impl Table {
    pub fn new(cases: &[Case], results: &Results) -> Table {
        let rows = cases
            .iter()
            .zip(results)
            .flat_map(|(case, sides)| case.rows.iter().map(move |row| line(row, sides)))
            .collect();
        Table { rows }
    }

    /// In columns.
    pub fn for_terminal(&self) -> String {
        let all = || std::iter::once(HEAD.map(str::to_owned)).chain(self.rows.iter().cloned());
        let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 8] = std::array::from_fn(width);
        let mut text = String::new();
        for row in all() {
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                let cell = if column == 0 || column >= 6 {
                    format!("{cell:<width$}  ")
                } else {
                    format!("{cell:>width$}  ")
                };
                text.push_str(&cell);
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }

    /// For docs/performance.md.
    pub fn for_markdown(&self) -> String {
        let line = |row: &[String; 8]| format!("| {} |\n", row.join(" | "));
        let head = line(&HEAD.map(str::to_owned)) + "|---|--:|--:|--:|--:|--:|---|---|\n";
        head + &self.rows.iter().map(line).collect::<String>()
    }
}

fn line(row: &Row, sides: &[Figures; 3]) -> [String; 8] {
    let of = |side: Side| sides[side as usize].get(row.figure);
    let (libssl, standalone, interposed) =
        (of(Side::Libssl), of(Side::Standalone), of(Side::Interposed));
    let show = |figure: Option<&Figure>| figure.map_or("-".to_owned(), shown);
    let (alone, in_front) = (ratio(libssl, standalone), ratio(libssl, interposed));
    let reached = reached(row.goal, alone, in_front, standalone);
    [
        row.title.clone(),
        show(libssl),
        show(standalone),
        times(alone),
        show(interposed),
        times(in_front),
        to_reach(row.goal, libssl.or(standalone)),
        reached.map_or("", |yes| if yes { "reached" } else { "MISSED" }).to_owned(),
    ]
}

fn reached(
    goal: Goal,
    alone: Option<f64>,
    in_front: Option<f64>,
    standalone: Option<&Figure>,
) -> Option<bool> {
    // What cannot be told from one is one: handshakes differ by a few percent from run to run.
    const NOISE: f64 = 0.97;
    match goal {
        Goal::Nothing => None,
        Goal::Times(n) => alone.map(|ratio| ratio >= n),
        Goal::AtMost(n) => standalone.map(|figure| figure.value <= n),
        Goal::InterposedTimes(n) => in_front.map(|ratio| ratio >= n * NOISE),
    }
}

fn to_reach(goal: Goal, like: Option<&Figure>) -> String {
    match goal {
        Goal::Nothing => String::new(),
        Goal::Times(n) | Goal::InterposedTimes(n) => times(Some(n)),
        Goal::AtMost(value) => like.map_or(String::new(), |figure| {
            format!("at most {}", shown(&Figure { value, unit: figure.unit.clone() }))
        }),
    }
}

/// How many times as good as libssl.
fn ratio(libssl: Option<&Figure>, ours: Option<&Figure>) -> Option<f64> {
    let (libssl, ours) = (libssl?, ours?);
    let more_is_better = ours.unit.ends_with("/s");
    let (better, worse) =
        if more_is_better { (ours.value, libssl.value) } else { (libssl.value, ours.value) };
    (worse > 0.0).then(|| better / worse)
}

fn times(ratio: Option<f64>) -> String {
    match ratio {
        None => "-".to_owned(),
        Some(r) if r >= 100.0 => format!("{}x", crate::cases::grouped(r.round() as usize)),
        Some(r) if r >= 10.0 => format!("{r:.0}x"),
        Some(r) if r < 0.1 => format!("1/{:.0}x", 1.0 / r),
        Some(r) => format!("{r:.2}x"),
    }
}

/// With three digits, in a unit that suits.
fn shown(figure: &Figure) -> String {
    let scales: &[(&str, f64)] = match figure.unit.as_str() {
        "ns" => &[("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)],
        "us" => &[("us", 1.0), ("ms", 1e3), ("s", 1e6)],
        "ms" => &[("ms", 1.0), ("s", 1e3)],
        _ => &[],
    };
    let scale = scales.iter().rev().find(|(_, scale)| figure.value >= *scale).or(scales.first());
    let (unit, value) = scale
        .map_or((figure.unit.as_str(), figure.value), |(unit, scale)| (unit, figure.value / scale));
    let number = match value {
        v if v >= 1e3 => crate::cases::grouped(v.round() as usize),
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    };
    format!("{number} {unit}")
}
