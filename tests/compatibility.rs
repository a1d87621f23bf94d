//! COMPATIBILITY.md: made from tests/compatibility/, complete, and true as far as a test can tell.
//!
//! `SSLCACHE_BLESS=1 cargo test --test compatibility` writes it.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use support::{Row, cells, declared, exports, library, read, root, rows, session_api, sources};

const NONE: &str = "none";
const NO_TEST: &str = "-";
const HOLE: &str = "**missing**";

// ------------------------------------------------------------------------------- the page

fn generate() -> String {
    let rows = rows();
    let (exported, absent): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.is_exported());
    let commands = rows.iter().filter(|row| command(row).is_some()).count();
    let counts = format!(
        "{} functions and {commands} commands are there, {} functions are not.",
        exported.len() - commands,
        absent.len()
    );
    read("tests/compatibility/template.md")
        .replace("@COUNTS@", &counts)
        .replace("@FUNCTIONS@", &functions(&exported))
        .replace("@ABSENT@", &not_exported(&absent))
        .replace("@DIFFERENCES@", &differences("differences.tsv"))
        .replace("@SHARED@", &differences("shared.tsv"))
}

/// One line for the functions of which the same is to be said.
fn functions(rows: &[&Row]) -> String {
    let heading = ["symbol", "since", "standalone", "interposed", "difference", "test"];
    let mut lines: Vec<[String; 6]> = Vec::new();
    for row in rows {
        let [symbol, since, standalone, interposed, difference, test] = row.cells();
        let difference = if difference == NONE { "" } else { difference };
        let rest = [since, standalone, interposed, difference, &tests(test)].map(str::to_owned);
        match lines.iter_mut().find(|line| line[1..] == rest) {
            Some(line) => line[0].push_str(&format!(", {}", code(symbol))),
            None => {
                let [since, standalone, interposed, difference, tests] = rest;
                lines.push([code(symbol), since, standalone, interposed, difference, tests]);
            }
        }
    }
    table(heading, lines.into_iter())
}

fn not_exported(rows: &[&Row]) -> String {
    rows.iter().map(|row| code(&row.symbol)).collect::<Vec<_>>().join(", ")
}

/// What is different at all, and what is besides with SSLCACHE_SHARED.
const DIFFERENCES: [&str; 2] = ["differences.tsv", "shared.tsv"];

fn differences(file: &str) -> String {
    let lines = cells(file).into_iter();
    table(["what", "why", "test"], lines.map(|[what, why, test]| [what, why, tests(&test)]))
}

fn table<const N: usize>(heading: [&str; N], lines: impl Iterator<Item = [String; N]>) -> String {
    let mut table = format!("| {} |\n|{}\n", heading.join(" | "), " --- |".repeat(N));
    for line in lines {
        table.push_str(&format!("| {} |\n", line.join(" | ")));
    }
    table.trim_end().to_owned()
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn tests(names: &str) -> String {
    names.split(' ').map(code).collect::<Vec<_>>().join(", ")
}

fn command(row: &Row) -> Option<&str> {
    row.symbol.strip_prefix("SSL_CTX_ctrl ")
}

#[test]
fn the_committed_page_is_the_generated_one() {
    let generated = generate();
    let path = root().join("COMPATIBILITY.md");
    if std::env::var_os("SSLCACHE_BLESS").is_some_and(|v| v == "1") {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "COMPATIBILITY.md is out of date: run `make compatibility`");
}

// ------------------------------------------------------------------------------- complete

#[test]
fn every_function_has_a_row_and_every_row_a_function() {
    let named: Vec<String> =
        rows().into_iter().filter(|r| command(r).is_none()).map(|r| r.symbol).collect();
    let unique: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(named.len(), unique.len(), "a function has two rows");
    let exported = exports(&library());
    let holes: Vec<_> = exported
        .union(&declared())
        .chain(&session_api())
        .filter(|name| !unique.contains(*name))
        .map(|name| format!("{HOLE} {name}"))
        .collect();
    assert_eq!(holes, [""; 0]);
    for row in rows().iter().filter(|row| command(row).is_none()) {
        assert_eq!(exported.contains(&row.symbol), row.is_exported(), "the row of {}", row.symbol);
    }
}

#[test]
fn every_session_command_has_a_row() {
    let header = read("include/sslcache.h");
    let in_header: BTreeSet<&str> = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define SSL_CTRL_"))
        .map(|rest| rest.split(' ').next().unwrap())
        .collect();
    assert_eq!(in_header.len(), 16);
    let rows = rows();
    let in_rows: BTreeSet<&str> =
        rows.iter().filter_map(command).map(|c| c.strip_prefix("SSL_CTRL_").unwrap()).collect();
    assert_eq!(in_rows, in_header);
}

#[test]
fn every_row_has_a_test() {
    for row in rows().iter().filter(|row| row.is_exported()) {
        assert!(row.test != NO_TEST && !row.test.is_empty(), "{}: no test", row.symbol);
    }
    for [what, why, test] in DIFFERENCES.into_iter().flat_map(cells) {
        let is_said = !what.is_empty() && !why.is_empty();
        assert!(is_said && test != NO_TEST && !test.is_empty(), "{what}: {why}: {test}");
    }
}

// ------------------------------------------------------------------------------- tests that are
// named

fn exists(test: &str) -> bool {
    let program = |directory: &str| {
        let source = |kind| root().join(directory).join(format!("{test}.{kind}"));
        source("c").exists() || source("cpp").exists()
    };
    let scenario = format!("{{\"{test}\",");
    let function = format!("fn {test}()");
    let in_a_file = |files: Vec<(String, String)>, text: &str| {
        files.iter().any(|(_, source)| source.contains(text))
    };
    ["tests-c", "tests-c/differences", "tests-c/install", "tests-c/process", "tests-c/shared"]
        .iter()
        .any(|d| program(d))
        || in_a_file(sources("tests-c/handshake", ".c"), &scenario)
        || ["tests", "tests/der"].iter().any(|d| in_a_file(sources(d, ".rs"), &function))
}

#[test]
fn every_test_that_is_named_exists() {
    let named = rows().into_iter().map(|row| row.test);
    let differences = DIFFERENCES.into_iter().flat_map(cells);
    let named = named.chain(differences.map(|[_, _, tests]| tests));
    let named: Vec<String> = named.filter(|names| names != NO_TEST).collect();
    let missing: BTreeSet<&str> =
        named.iter().flat_map(|names| names.split(' ')).filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "no such test: {missing:?}");
    assert!(!exists("there_is_no_such_test"));
}

