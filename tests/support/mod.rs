//! What tests/symbols.rs and tests/compatibility.rs measure: the symbols of the built library, of the
//! header and of the real libssl, and the rows of functions.tsv.

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
    let header = read("include/sslcache.h");
    let generated = header.find("struct SSLCACHE_STATS {").expect("the generated part");
    header[generated..]
        .lines()
        .filter(|line| !line.starts_with([' ', '/', '#', '}']))
        .filter_map(|line| line.split_once('('))
        .map(|(before, _)| before.rsplit([' ', '*']).next().unwrap().to_owned())
        .collect()
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

/// A line of compatibility/functions.tsv.
#[derive(Clone)]
pub struct Row {
    /// The function, or `SSL_CTX_ctrl` and its command.
    pub symbol: String,
    /// The manual page of OpenSSL.
    pub page: String,
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
        !self.standalone.starts_with(Row::ABSENT)
    }

    pub fn cells(&self) -> [&str; 7] {
        let Row { symbol, page, since, standalone, interposed, difference, test } = self;
        [symbol, page, since, standalone, interposed, difference, test]
    }
}

/// The lines of a table in compatibility/, cut into cells, without the heading.
pub fn cells(file: &str) -> Vec<Vec<String>> {
    let text = read(&format!("compatibility/{file}"));
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

pub fn rows() -> Vec<Row> {
    let row = |cells: Vec<String>| {
        let count = cells.len();
        let [symbol, page, since, standalone, interposed, difference, test] =
            cells.try_into().unwrap_or_else(|c| panic!("{count} cells, not 7: {c:?}"));
        Row { symbol, page, since, standalone, interposed, difference, test }
    };
    cells("functions.tsv").into_iter().map(row).collect()
}
