//! Runs programs, turn by turn, and takes medians.

use crate::build::{Programs, Side};
use crate::cases::Case;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A figure with its unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    pub value: f64,
    pub unit: String,
}

/// What one program printed, by name.
pub type Figures = BTreeMap<String, Figure>;

/// The medians of a case on each side: `results[case][side]`.
pub type Results = Vec<[Figures; 3]>;

/// Runs every case on every side `runs` times: the first of all cases, the second of all cases ...
pub fn interleaved(programs: &Programs, cases: &[Case], runs: usize) -> Results {
    let mut all: Vec<[Vec<Figures>; 3]> = cases.iter().map(|_| Default::default()).collect();
    for turn in 1..=runs {
        for (case, results) in cases.iter().zip(&mut all) {
            for side in Side::ALL.into_iter().filter(|side| case.sides.contains(side)) {
                progress(&format!("run {turn} of {runs}: {} {} ...", case.program, case.arguments));
                match run(programs, case, side) {
                    Ok(figures) => results[side as usize].push(figures),
                    Err(problem) => eprintln!("{problem}"),
                }
            }
        }
    }
    progress("");
    all.into_iter().map(|sides| sides.map(|runs| medians(&runs))).collect()
}

/// Tells who watches what is going on.
fn progress(what: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{what}\x1b[K");
    }
}

/// Runs a program once.
pub fn run(programs: &Programs, case: &Case, side: Side) -> Result<Figures, String> {
    let what = || format!("{} {} on {side:?}", case.program, case.arguments);
    let mut command = programs.command(case.program, side);
    command.args(case.arguments.split_whitespace());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("{}: {e}", what()))?;
    let deadline = Instant::now() + Duration::from_secs(case.time_limit);
    let status = loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{}: not done after {} s", what(), case.time_limit));
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let mut text = String::new();
    if let Some(mut output) = child.stdout.take() {
        output.read_to_string(&mut text).map_err(|e| e.to_string())?;
    }
    if !status.success() {
        return Err(format!("{}: {status}", what()));
    }
    Ok(parse(&text))
}

/// Lines "name value unit"; a bare number is handshakes per second.
fn parse(text: &str) -> Figures {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (first, second, third) = (words.next()?, words.next(), words.next());
        let figure = |value: &str, unit: &str| {
            Some(Figure { value: value.parse().ok()?, unit: unit.to_owned() })
        };
        match (second, third) {
            (Some(value), Some(unit)) => Some((first.to_owned(), figure(value, unit)?)),
            _ => Some(("handshakes".to_owned(), figure(first, "/s")?)),
        }
    };
    text.lines().filter_map(line).collect()
}

fn medians(runs: &[Figures]) -> Figures {
    let mut medians = Figures::new();
    for (name, figure) in runs.iter().flatten() {
        medians.entry(name.clone()).or_insert_with(|| Figure {
            value: median(runs.iter().filter_map(|run| run.get(name)).map(|f| f.value)),
            unit: figure.unit.clone(),
        });
    }
    medians
}

/// The one in the middle; of an even number the lower of the two.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) / 2]
}
