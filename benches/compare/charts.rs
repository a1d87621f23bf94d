//! The pictures of docs/performance.md.

use crate::build::{Programs, Side};
use crate::cases::{Case, Goal, Row, grouped};
use crate::engine;
use crate::machine;
use crate::run::{self, Figures};
use crate::svg::{Chart, Line};
use std::path::Path;

const LIBSSL: (&str, &str) = ("libssl", "#c0392b");
const STANDALONE: (&str, &str) = ("libsslcache", "#1f6fb2");
const INTERPOSED: (&str, &str) = ("in front of libssl", "#2e8b57");
const ENGINE: (&str, &str) = ("engine alone", "#8e6bbf");

fn style(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Libssl => LIBSSL,
        Side::Standalone => STANDALONE,
        Side::Interposed => INTERPOSED,
    }
}

/// A chart whose points are runs of one program.
struct Series {
    file: &'static str,
    title: &'static str,
    x: &'static str,
    y: &'static str,
    program: &'static str,
    figure: &'static str,
    /// The value on the x axis, the arguments, and whether libssl can do that in reasonable time.
    points: Vec<(f64, String, bool)>,
    /// The same of the engine alone, for so many sessions.
    engine: Option<fn(usize) -> f64>,
}

/// Measures and draws all charts into `directory`.
pub fn draw(programs: &Programs, directory: &Path, runs: usize, quick: bool) -> Result<(), String> {
    std::fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    for series in all(quick) {
        let mut chart = measure(programs, &series, runs);
        if let Some(cost) = series.engine {
            chart.lines.push(engine_alone(cost, quick));
        }
        write(directory, series.file, &chart)?;
    }
    write(directory, "waits.svg", &waits(programs, runs))
}

fn write(directory: &Path, file: &str, chart: &Chart) -> Result<(), String> {
    let path = directory.join(file);
    std::fs::write(&path, chart.draw()).map_err(|e| format!("{}: {e}", path.display()))
}

fn sizes(quick: bool) -> Vec<usize> {
    let all = [10, 100, 1_000, 20_480, 100_000, 400_000, 1_000_000, 4_000_000];
    all[..if quick { 5 } else { 8 }].to_vec()
}

fn all(quick: bool) -> Vec<Series> {
    let over_size = |arguments: &str, libssl_to: usize| {
        let point = |n: usize| {
            (n as f64, format!("--sessions {n} --seconds 0.3 {arguments}"), n <= libssl_to)
        };
        sizes(quick).into_iter().map(point).collect()
    };
    let over_threads = |arguments: &str| {
        let point = |n: usize| (n as f64, format!("--threads {n} --seconds 0.5 {arguments}"), true);
        [1, 2, 4, 8, 16].map(point).into()
    };
    let size = "sessions in the cache";
    let cost = "ns for each";
    vec![
        Series {
            file: "lookup-size.svg",
            title: "Look-up of a session",
            x: size,
            y: cost,
            program: "lookup",
            figure: "lookup",
            points: over_size("", usize::MAX),
            engine: Some(engine::lookup),
        },
        Series {
            file: "add-equal.svg",
            title: "Add to a full cache, all timeouts equal",
            x: size,
            y: cost,
            program: "store",
            figure: "add",
            points: over_size("--timeouts equal", usize::MAX),
            engine: Some(|sessions| engine::add(sessions, false)),
        },
        Series {
            file: "add-mixed.svg",
            title: "Add to a full cache, timeouts of 300 to 7500 s",
            x: size,
            y: cost,
            program: "store",
            figure: "add",
            points: over_size("--timeouts mixed", 1_000_000),
            engine: Some(|sessions| engine::add(sessions, true)),
        },
        Series {
            file: "lookup-threads.svg",
            title: "Look-ups by several threads, 20,480 sessions",
            x: "threads",
            y: "million look-ups a second",
            program: "lookup",
            figure: "lookups",
            points: over_threads(""),
            engine: None,
        },
        Series {
            file: "mix-threads.svg",
            title: "90% look-up, 10% remove + add, 20,480 sessions",
            x: "threads",
            y: "million operations a second",
            program: "mix",
            figure: "operations",
            points: over_threads(""),
            engine: None,
        },
    ]
}

fn measure(programs: &Programs, series: &Series, runs: usize) -> Chart {
    let cases: Vec<Case> = series.points.iter().map(|point| case_of(series, point)).collect();
    let results = run::interleaved(programs, &cases, runs);
    let points = |side: Side| {
        let figure = |figures: &Figures| figures.get(series.figure).map(|f| f.value);
        let at = |((x, ..), sides): (&(f64, String, bool), &[Figures; 3])| {
            Some((*x, figure(&sides[side as usize])?))
        };
        series.points.iter().zip(&results).filter_map(at).collect()
    };
    let line = |side| {
        let (name, colour) = style(side);
        Line { name, colour, points: points(side) }
    };
    Chart {
        title: series.title.to_owned(),
        x: series.x.to_owned(),
        y: series.y.to_owned(),
        lines: Side::ALL.map(line).into(),
        note: machine::describe(),
    }
}

fn engine_alone(cost: fn(usize) -> f64, quick: bool) -> Line {
    let (name, colour) = ENGINE;
    let mut sizes = sizes(quick);
    if !quick {
        sizes.push(10_000_000);
    }
    Line { name, colour, points: sizes.into_iter().map(|n| (n as f64, cost(n))).collect() }
}

fn case_of(series: &Series, (_, arguments, on_libssl): &(f64, String, bool)) -> Case {
    let sides = Side::ALL.into_iter().filter(|&side| *on_libssl || side != Side::Libssl).collect();
    Case {
        program: series.program,
        arguments: arguments.clone(),
        sides,
        rows: vec![Row { title: String::new(), figure: series.figure, goal: Goal::Nothing }],
        time_limit: 120,
    }
}

/// How likely a look-up waits longer than so long while a million sessions are flushed. Of several
/// runs the one with the median longest wait is drawn.
fn waits(programs: &Programs, runs: usize) -> Chart {
    const SESSIONS: usize = 1_000_000;
    let case = Case {
        program: "pause",
        arguments: format!("--action flush --sessions {SESSIONS} --curve yes"),
        sides: Side::ALL.to_vec(),
        rows: Vec::new(),
        time_limit: 120,
    };
    let mut all: [Vec<Figures>; 3] = Default::default();
    for _ in 0..runs {
        for side in Side::ALL {
            all[side as usize].extend(run::run(programs, &case, side));
        }
    }
    let line = |side: Side| {
        let (name, colour) = style(side);
        let mut runs: Vec<Vec<(f64, f64)>> = all[side as usize].iter().map(distribution).collect();
        let longest = |run: &Vec<(f64, f64)>| run.last().map_or(0.0, |p| p.0);
        runs.sort_by(|a, b| longest(a).total_cmp(&longest(b)));
        let middle = (runs.len().max(1) - 1) / 2;
        Line { name, colour, points: runs.into_iter().nth(middle).unwrap_or_default() }
    };
    Chart {
        title: format!("Waits of look-ups while {} sessions are flushed", grouped(SESSIONS)),
        x: "ns".to_owned(),
        y: "likelihood to wait longer".to_owned(),
        lines: Side::ALL.map(line).into(),
        note: machine::describe(),
    }
}

/// (nanoseconds, likelihood to wait longer).
fn distribution(figures: &Figures) -> Vec<(f64, f64)> {
    let point = |(name, figure): (&String, &run::Figure)| {
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
