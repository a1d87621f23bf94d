//! Runs programs, turn by turn, and takes medians.

use crate::build::{Programs, Side};
use crate::cases::Case;
use sslcache_bench::median;
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

/// What every run of every case printed, on each side.
#[derive(Default)]
pub struct Results {
    cases: Vec<(Case, [Vec<Figures>; 3])>,
    /// How many turns came to their end.
    pub turns: usize,
}

impl Results {
    fn new(cases: &[Case]) -> Results {
        let mut results = Results::default();
        for case in cases {
            match results.cases.iter_mut().find(|(known, _)| known.is(case)) {
                // In a picture and in the table.
                Some((known, _)) => known.turns = known.turns.max(case.turns),
                None => results.cases.push((case.clone(), Default::default())),
            }
        }
        results
    }

    /// What a case printed on one side, run by run.
    pub fn runs(&self, case: &Case, side: Side) -> &[Figures] {
        let known = self.cases.iter().find(|(known, _)| known.is(case));
        known.map_or(&[], |(_, sides)| &sides[side as usize])
    }

    /// The median of one of its figures.
    pub fn median(&self, case: &Case, side: Side, figure: &str) -> Option<Figure> {
        let figures = || self.runs(case, side).iter().filter_map(|run| run.get(figure));
        let unit = figures().next()?.unit.clone();
        Some(Figure { value: median(figures().map(|figure| figure.value)), unit })
    }

    /// How many times as good as on libssl a figure is on another side: the median over the runs
    /// that followed each other, so that what changes slowly is in both.
    pub fn ratio(&self, case: &Case, side: Side, figure: &str) -> Option<f64> {
        let pairs = self.runs(case, Side::Libssl).iter().zip(self.runs(case, side));
        let ratio = |(libssl, ours): (&Figures, &Figures)| {
            let (libssl, ours) = (libssl.get(figure)?, ours.get(figure)?);
            let more_is_better = ours.unit.ends_with("/s");
            let (better, worse) = if more_is_better {
                (ours.value, libssl.value)
            } else {
                (libssl.value, ours.value)
            };
            (worse > 0.0).then(|| better / worse)
        };
        let ratios: Vec<f64> = pairs.filter_map(ratio).collect();
        (!ratios.is_empty()).then(|| median(ratios.into_iter()))
    }

    /// What did not end well.
    pub fn missing(&self) -> usize {
        let missing = |(case, sides): &(Case, [Vec<Figures>; 3])| {
            case.sides.iter().filter(|&&side| sides[side as usize].is_empty()).count()
        };
        self.cases.iter().map(missing).sum()
    }
}

/// No further turn is begun after this: a machine that is slow or busy measures less often.
const LONG_ENOUGH: Duration = Duration::from_secs(9 * 60);
/// No program takes nearly as long.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Runs every case on every side, and all of that `turns` times: whatever else the machine does
/// meets all of them alike.
pub fn interleaved(programs: &Programs, cases: &[Case], turns: usize) -> Results {
    let mut results = Results::new(cases);
    let began = Instant::now();
    for turn in 1..=turns {
        for (case, sides) in &mut results.cases {
            if turn > 1 && began.elapsed() > LONG_ENOUGH {
                eprintln!("turn {turn} of {turns} ended early: it took too long");
                return results;
            }
            if turn <= case.turns {
                progress(&format!(
                    "turn {turn} of {turns}: {} {} ...",
                    case.program, case.arguments
                ));
                one_turn(programs, case, sides, turn);
            }
        }
        results.turns = turn;
    }
    progress("");
    results
}

fn one_turn(programs: &Programs, case: &Case, sides: &mut [Vec<Figures>; 3], turn: usize) {
    for _ in 0..case.repeats {
        for &side in &case.sides {
            let runs = &mut sides[side as usize];
            // What has not come to its end once, is not waited for again.
            if turn > 1 && runs.is_empty() {
                continue;
            }
            match run(programs, case, side) {
                Ok(figures) => runs.push(figures),
                Err(problem) => eprintln!("{problem}"),
            }
        }
    }
}

/// Tells who watches what is going on.
fn progress(what: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{what}\x1b[K");
    }
}

/// Runs a program once.
fn run(programs: &Programs, case: &Case, side: Side) -> Result<Figures, String> {
    let what = || format!("{} {} on {side:?}", case.program, case.arguments);
    let mut command = programs.command(case.program, side);
    command.args(case.arguments.split_whitespace());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("{}: {e}", what()))?;
    let deadline = Instant::now() + TIME_LIMIT;
    let status = loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{}: not done after {} s", what(), TIME_LIMIT.as_secs()));
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

/// Lines "name value unit".
pub fn parse(text: &str) -> Figures {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, value, unit) = (words.next()?, words.next()?, words.next()?);
        let figure = Figure { value: value.parse().ok()?, unit: unit.to_owned() };
        Some((name.to_owned(), figure))
    };
    text.lines().filter_map(line).collect()
}