#[test]
fn every_difference_that_has_a_program_is_on_the_page() {
    let page = generate();
    let programs = sources("tests-c/differences", ".c").into_iter().map(|(name, _)| name);
    let scenarios = sources("tests-c/handshake", ".c").into_iter().flat_map(|(_, source)| {
        let names = source.split("{\"difference_").skip(1);
        names
            .map(|rest| format!("difference_{}", rest.split('"').next().unwrap()))
            .collect::<Vec<_>>()
    });
    for name in programs.chain(scenarios) {
        let shown = [format!("`{name}`"), format!("`differences/{name}`")];
        assert!(shown.iter().any(|name| page.contains(name)), "{name} is not on the page");
    }
}

/// What is printed otherwise with SSLCACHE_SHARED has its reason in that table.
#[test]
fn every_print_of_its_own_with_shared_has_a_reason() {
    let named: BTreeSet<String> = cells("shared.tsv")
        .into_iter()
        .flat_map(|[_, _, tests]| tests.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let programs = ["tests-c", "tests-c/differences"]
        .into_iter()
        .flat_map(|directory| sources(directory, ".shared.expected"));
    let scenarios = sources("tests-c/handshake/expected", ".shared").into_iter();
    // Of a scenario there is one for each protocol.
    let scenarios = scenarios.map(|(name, _)| name.rsplit_once('_').unwrap().0.to_owned());
    let printed: BTreeSet<String> = programs.map(|(name, _)| name).chain(scenarios).collect();
    assert!(printed.len() > 20, "{printed:?}");
    let without_a_reason: Vec<_> = printed.difference(&named).collect();
    assert!(without_a_reason.is_empty(), "{without_a_reason:?} are not in shared.tsv");
}

// ------------------------------------------------------------------------------- a difference
// shown here

/// What a C program prints that consists of these statements.
fn printed(name: &str, statements: &str, preload: Option<&Path>) -> String {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (directory.join(format!("{name}.c")), directory.join(name));
    let includes = "#include <stdio.h>\n#include <openssl/ssl.h>\n";
    std::fs::write(&source, format!("{includes}int main(void) {{ {statements} return 0; }}\n"))
        .unwrap();
    let mut compiler = Command::new("cc");
    let built = compiler.arg("-o").arg(&program).arg(&source).args(["-lssl", "-lcrypto"]).status();
    assert!(built.unwrap().success(), "needs OpenSSL's headers and libraries");
    let mut command = Command::new("timeout");
    command.arg("20").arg("env");
    if let Some(library) = preload {
        command.arg(format!("LD_PRELOAD={}", library.display()));
    }
    String::from_utf8(command.arg(program).output().unwrap().stdout).unwrap()
}

#[test]
fn the_first_ex_data_index_moves_by_one() {
    let statements = "SSL_CTX_free(SSL_CTX_new(TLS_method()));
        printf(\"%d\", SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL));";
    assert_eq!(printed("first_index", statements, None), "1");
    assert_eq!(printed("first_index", statements, Some(&library())), "2");
}

#[test]
fn the_first_ex_data_index_of_connections_moves_by_one() {
    let statements = "SSL_CTX *a = SSL_CTX_new(TLS_method()), *b = SSL_CTX_new(TLS_method());
        SSL *ssl = SSL_new(a);
        printf(\"%d \", SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL));
        SSL_set_SSL_CTX(ssl, b);
        printf(\"%d\", SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL));";
    assert_eq!(printed("connection_index", statements, None), "1 2");
    assert_eq!(printed("connection_index", statements, Some(&library())), "1 3");
}
