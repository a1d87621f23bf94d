//! What several tests measure: the symbols of the built library, of the header and of the real
//! libssl, and what there is to say of each function.

// Each test uses its part.
#![allow(dead_code, missing_docs)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the repository.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The shared library that cargo built with this test: it lies beside the test.
pub fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let library = test.with_file_name("libsslcache.so");
    assert!(library.exists(), "{} was not built", library.display());
    library
}

/// A library of the system, as the linker finds it.
pub fn system_library(name: &str) -> PathBuf {
    let output = Command::new("cc").arg(format!("-print-file-name={name}")).output().unwrap();
    let path = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    assert!(path.is_absolute(), "{name} is not installed");
    path
}

/// The names a library defines for others, without their versions.
pub fn exports(library: &Path) -> BTreeSet<String> {
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(library).output().unwrap();
    assert!(output.status.success(), "nm {}", library.display());
    let listing = String::from_utf8(output.stdout).unwrap();
    listing
        .lines()
        .filter_map(|line| {
            let mut columns = line.split_whitespace().skip(1);
            // An absolute symbol is the name of a version, not of a function.
            let of_code = columns.next().is_some_and(|kind| kind != "A");
            columns.next().filter(|_| of_code)
        })
        .map(|name| name.split('@').next().unwrap().to_owned())
        .collect()
}

/// The functions the header declares.
pub fn declared() -> BTreeSet<String> {
    documented().into_iter().map(|(name, _)| name).collect()
}

/// The functions the header declares, in its order, each with the comment above it.
fn documented() -> Vec<(String, String)> {
    let header = read("include/sslcache.h");
    let generated = header.find("struct SSLCACHE_STATS {").expect("the generated part");
    let mut functions = Vec::new();
    let mut comment = String::new();
    for line in header[generated..].lines() {
        if line.starts_with("/**") {
            comment.clear();
        } else if line.starts_with(' ') {
            comment.push_str(line);
        } else if let Some((before, _)) = line.split_once('(').filter(|_| !line.starts_with('#')) {
            let name = before.rsplit([' ', '*']).next().unwrap().to_owned();
            functions.push((name, std::mem::take(&mut comment)));
        }
    }
    functions
}

/// What the session API is: every name of the real libssl that has "sess" in it, and what else a
/// program links to that uses nothing but sessions.
pub fn session_api() -> BTreeSet<String> {
    let mut names = exports(&system_library("libssl.so.3"));
    let all = names.clone();
    names.retain(|name| name.to_lowercase().contains("sess"));
    let around = [
        "OPENSSL_init_ssl",
        "ERR_load_SSL_strings",
        "SSL_CTX_new",
        "SSL_CTX_new_ex",
        "SSL_CTX_up_ref",
        "SSL_CTX_free",
        "SSL_CTX_ctrl",
        "SSL_CTX_callback_ctrl",
        "SSL_CTX_set_ex_data",
        "SSL_CTX_get_ex_data",
        "SSL_CTX_set_timeout",
        "SSL_CTX_get_timeout",
        "SSL_get_default_timeout",
        "SSL_CIPHER_find",
        "SSL_CIPHER_get_name",
        "SSL_CIPHER_standard_name",
        "SSL_CIPHER_get_id",
        "SSL_CIPHER_get_protocol_id",
        "SSL_CIPHER_get_version",
        "SSL_new",
        "SSL_free",
        "SSL_version",
    ];
    let methods = all.iter().filter(|name| name.ends_with("_method") && name.contains("TLS"));
    names.extend(methods.filter(|name| !name.contains("get")).cloned());
    names.extend(around.map(str::to_owned));
    // Of releases after 3.0.
    names.extend(
        [
            "SSL_CTX_flush_sessions_ex",
            "SSL_SESSION_get_time_ex",
            "SSL_SESSION_set_time_ex",
            "SSL_SESSION_get0_peer_rpk",
            "d2i_SSL_SESSION_ex",
        ]
        .map(str::to_owned),
    );
    names
}

/// What there is to say of a function, or of a command of `SSL_CTX_ctrl`.
///
/// Most is usual and known. functions.tsv says the rest: an empty cell takes what is usual, and a
/// function that has nothing unusual needs no line there.
#[derive(Clone, PartialEq)]
pub struct Row {
    /// The function, or `SSL_CTX_ctrl` and its command.
    pub symbol: String,
    /// The release of OpenSSL that brought it, if that is later than 1.1.1; its comment says so.
    pub since: String,
    pub standalone: String,
    pub interposed: String,
    pub difference: String,
    pub test: String,
}

impl Row {
    /// The words for what the library leaves to libssl.
    pub const ABSENT: &str = "not exported";

