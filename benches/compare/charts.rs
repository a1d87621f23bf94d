//! The pictures of docs/performance.md.

use crate::build::Side;
use crate::cases::{self, ACTIONS, Case, MIXED};
use crate::run::{Figure, Figures, Results};
use crate::svg::{Chart, Line, Marker, Scale, Style};
use std::path::Path;

const LIBSSL: Style = Style { colour: "#d55e00", dashes: "", marker: Marker::Square };
const STANDALONE: Style = Style { colour: "#0072b2", dashes: "9 4", marker: Marker::Circle };
const INTERPOSED: Style = Style { colour: "#000000", dashes: "2 4", marker: Marker::Triangle };
/// An add where there is a look-up with the style of the side.
const ADD_ON_LIBSSL: Style = Style { colour: "#e69f00", dashes: "2 4", marker: Marker::Triangle };
const ADD_STANDALONE: Style =
    Style { colour: "#56b4e9", dashes: "10 4 2 4", marker: Marker::Square };

/// A picture whose lines are libssl and libsslcache.
pub struct Picture {
    file: String,
    title: String,
    pub shows: Shows,
}

pub enum Shows {
    /// A figure, over what distinguishes the cases.
    Figures {
        x: (&'static str, Scale),
        y: (&'static str, Scale),
        figure: &'static str,
        points: Vec<(f64, Case)>,
    },
    /// How likely it is to wait longer than so long: the operation, and its case.
    Waits(Vec<(&'static str, Case)>),
}

impl Picture {
    /// What is to be measured for it.
    pub fn cases(&self) -> Vec<Case> {
        match &self.shows {
            Shows::Figures { points, .. } => points.iter().map(|(_, case)| case.clone()).collect(),
            Shows::Waits(curves) => curves.iter().map(|(_, case)| case.clone()).collect(),
        }
    }

    pub fn is_about(&self, word: &str) -> bool {
        self.title.contains(word) || self.file.contains(word)
    }
}

/// The number of sessions.
fn sizes(quick: bool) -> &'static [usize] {
    const ALL: [usize; 6] = [10, 100, 1_000, 20_480, 200_000, 1_000_000];
    &ALL[..if quick { 5 } else { 6 }]
}

/// All pictures.
pub fn all(quick: bool) -> Vec<Picture> {
    let mut all = over_size(quick);
    all.push(over_spread());
    all.extend(over_threads());
    all.extend(ACTIONS.iter().map(|&(action, during)| Picture {
        file: format!("waits-{action}"),
        title: format!("Waits while {during}"),
        shows: Shows::Waits(vec![
            ("look-up", cases::pause(action, "lookup")),
            ("add", cases::pause(action, "add")),
        ]),
    }));
    all
}

fn over_size(quick: bool) -> Vec<Picture> {
    let picture = |file: &str, title: &str, figure, case: fn(usize) -> Case| {
        let points = sizes(quick).iter().map(|&n| (n as f64, case(n))).collect();
        let shows = Shows::Figures {
            x: ("sessions in the cache", Scale::Count),
            y: ("processor time of one operation", Scale::Time),
            figure,
            points,
        };
        Picture { file: file.to_owned(), title: title.to_owned(), shows }
    };
    let mixed = "Add to a full cache, timeouts of 300 to 7500 s";
    vec![
        picture("lookup-size", "Look-up of a session", "lookup", cases::lookup),
        picture("add-equal", "Add to a full cache, all timeouts equal", "add", |n| {
            cases::add(n, 0)
        }),
        picture("add-mixed", mixed, "add", |n| cases::add(n, MIXED)),
    ]
}

fn over_spread() -> Picture {
    let points = [0, 60, 300, 900, 1800, 3600, 5400, MIXED];
    Picture {
        file: "add-spread".to_owned(),
        title: "Add to a full cache of 20,480, by how much the timeouts differ".to_owned(),
        shows: Shows::Figures {
            x: ("seconds between the shortest and the longest timeout", Scale::Linear),
            y: ("processor time of one operation", Scale::Time),
            figure: "add",
            points: points.map(|spread| (spread as f64, cases::add(20_480, spread))).into(),
        },
    }
}

fn over_threads() -> impl Iterator<Item = Picture> {
    let all = [
        ("lookup-threads", "Look-ups by several threads, 20,480 sessions", 0),
        ("mix-95-threads", "95% look-up, 5% remove + add, 20,480 sessions", 5),
        ("mix-90-threads", "90% look-up, 10% remove + add, 20,480 sessions", 10),
        ("writes-threads", "Remove + add alone, 20,480 sessions", 100),
    ];
    all.into_iter().map(|(file, title, writes)| Picture {
        file: file.to_owned(),
        title: title.to_owned(),
        shows: Shows::Figures {
            x: ("threads", Scale::Powers),
            y: ("million operations a second", Scale::Count),
            figure: "operations",
            points: [1, 2, 4, 8, 16].map(|n| (n as f64, cases::mix(20_480, writes, n))).into(),
        },
    })
}

/// Draws the pictures into `directory`, and writes their points beside them.
pub fn draw(
    pictures: &[Picture],
    results: &Results,
    directory: &Path,
    machine: &str,
) -> Result<(), String> {
    std::fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    for picture in pictures {
        let chart = chart(picture, results, machine);
        for (extension, text) in [("svg", chart.draw()), ("csv", chart.csv())] {
            let path = directory.join(format!("{}.{extension}", picture.file));
            std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}

fn chart(picture: &Picture, results: &Results, machine: &str) -> Chart {
    let (x, y, lines): (_, _, Vec<Line>) = match &picture.shows {
        Shows::Figures { x, y, figure, points } => {
            let of = |side| figures(side, figure, points, results);
            (*x, *y, Side::ALL.map(of).into())
        }
        Shows::Waits(curves) => {
            let x = ("longer than", Scale::Time);
            let y = ("likelihood to wait, at a random moment", Scale::Count);
            let of = |side: Side| {
                curves.iter().map(move |(operation, case)| Line {
                    name: format!("{}, {operation}", name(side)),
                    style: if *operation == "add" { style_of_add(side) } else { style(side) },
                    points: curve(results.runs(case, side)),
                })
            };
            (x, y, of(Side::Libssl).chain(of(Side::Standalone)).collect())
        }
    };
    let lines = lines.into_iter().filter(|line| !line.points.is_empty()).collect();
    Chart { title: picture.title.clone(), x, y, lines, note: machine.to_owned() }
}

/// As the table has it.
fn name(side: Side) -> &'static str {
    match side {
        Side::Libssl => "libssl",
        Side::Standalone => "standalone",
        Side::Interposed => "interposed",
    }
}

fn style(side: Side) -> Style {
    match side {
        Side::Libssl => LIBSSL,
        Side::Standalone => STANDALONE,
        Side::Interposed => INTERPOSED,
    }
}

fn style_of_add(side: Side) -> Style {
    if side == Side::Libssl { ADD_ON_LIBSSL } else { ADD_STANDALONE }
}

fn figures(side: Side, figure: &str, points: &[(f64, Case)], results: &Results) -> Line {
    let at = |(x, case): &(f64, Case)| Some((*x, results.median(case, side, figure)?.value));
    Line {
        name: name(side).to_owned(),
        style: style(side),
        points: points.iter().filter_map(at).collect(),
    }
}

/// Of several runs the one with the median longest wait.
fn curve(runs: &[Figures]) -> Vec<(f64, f64)> {
    let mut runs: Vec<Vec<(f64, f64)>> = runs.iter().map(distribution).collect();
    let longest = |run: &Vec<(f64, f64)>| run.last().map_or(0.0, |p| p.0);
    runs.sort_by(|a, b| longest(a).total_cmp(&longest(b)));
    let middle = (runs.len().max(1) - 1) / 2;
    runs.into_iter().nth(middle).unwrap_or_default()
}

/// (nanoseconds, likelihood to wait longer).
fn distribution(figures: &Figures) -> Vec<(f64, f64)> {
    let point = |(name, figure): (&String, &Figure)| {
        Some((name.strip_prefix("longer_than_")?.parse().ok()?, figure.value))
    };
    // What is less likely than this has no place on a logarithmic axis.
    const LEAST: f64 = 1e-4;
    let mut points: Vec<(f64, f64)> =
        figures.iter().filter_map(point).filter(|p| p.0 >= 10.0 && p.1 >= LEAST).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Nothing waits longer than the longest wait.
    if let Some(longest) = figures.get("wait_longest") {
        points.push((longest.value * 1e3, LEAST));
    }
    points
}
