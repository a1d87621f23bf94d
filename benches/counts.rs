//! Instructions of the hot paths, counted, not timed: a machine under load gives the same numbers.
//!
//! `cargo bench --bench counts -- [--bless]` runs benches/c/hot.c under callgrind and compares with
//! benches/counts.tsv: more than a tenth above is a failure. `--bless` writes that file anew.
//!
//! The hash is keyed at random, so the number of probes, and with it the count, differs a little
//! from run to run.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const OPERATIONS: [&str; 7] = ["hit", "miss", "get", "add", "add_full", "add_full_mixed", "remove"];
const COUNT: f64 = 5000.0;
const TOLERANCE: f64 = 1.10;

fn main() -> ExitCode {
    let bless = std::env::args().any(|argument| argument == "--bless");
    match check(bless) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("counts: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn check(bless: bool) -> Result<bool, String> {
    let file = root().join("benches/counts.tsv");
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    let program = build()?;
    let mut text = String::new();
    let (mut good, mut bad) = (0, 0);
    for operation in OPERATIONS {
        let count = count(&program, operation)?;
        let _ = writeln!(text, "{operation}\t{count:.0}");
        let before = known.lines().find_map(|line| {
            let (name, value) = line.split_once('\t')?;
            (name == operation).then(|| value.trim().parse::<f64>().ok())?
        });
        let fine = before.is_some_and(|before| count <= before * TOLERANCE);
        let before = before.map_or("none".to_owned(), |before| format!("{before:.0}"));
        let verdict = if fine { "ok" } else { "FAIL" };
        println!("{verdict} counts/{operation}: {count:.0} instructions (known: {before})");
        *if fine { &mut good } else { &mut bad } += 1;
    }
    if bless {
        std::fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?;
        println!("{} written", file.display());
        return Ok(true);
    }
    println!("{good} passed, {bad} failed");
    Ok(bad == 0)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn target() -> PathBuf {
    // target/release/deps/counts-1234
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(3).map_or_else(|| root().join("target"), Path::to_path_buf)
}

/// Builds the program on the library of `cargo build --release`.
fn build() -> Result<PathBuf, String> {
    let directory = target().join("counts");
    let library = directory.join("libsslcache.so.0");
    let program = directory.join("hot");
    std::fs::create_dir_all(&directory).map_err(|e| e.to_string())?;
    std::fs::copy(target().join("release/libsslcache.so"), &library)
        .map_err(|e| format!("libsslcache.so: {e} (cargo build --release makes it)"))?;
    let mut cc = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    cc.args(["-O2", "-g", "-std=c11", "-DOPENSSL_SUPPRESS_DEPRECATED"]);
    cc.arg("-I").arg(root().join("include")).arg("-o").arg(&program);
    cc.args(["hot.c", "measure.c"].map(|source| root().join("benches/c").join(source)));
    cc.arg(&library).arg("-lcrypto").arg(format!("-Wl,-rpath,{}", directory.display()));
    match cc.status() {
        Ok(status) if status.success() => Ok(program),
        Ok(status) => Err(format!("compiling hot.c: {status}")),
        Err(e) => Err(format!("compiling hot.c: {e}")),
    }
}

/// Instructions of one operation.
fn count(program: &Path, operation: &str) -> Result<f64, String> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=measured"])
        .arg(program)
        .args(["--operation", operation])
        .output()
        .map_err(|e| format!("valgrind: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // "==123== Collected : 456"
    let collected = said.lines().find_map(|line| {
        line.split_once("Collected :")?.1.split_whitespace().next()?.parse::<f64>().ok()
    });
    match collected {
        Some(instructions) if output.status.success() => Ok(instructions / COUNT),
        _ => Err(format!("hot --operation {operation} under valgrind: {said}")),
    }
}
