//! The C header: generated from the exports, the same as OpenSSL's, clean for every compiler.

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The header as it follows from src/exports, cbindgen.toml and Cargo.toml.
fn generate() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let mut header = Vec::new();
    cbindgen::Builder::new()
        .with_crate(root())
        .with_config(config)
        .generate()
        .expect("cbindgen reads the crate")
        .write(&mut header);
    plain_words(&String::from_utf8(header).unwrap())
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@MAJOR@", env!("CARGO_PKG_VERSION_MAJOR"))
        .replace("@MINOR@", env!("CARGO_PKG_VERSION_MINOR"))
        .replace("@PATCH@", env!("CARGO_PKG_VERSION_PATCH"))
}

/// Turns what only Rust readers know, a `# Safety` heading, into words for C programmers, and comments
/// into the only kind that C89 knows.
fn plain_words(header: &str) -> String {
    header
        .replace(" *\n * # Safety\n * None: any thread", " * Thread safety: any thread")
        .replace(" *\n * # Safety\n * ", " * Arguments: ")
        .replace("/**\n", "/*\n")
        .replace("/*\n     * ", "/* ")
        .replace("\n     */", " */")
        .replace("}  // extern \"C\"", "}")
        .replace(" // __cplusplus", "")
}

#[test]
fn the_committed_header_is_the_generated_one() {
    let path = root().join("include/sslcache.h");
    let generated = generate();
    if std::env::var_os("SSLCACHE_BLESS").is_some_and(|v| v == "1") {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "include/sslcache.h is out of date: run `make header`");
}
