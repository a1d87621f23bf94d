//! The symbols of the shared library: those of the header, all of them libssl's or our own.

mod support;

use std::collections::BTreeSet;

use support::{Row, declared, exports, library, rows, session_api, system_library};

fn minus(a: &BTreeSet<String>, b: &BTreeSet<String>) -> Vec<String> {
    a.difference(b).cloned().collect()
}

#[test]
fn exports_are_the_functions_of_the_header() {
    let (exported, declared) = (exports(&library()), declared());
    assert!(exported.len() > 100 && exported.contains("SSL_CTX_add_session"), "{exported:?}");
    assert_eq!(minus(&exported, &declared), [""; 0], "exported, but not in the header");
    assert_eq!(minus(&declared, &exported), [""; 0], "in the header, but not exported");
}

#[test]
fn exports_are_libssls_or_our_own_and_never_libcryptos() {
    let libssl = exports(&system_library("libssl.so.3"));
    let libcrypto = exports(&system_library("libcrypto.so.3"));
    let later: BTreeSet<String> =
        rows().into_iter().filter(|row| row.since.as_str() > "3.0").map(|row| row.symbol).collect();
    for name in exports(&library()) {
        let known = libssl.contains(&name) || later.contains(&name);
        assert!(known || name.starts_with("SSLCACHE_"), "{name} is not libssl's");
        assert!(!libcrypto.contains(&name), "{name} is libcrypto's");
    }
}

#[test]
fn every_symbol_of_the_session_api_is_exported_or_said_not_to_be() {
    let exported = exports(&library());
    let absent: BTreeSet<String> =
        rows().into_iter().filter(|row| !row.is_exported()).map(|row| row.symbol).collect();
    let api = session_api();
    assert!(api.len() > 110, "only {}: {api:?}", api.len());
    for name in &api {
        let (here, said) = (exported.contains(name), absent.contains(name));
        assert!(
            here || said,
            "{name} is neither exported nor \"{}\" in functions.tsv",
            Row::ABSENT
        );
        assert!(!(here && said), "{name} is exported; functions.tsv says \"{}\"", Row::ABSENT);
    }
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    let output =
        std::process::Command::new(program).args(arguments).arg(library()).output().unwrap();
    assert!(output.status.success(), "{program}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn exports_have_no_version() {
    let listing = output_of("nm", &["-D", "--defined-only"]);
    assert!(listing.contains(" T SSL_CTX_add_session"), "{listing}");
    assert!(!listing.contains('@'), "{listing}");
}

#[test]
fn the_soname_is_that_of_the_major_version() {
    let dynamic = output_of("readelf", &["-d"]);
    let soname = format!("soname: [libsslcache.so.{}]", env!("CARGO_PKG_VERSION_MAJOR"));
    assert!(dynamic.contains(&soname), "{dynamic}");
}

/// libssl, libcrypto and the C library keep pointers to its functions.
#[test]
fn the_library_is_never_unloaded() {
    let dynamic = output_of("readelf", &["-d"]);
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

#[test]
fn the_library_needs_neither_libssl_nor_libcrypto() {
    let dynamic = output_of("readelf", &["-d"]);
    assert!(dynamic.contains("NEEDED") && dynamic.contains("libc.so"), "{dynamic}");
    assert!(!dynamic.contains("libssl.so") && !dynamic.contains("libcrypto.so"), "{dynamic}");
}
