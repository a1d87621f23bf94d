//! libssl and libsslcache side by side: the same C programs on both, turn by turn.
//!
//! `cargo bench --bench compare -- [--quick] [--runs N] [--only WORD] [--svg DIR] [--markdown FILE]
//! [--lib FILE]`
//!
//! Each program is built twice, against libssl and against libsslcache (standalone); the first one
//! also runs with libsslcache in front of libssl (interposed). All of them run N times, one after
//! the other, so that whatever else the machine does meets all of them alike; the medians count.

mod build;
mod cases;
mod charts;
mod engine;
mod machine;
mod run;
mod svg;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo bench --bench compare -- [--quick] [--runs N] [--only WORD]
           [--svg DIR] [--markdown FILE] [--lib FILE]
  --quick          fewer and smaller measurements, two minutes at most
  --runs N         of each program; the medians count (default 5, quick 1)
  --only WORD      measurements whose name has this in it
  --svg DIR        measure and draw the charts instead of the table
  --markdown FILE  write the table there, too
  --lib FILE       the library (default: target/release/libsslcache.so)
";

/// What the command line asks for.
struct Wanted {
    quick: bool,
    runs: Option<usize>,
    only: String,
    svg: Option<PathBuf>,
    markdown: Option<PathBuf>,
    library: Option<PathBuf>,
}

impl Wanted {
    fn from_arguments() -> Option<Wanted> {
        let mut wanted = Wanted {
            quick: false,
            runs: None,
            only: String::new(),
            svg: None,
            markdown: None,
            library: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => wanted.quick = true,
                "--runs" => wanted.runs = Some(arguments.next()?.parse().ok().filter(|&n| n > 0)?),
                "--only" => wanted.only = arguments.next()?,
                "--svg" => wanted.svg = Some(arguments.next()?.into()),
                "--markdown" => wanted.markdown = Some(arguments.next()?.into()),
                "--lib" => wanted.library = Some(arguments.next()?.into()),
                // Cargo's own way of saying what this is.
                "--bench" => {}
                _ => return None,
            }
        }
        Some(wanted)
    }

    fn runs(&self) -> usize {
        self.runs.unwrap_or(if self.quick { 1 } else { 5 })
    }
}

fn main() -> ExitCode {
    let Some(wanted) = Wanted::from_arguments() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match measure(&wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("compare: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure(wanted: &Wanted) -> Result<(), String> {
    let programs = build::build(wanted.library.as_deref())?;
    if let Some(directory) = &wanted.svg {
        return charts::draw(&programs, directory, wanted.runs(), wanted.quick);
    }
    let cases: Vec<_> = cases::all(wanted.quick)
        .into_iter()
        .filter(|case| case.rows.iter().any(|row| row.title.contains(&wanted.only)))
        .collect();
    let results = run::interleaved(&programs, &cases, wanted.runs());
    let table = table::Table::new(&cases, &results);
    println!("{}\n\n{}", machine::describe(), table.for_terminal());
    if let Some(file) = &wanted.markdown {
        let text = format!("{}\n\n{}", machine::describe(), table.for_markdown());
        std::fs::write(file, text).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    Ok(())
}
