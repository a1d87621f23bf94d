//! The table: operation, libssl, standalone, ratio, interposed, ratio.

use crate::build::Side;
use crate::cases::{Case, Row};
use crate::run::{Figure, Results};

const HEAD: [&str; 6] = ["operation", "libssl", "standalone", "ratio", "interposed", "ratio"];

/// The figures of all rows as text, by section.
pub struct Table {
    sections: Vec<(&'static str, Vec<[String; 6]>)>,
}

impl Table {
    pub fn new(cases: &[Case], results: &Results) -> Table {
        let mut sections: Vec<(&'static str, Vec<[String; 6]>)> = Vec::new();
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

    fn rows(&self) -> impl Iterator<Item = &[String; 6]> {
        self.sections.iter().flat_map(|(_, rows)| rows)
    }

    /// In columns.
    pub fn for_terminal(&self) -> String {
        let indented = |cell: &str| cell.replace(INDENT, "    ");
        let head = HEAD.map(str::to_owned);
        let all = || std::iter::once(&head).chain(self.rows());
        let width = |column: usize| {
            all().map(|row| indented(&row[column]).chars().count()).max().unwrap_or(0)
        };
        let widths: [usize; 6] = std::array::from_fn(width);
        let mut text = String::new();
        let mut write = |row: &[String; 6]| {
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                let cell = if column == 0 {
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

    /// For docs/performance.md.
    pub fn for_markdown(&self) -> String {
        let line = |row: &[String; 6]| format!("| {} |\n", row.join(" | "));
        let head = line(&HEAD.map(str::to_owned)) + "|---|--:|--:|--:|--:|--:|\n";
        let section = |(name, rows): &(&str, Vec<[String; 6]>)| {
            format!("\n### {name}\n\n{head}{}", rows.iter().map(line).collect::<String>())
        };
        self.sections.iter().map(section).collect()
    }
}

/// Before the title of a row that tells more of the row above.
const INDENT: &str = "&emsp;";

fn line(row: &Row, case: &Case, results: &Results) -> [String; 6] {
    let figure = |side| results.median(case, side, row.figure);
    let show = |side| figure(side).map_or("-".to_owned(), |figure| shown(&figure));
    let ratio = |side| times(results.ratio(case, side, row.figure));
    [
        row.title.clone(),
        show(Side::Libssl),
        show(Side::Standalone),
        ratio(Side::Standalone),
        show(Side::Interposed),
        ratio(Side::Interposed),
    ]
}

pub fn times(ratio: Option<f64>) -> String {
    match ratio {
        None => "-".to_owned(),
        Some(r) if r >= 100.0 => format!("{}x", crate::cases::grouped(r.round() as usize)),
        Some(r) if r >= 10.0 => format!("{r:.0}x"),
        Some(r) if r < 0.1 => format!("1/{:.0}x", 1.0 / r),
        Some(r) => format!("{r:.2}x"),
    }
}

/// With three digits, in a unit that suits.
pub fn shown(figure: &Figure) -> String {
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