    pub fn is_exported(&self) -> bool {
        self.standalone != Row::ABSENT
    }

    pub fn cells(&self) -> [&str; 6] {
        let Row { symbol, since, standalone, interposed, difference, test } = self;
        [symbol, since, standalone, interposed, difference, test]
    }
}

/// The lines of a table in tests/compatibility, cut into cells, without the heading.
pub fn cells<const N: usize>(file: &str) -> Vec<[String; N]> {
    let text = read(&format!("tests/compatibility/{file}"));
    let cut = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    let exactly = |cells: Vec<String>| {
        let count = cells.len();
        cells.try_into().unwrap_or_else(|c| panic!("{file}: {count} cells, not {N}: {c:?}"))
    };
    text.lines().skip(1).map(cut).map(exactly).collect()
}

/// The files of a directory that end in `suffix`, by name: without the suffix, and with their text.
pub fn sources(directory: &str, suffix: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(root().join(directory)).into_iter().flatten().flatten();
    let mut sources: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let text = std::fs::read_to_string(entry.path()).ok()?;
            Some((name.strip_suffix(suffix)?.to_owned(), text))
        })
        .collect();
    sources.sort();
    sources
}

/// Finds the conformance program that is about a function.
struct Tests {
    programs: Vec<(String, String)>,
    pages: Vec<(String, String)>,
    header: String,
}

impl Tests {
    fn new() -> Self {
        Tests {
            programs: sources("tests-c", ".c"),
            pages: sources("src/exports", ".rs"),
            header: read("include/sslcache.h").replace("\\\n", " "),
        }
    }

    /// The macro of the header that stands for a command.
    fn name_of(&self, symbol: &str) -> String {
        let Some(command) = symbol.strip_prefix("SSL_CTX_ctrl ") else { return symbol.to_owned() };
        let stands_for = |line: &&str| line.contains(&format!("ctx, {command},"));
        let definition = self.header.lines().find(stands_for).unwrap_or_default();
        definition.trim_start_matches("#define ").split('(').next().unwrap().to_owned()
    }

    /// The first program that calls it, but rather that with the name of the function or its page.
    fn of(&self, symbol: &str) -> String {
        let name = &self.name_of(symbol);
        let page = self.pages.iter().find(|(_, text)| text.contains(&format!("fn {name}(")));
        let page = page.map_or("", |(page, _)| page);
        let calls = |(_, text): &&(String, String)| text.contains(&format!("{name}("));
        let is_named = |program: &str| [name, page].iter().any(|n| program.eq_ignore_ascii_case(n));
        let calling = || self.programs.iter().filter(calls).map(|(program, _)| program.clone());
        let named = calling().find(|program| is_named(program));
        named.or_else(|| calling().next()).unwrap_or_default()
    }
}

/// The release after "since OpenSSL".
fn since(comment: &str) -> String {
    let after = comment.split_once("since OpenSSL ").map_or("", |(_, rest)| rest);
    let release: String = after.chars().take_while(|c| !";, ".contains(*c)).collect();
    release.trim_end_matches('.').to_owned()
}

/// Every function of the header in its order, the commands, and what is not exported.
pub fn rows() -> Vec<Row> {
    let tests = Tests::new();
    let usual = |symbol: &str, comment: &str| Row {
        symbol: symbol.to_owned(),
        since: since(comment),
        standalone: "full".to_owned(),
        interposed: "passed on".to_owned(),
        difference: "none".to_owned(),
        test: tests.of(symbol),
    };
    let mut lines = cells::<5>("functions.tsv");
    let mut row = |symbol: &str, comment: &str| {
        let usual = usual(symbol, comment);
        let Some(at) = lines.iter().position(|[name, ..]| name == symbol) else { return usual };
        let [_, standalone, interposed, difference, test] = lines.remove(at);
        let or = |cell: String, usual: &str| if cell.is_empty() { usual.to_owned() } else { cell };
        let said = Row {
            standalone: or(standalone, &usual.standalone),
            interposed: or(interposed, &usual.interposed),
            difference: or(difference, &usual.difference),
            test: or(test, &usual.test),
            ..usual.clone()
        };
        assert!(said != usual, "functions.tsv says nothing of {symbol} that is not usual");
        said
    };
    let mut rows: Vec<Row> =
        documented().iter().map(|(symbol, comment)| row(symbol, comment)).collect();
    for [symbol, ..] in cells::<5>("functions.tsv") {
        if rows.iter().all(|row| row.symbol != symbol) {
            rows.push(row(&symbol, ""));
        }
    }
    assert!(lines.is_empty(), "functions.tsv has two lines for {:?}", lines[0][0]);
    rows
}
