//! libssl and libsslcache side by side: the same C programs on both, turn by turn.
//!
//! `cargo bench --bench compare -- [--quick] [--turns N] [--only WORD] [--svg DIR] [--markdown FILE]
//! [--lib FILE]`
//!
//! Each program is built twice, against libssl and against libsslcache (standalone); the first one
//! also runs with libsslcache in front of libssl (interposed). All of them run one after the other,
//! and all of that N times, so that whatever else the machine does meets all of them alike; the
//! medians count.

mod build;
mod cases;
mod charts;
mod machine;
mod noticed;
mod run;
mod servers;
mod svg;
mod table;

use cases::Case;
use charts::Picture;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo bench --bench compare -- [--quick] [--turns N] [--only WORD]
           [--svg DIR] [--markdown FILE] [--lib FILE]
  --quick          fewer and smaller measurements: about two minutes
  --turns N        measure everything so often; the medians count (default 5, quick 1). After 9
                   minutes no further measurement is begun but those of the first turn
  --only WORD      rows and pictures whose title has this in it; `server` for servers alone
  --svg DIR        measure what the pictures need, too, and draw them there
  --markdown FILE  write the tables there, too: between <!-- NAME --> and <!-- /NAME -->, where NAME
                   is noticed, figures and servers
  --lib FILE       the library (default: target/release/libsslcache.so)
";

/// What the command line asks for.
struct Wanted {
    quick: bool,
    help: bool,
    turns: Option<usize>,
    only: String,
    svg: Option<PathBuf>,
    markdown: Option<PathBuf>,
    library: Option<PathBuf>,
}

impl Wanted {
    fn from_arguments() -> Option<Wanted> {
        let mut wanted = Wanted {
            quick: false,
            help: false,
            turns: None,
            only: String::new(),
            svg: None,
            markdown: None,
            library: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => wanted.quick = true,
                "--help" => wanted.help = true,
                "--turns" => {
                    wanted.turns = Some(arguments.next()?.parse().ok().filter(|&n| n > 0)?)
                }
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

    fn with_servers(&self) -> bool {
        if self.only.is_empty() { !self.quick } else { self.only == "server" }
    }

    fn turns(&self) -> usize {
        self.turns.unwrap_or(if self.quick { 1 } else { 5 })
    }
}

fn main() -> ExitCode {
    let Some(wanted) = Wanted::from_arguments() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    if wanted.help {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
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
    let about = |case: &Case| case.rows.iter().any(|row| row.title.contains(&wanted.only));
    let rows: Vec<Case> = cases::all(wanted.quick).into_iter().filter(about).collect();
    let mut pictures = charts::all(wanted.quick);
    pictures.retain(|picture| wanted.svg.is_some() && picture.is_about(&wanted.only));
    let of_pictures = pictures.iter().flat_map(Picture::cases);
    let cases: Vec<Case> = rows.iter().cloned().chain(of_pictures).collect();

    let watch = machine::Watch::begin();
    let results = run::interleaved(&programs, &cases, wanted.turns());
    let servers =
        if wanted.with_servers() { servers::measure(&programs, 4)? } else { String::new() };
    let machine = format!("{}. Turns: {}", watch.describe(), results.turns);
    println!("{machine}\n\n{}\n{servers}", table::Table::new(&rows, &results).for_terminal());
    if let Some(file) = &wanted.markdown {
        let figures = table::Table::new(&rows, &results).for_markdown();
        sslcache_bench::fill(file, "figures", &format!("{machine}.\n{figures}"))?;
        sslcache_bench::fill(file, "noticed", &noticed::text(&results, &machine))?;
        sslcache_bench::fill(file, "servers", &servers)?;
    }
    if let Some(directory) = &wanted.svg {
        charts::draw(&pictures, &results, directory, &machine)?;
    }
    match results.missing() {
        0 => Ok(()),
        n => Err(format!("{n} measurements did not end well")),
    }
}
