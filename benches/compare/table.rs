//! The table: operation, libssl, standalone, ratio, interposed, ratio, the number to reach.

use crate::build::Side;
use crate::cases::{Case, Goal, Row};
use crate::run::{Figure, Results};

const HEAD: [&str; 8] =
    ["operation", "libssl", "standalone", "ratio", "interposed", "ratio", "to reach", ""];

/// The figures of all rows as text, by section.
pub struct Table {
    sections: Vec<(&'static str, Vec<[String; 8]>)>,
}

impl Table {
    pub fn new(cases: &[Case], results: &Results) -> Table {
        let mut sections: Vec<(&'static str, Vec<[String; 8]>)> = Vec::new();
        for case in cases {
            if sections.last().is_none_or(|(section, _)| *section != case.section) {
                sections.push((case.section, Vec::new()));
            }
            if let Some((_, rows)) = sections.last_mut() {
                rows.extend(case.rows.iter().map(|row| line(row, case, results)));
            }
        }
        Table { sections }
    }

    fn rows(&self) -> impl Iterator<Item = &[String; 8]> {
        self.sections.iter().flat_map(|(_, rows)| rows)
    }

    /// How many of the numbers to reach are reached.
    pub fn summary(&self) -> String {
        let all = self.rows().filter(|row| !row[7].is_empty()).count();
        let reached = self.rows().filter(|row| row[7] == REACHED).count();
        format!("{reached} of {all} numbers reached")
    }

    /// In columns.
    pub fn for_terminal(&self) -> String {
        let indented = |cell: &str| cell.replace(INDENT, "    ");
        let head = HEAD.map(str::to_owned);
        let all = || std::iter::once(&head).chain(self.rows());
        let width = |column: usize| {
            all().map(|row| indented(&row[column]).chars().count()).max().unwrap_or(0)
        };
        let widths: [usize; 8] = std::array::from_fn(width);
        let mut text = String::new();
        let mut write = |row: &[String; 8]| {
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                let cell = if column == 0 || column >= 6 {
                    format!("{:<width$}  ", indented(cell))
                } else {
                    format!("{cell:>width$}  ")
                };
                text.push_str(&cell);
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        };
        write(&head);
        self.rows().for_each(write);
        text
    }

    /// For docs/performance.md: what was measured, without what was to be reached.
    pub fn for_markdown(&self) -> String {
        let line = |row: &[String; 8]| format!("| {} |\n", row[..6].join(" | "));
        let head = line(&HEAD.map(str::to_owned)) + "|---|--:|--:|--:|--:|--:|\n";
        let section = |(name, rows): &(&str, Vec<[String; 8]>)| {
            format!("\n### {name}\n\n{head}{}", rows.iter().map(line).collect::<String>())
        };
        self.sections.iter().map(section).collect()
    }
}

/// Before the title of a row that tells more of the row above.
const INDENT: &str = "&emsp;";
const REACHED: &str = "reached";
const MISSED: &str = "MISSED";

fn line(row: &Row, case: &Case, results: &Results) -> [String; 8] {
    let of = |side: Side| results.median(case, side, row.figure);
    let (libssl, standalone, interposed) =
        (of(Side::Libssl), of(Side::Standalone), of(Side::Interposed));
    let show = |figure: &Option<Figure>| figure.as_ref().map_or("-".to_owned(), shown);
    let ratio = |side: Side| results.ratio(case, side, row.figure);
    let (alone, in_front) = (ratio(Side::Standalone), ratio(Side::Interposed));
    let reached = match row.goal {
        Goal::Nothing => None,
        Goal::Times(n) => alone.map(|ratio| ratio >= n),
        Goal::AtMost(n) => standalone.as_ref().map(|figure| figure.value <= n),
        Goal::InterposedTimes(n) => in_front.map(|ratio| ratio >= n * NOISE),
        Goal::InterposedMore(n) => difference(&interposed, &libssl).map(|more| more <= n),
    };
    [
        row.title.clone(),
        show(&libssl),
        show(&standalone),
        times(alone),
        show(&interposed),
        times(in_front),
        to_reach(row.goal, libssl.as_ref().or(standalone.as_ref())),
        verdict(row.goal, reached).to_owned(),
    ]
}

fn verdict(goal: Goal, reached: Option<bool>) -> &'static str {
    match reached {
        _ if goal == Goal::Nothing => "",
        None => "not measured",
        Some(true) => REACHED,
        Some(false) => MISSED,
    }
}

/// What cannot be told from one is one: handshakes differ by a few percent from run to run.
const NOISE: f64 = 0.97;

fn difference(a: &Option<Figure>, b: &Option<Figure>) -> Option<f64> {
    Some(a.as_ref()?.value - b.as_ref()?.value)
}

fn to_reach(goal: Goal, like: Option<&Figure>) -> String {
    match goal {
        Goal::Nothing => String::new(),
        Goal::Times(n) | Goal::InterposedTimes(n) => times(Some(n)),
        Goal::AtMost(value) => format!("at most {}", in_unit(value, like)),
        Goal::InterposedMore(value) => format!("libssl + {}", in_unit(value, like)),
    }
}

fn in_unit(value: f64, like: Option<&Figure>) -> String {
    let unit = like.map_or(String::new(), |figure| figure.unit.clone());
    shown(&Figure { value, unit })
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
