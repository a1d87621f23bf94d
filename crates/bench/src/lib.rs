//! What the benchmarks share: numbers that look like chance, the median, and figures in a page of
//! text, where they stand between `<!-- NAME -->` and `<!-- /NAME -->`.

use std::path::Path;
use std::process::ExitCode;

/// Spreads a number over 64 bits (SplitMix64).
pub fn mix(x: u64) -> u64 {
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

/// The next number after this state.
pub fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mix(*state)
}

/// The one in the middle; of an even number the lower of the two.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) / 2]
}

/// What a program was told; the exit code when that is `--help`, or makes no sense.
pub fn arguments<T>(usage: &str, read: impl FnOnce() -> Option<T>) -> Result<T, ExitCode> {
    if std::env::args().nth(1).as_deref() == Some("--help") {
        print!("{usage}");
        return Err(ExitCode::SUCCESS);
    }
    read().ok_or_else(|| {
        eprint!("{usage}");
        ExitCode::from(2)
    })
}

/// The end of a program whose figures these are: prints them, and puts them into a file if one is
/// wanted.
pub fn publish(file: Option<&Path>, name: &str, text: &str) -> ExitCode {
    print!("{text}");
    match file.map(|file| fill(file, name, text)) {
        Some(Err(problem)) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Puts `text` between the marks of this name in a file; if it has no such marks, or is not there, at
/// its end.
pub fn fill(file: &Path, name: &str, text: &str) -> Result<(), String> {
    let page = std::fs::read_to_string(file).unwrap_or_default();
    let filled = filled(&page, name, text).unwrap_or_else(|| format!("{page}{text}\n"));
    std::fs::write(file, filled).map_err(|e| format!("{}: {e}", file.display()))
}

fn filled(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n\n{}\n\n{end}{after}", text.trim()))
}
