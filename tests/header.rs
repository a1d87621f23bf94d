//! The C header: generated from the exports, the same as OpenSSL's own, clean for every compiler.
//!
//! `SSLCACHE_BLESS=1 cargo test --test header` writes include/sslcache.h. Compilers that are not
//! installed are skipped by name; OpenSSL's headers are needed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;

/// What sslcache.h includes by itself: not its macros.
const STANDARD_HEADERS: &str =
    "#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <time.h>\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The committed header, written first if that is asked for.
fn committed() -> String {
    static WRITTEN: Once = Once::new();
    let path = root().join("include/sslcache.h");
    WRITTEN.call_once(|| {
        if std::env::var_os("SSLCACHE_BLESS").is_some_and(|v| v == "1") {
            std::fs::write(&path, generate()).unwrap();
        }
    });
    std::fs::read_to_string(&path).unwrap_or_default()
}

// ------------------------------------------------------------------------------- made and kept

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

/// Turns what only Rust readers know, a `# Safety` heading, into words for C programmers, and
/// comments into the only kind that C89 knows.
fn plain_words(header: &str) -> String {
    header
        .replace(" *\n * # Safety\n * ", " * Arguments: ")
        .replace("/**\n", "/*\n")
        .replace("/*\n     * ", "/* ")
        .replace("\n     */", " */")
        .replace("}  // extern \"C\"", "}")
        .replace(" // __cplusplus", "")
}

#[test]
fn the_committed_header_is_the_generated_one() {
    assert!(committed() == generate(), "include/sslcache.h is out of date: run `make header`");
}

#[test]
fn every_comment_is_one_that_c89_knows_and_says_safety_in_plain_words() {
    for line in committed().lines() {
        assert!(!line.contains("//") && !line.contains("# Safety"), "{line}");
    }
}

// ------------------------------------------------------------------------------- compilers

/// A scratch directory of one test, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("header-{test}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn installed(compiler: &str) -> bool {
    let found = Command::new(compiler).arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: {compiler} is not installed");
    }
    found
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Where a compiler keeps `stddef.h`.
fn own_headers(compiler: &str) -> String {
    let output = run(Command::new(compiler).arg("-print-file-name=include"));
    let path = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert!(Path::new(&path).is_absolute(), "{compiler} does not say where its headers are");
    path
}

/// A copy (of links) of the C library's headers without OpenSSL's among them.
fn headers_without_openssl(scratch: &Scratch) -> [PathBuf; 2] {
    let triplet = run(Command::new("gcc").arg("-print-multiarch"));
    let triplet = String::from_utf8(triplet.stdout).unwrap().trim().to_owned();
    let system = Path::new("/usr/include");
    let copies = [scratch.0.join("include"), scratch.0.join("include-arch")];
    for (copy, of) in copies.iter().zip([system.to_owned(), system.join(&triplet)]) {
        std::fs::create_dir_all(copy).unwrap();
        for entry in std::fs::read_dir(&of).into_iter().flatten().flatten() {
            if entry.file_name() != "openssl" {
                std::os::unix::fs::symlink(entry.path(), copy.join(entry.file_name())).unwrap();
            }
        }
    }
    copies
}

/// A compiler that finds no OpenSSL headers.
fn without_openssl(compiler: &str, headers: &[PathBuf; 2]) -> Command {
    let mut command = Command::new(compiler);
    command.args(["-nostdinc", "-isystem"]).arg(own_headers(compiler));
    for directory in headers {
        command.arg("-isystem").arg(directory);
    }
    command
}

fn plain(compiler: &str) -> Command {
    Command::new(compiler)
}

const STRICT: [&str; 5] = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"];

const DIALECTS: [(&str, &str, &[&str]); 4] = [
    ("gcc", "c", &["c89", "c99", "c11", "c17", "c2x"]),
    ("clang", "c", &["c89", "c99", "c11", "c17", "c2x"]),
    ("g++", "c++", &["c++11", "c++14", "c++17", "c++20"]),
    ("clang++", "c++", &["c++11", "c++14", "c++17", "c++20"]),
];

/// Compiles `source` in every dialect of every compiler that is installed.
fn compile_in_every_dialect(source: &Path, compiler_for: impl Fn(&str) -> Command) {
    compile(source, compiler_for, usize::MAX);
}

/// Compiles `source` in the oldest dialect of every compiler, which is the strictest.
fn compile_in_the_oldest_dialects(source: &Path) {
    compile(source, plain, 1);
}

fn compile(source: &Path, compiler_for: impl Fn(&str) -> Command, count: usize) {
    committed();
    for (compiler, language, dialects) in DIALECTS {
        if !installed(compiler) {
            continue;
        }
        for dialect in dialects.iter().take(count) {
            let output = run(compiler_for(compiler)
                .args(["-x", language, &format!("-std={dialect}")])
                .args(STRICT)
                .arg("-I")
                .arg(root().join("include"))
                .arg(source));
            assert!(output.status.success(), "{compiler} -std={dialect}:\n{}", stderr(&output));
        }
    }
}

#[test]
fn the_manual_page_has_every_counter_in_its_place() {
    let counters = |text: &str| -> Vec<String> {
        let fields = text.split("struct SSLCACHE_STATS {\n").nth(1).expect("the structure");
        let fields = fields.lines().take_while(|line| !line.starts_with("};"));
        let counters = fields.filter_map(|line| line.trim().strip_prefix("uint64_t "));
        counters.map(|rest| rest.split(';').next().unwrap().to_owned()).collect()
    };
    let page = std::fs::read_to_string(root().join("docs/man/sslcache.3")).unwrap();
    assert!(!counters(&page).is_empty());
    assert_eq!(counters(&page), counters(&committed()));
}

#[test]
fn a_program_compiles_in_every_dialect_with_openssl_headers() {
    compile_in_every_dialect(&root().join("tests/header/usage.c"), plain);
}

#[test]
fn a_program_compiles_in_every_dialect_without_openssl_headers() {
    let scratch = Scratch::new("without");
    let headers = headers_without_openssl(&scratch);
    let needs_openssl = scratch.write("needs.c", "#include <openssl/crypto.h>\n");
    let output = run(without_openssl("gcc", &headers).arg("-fsyntax-only").arg(needs_openssl));
    assert!(stderr(&output).contains("No such file"), "OpenSSL's headers are still found");

    let usage = root().join("tests/header/usage.c");
    compile_in_every_dialect(&usage, |compiler| without_openssl(compiler, &headers));
}

#[test]
fn other_openssl_headers_may_come_before_or_after() {
    let scratch = Scratch::new("order");
    for order in [
        "#include <openssl/err.h>\n#include <sslcache.h>\n",
        "#include <sslcache.h>\n#include <openssl/err.h>\n#include <openssl/x509.h>\n",
        "#include <openssl/ssl.h>\n#include <openssl/err.h>\n#include <openssl/pem.h>\n",
        "#include <openssl/crypto.h>\n#include <openssl/bio.h>\n#include <openssl/ssl.h>\n",
    ] {
        let source = scratch.write("order.c", &format!("{order}int main(void) {{ return 0; }}\n"));
        compile_in_the_oldest_dialects(&source);
    }
}

#[test]
fn a_program_that_counts_on_what_ssl_h_includes_compiles() {
    let scratch = Scratch::new("includes");
    let source = scratch.write(
        "includes.c",
        "#include <openssl/ssl.h>\n\
         int main(void)\n{\n    BIO *bio = BIO_new(BIO_s_mem());\n    X509 *x509 = X509_new();\n\
         \x20   unsigned long error = ERR_get_error() + OPENSSL_VERSION_NUMBER;\n\
         \x20   PEM_write_bio_X509(bio, x509);\n    X509_free(x509);\n    BIO_free(bio);\n\
         \x20   return error == 0 && EVP_sha256() != NULL && TLS1_3_VERSION != SSL3_RT_HANDSHAKE;\n}\n",
    );
    compile_in_the_oldest_dialects(&source);
}

// ------------------------------------------------------------------------------- beside OpenSSL's

/// Compiles the real ssl.h and `header` in one file. Only the latter's directory is ours, so that
/// `<openssl/ssl.h>` is OpenSSL's.
fn beside_the_real_one(scratch: &Scratch, header: &str, compiler: &str, source: &str) -> Output {
    scratch.write("beside/sslcache.h", header);
    let source = scratch.write("beside.c", &format!("{source}int main(void) {{ return 0; }}\n"));
    let language = if compiler.ends_with("++") { "c++" } else { "c" };
    run(Command::new(compiler)
        .args(["-x", language, "-I"])
        .arg(scratch.0.join("beside"))
        .args(STRICT)
        .args(["-Wno-deprecated-declarations", "-DREAL"])
        .arg(source))
}

const REAL_FIRST: &str = "#include <openssl/ssl.h>\n#ifndef OPENSSL_SSL_H\n#error not the real one\n#endif\n\
     #include <sslcache.h>\n";
const REAL_LAST: &str = "#include <sslcache.h>\n#include <openssl/ssl.h>\n";

#[test]
fn the_header_and_the_real_ssl_h_agree_in_one_file() {
    let scratch = Scratch::new("beside");
    for compiler in DIALECTS.map(|(compiler, ..)| compiler).into_iter().filter(|c| installed(c)) {
        for order in [REAL_FIRST, REAL_LAST] {
            let output = beside_the_real_one(&scratch, &committed(), compiler, order);
            assert!(output.status.success(), "{compiler}:\n{}", stderr(&output));
        }
    }
}

/// The functions that a header declares by itself, by name.
fn functions(header: &str) -> BTreeSet<String> {
    let start = header.find("struct SSLCACHE_STATS {").expect("the generated part");
    let mut found = BTreeSet::new();
    for line in header[start..].lines().filter(|line| !line.starts_with([' ', '/', '#', '}'])) {
        if let Some((before, _)) = line.split_once('(') {
            let name = before.rsplit([' ', '*']).next().unwrap();
            found.insert(name.to_owned());
        }
    }
    found
}

/// The same header with every function returning something else.
fn with_wrong_results(header: &str) -> String {
    let mut wrong = String::new();
    for name in functions(header) {
        wrong.push_str(&format!("struct wrong *{name}(void);\n"));
    }
    format!("struct wrong;\n{wrong}")
}

#[test]
fn a_wrong_prototype_is_caught_for_every_function_of_openssl() {
    let scratch = Scratch::new("wrong");
    let header = committed();
    let names = functions(&header);
    assert!(names.len() > 100 && names.contains("SSL_CTX_add_session"), "{names:?}");
    let wrong = with_wrong_results(&header);
    let caught = stderr(&beside_the_real_one(&scratch, &wrong, "gcc", REAL_FIRST));
    let caught: BTreeSet<_> = caught
        .lines()
        .filter_map(|line| line.split_once("conflicting types for ‘"))
        .map(|(_, rest)| rest.split('’').next().unwrap().to_owned())
        .collect();
    // Ours, and OpenSSL's of a later release than the headers installed.
    let real = real_functions(&scratch);
    let expected: BTreeSet<_> = names.intersection(&real).cloned().collect();
    assert!(expected.len() > 90, "{expected:?}");
    assert_eq!(caught, expected);
}

/// The identifiers in the real ssl.h and what it includes.
fn real_functions(scratch: &Scratch) -> BTreeSet<String> {
    let source = scratch.write("real.c", "#include <openssl/ssl.h>\n");
    let output = run(Command::new("gcc").args(["-E", "-P"]).arg(source));
    String::from_utf8(output.stdout)
        .unwrap()
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_small_slip_in_a_prototype_is_caught() {
    let scratch = Scratch::new("slip");
    let header = committed();
    for (right, wrong) in [
        ("int SSL_CTX_add_session(SSL_CTX *ctx,", "long SSL_CTX_add_session(SSL_CTX *ctx,"),
        (
            "int SSL_SESSION_up_ref(SSL_SESSION *ses)",
            "int SSL_SESSION_up_ref(const SSL_SESSION *ses)",
        ),
        ("unsigned int *len);", "size_t *len);"),
        ("int (*SSLCACHE_NEW_CB)(SSL *ssl,", "int (*SSLCACHE_NEW_CB)(const SSL *ssl,"),
        (
            "const unsigned char *id, int id_len, int *copy)",
            "unsigned char *id, int id_len, int *copy)",
        ),
    ] {
        assert!(header.contains(right), "not in the header: {right}");
        let header = header.replacen(right, wrong, 1);
        let output = beside_the_real_one(&scratch, &header, "gcc", REAL_FIRST);
        assert!(stderr(&output).contains("conflicting types"), "not caught: {wrong}");
    }
}

// ------------------------------------------------------------------------------- macros

/// A macro as the preprocessor lists it: its parameters if it has any.
type Macros = BTreeMap<String, Option<String>>;

/// The macros that are defined after `source`.
fn macros(mut compiler: Command, scratch: &Scratch, source: &str) -> Macros {
    let source = scratch.write("macros.c", source);
    let output = run(compiler.args(["-E", "-dM"]).arg(source));
    assert!(output.status.success(), "{}", stderr(&output));
    let output = String::from_utf8(output.stdout).unwrap();
    let definitions = output.lines().filter_map(|line| line.strip_prefix("#define "));
    definitions
        .map(|definition| {
            let end = definition.find([' ', '(']).unwrap_or(definition.len());
            let parameters = definition[end..]
                .strip_prefix('(')
                .map(|rest| rest.split_once(')').expect("the end of the parameters").0.to_owned());
            (definition[..end].to_owned(), parameters)
        })
        .collect()
}

/// The macros that stand for one of OpenSSL's: not our own, not the include guard.
fn macros_of_openssl(scratch: &Scratch, headers: &[PathBuf; 2], header: &str) -> Macros {
    let gcc = || without_openssl("gcc", headers);
    let ours = macros(gcc(), scratch, &format!("{STANDARD_HEADERS}{header}"));
    let standard = macros(gcc(), scratch, STANDARD_HEADERS);
    ours.into_iter()
        .filter(|(name, _)| !standard.contains_key(name) && !name.starts_with("SSLCACHE_"))
        .collect()
}

/// What `expressions` are after the preprocessor, without white space.
fn expand(
    mut compiler: Command,
    scratch: &Scratch,
    include: &str,
    expressions: &[String],
) -> Vec<String> {
    const MARK: &str = "EXPANSION";
    let lines: String = expressions.iter().map(|e| format!("{MARK} {e} ;\n")).collect();
    let source = scratch.write("expand.c", &format!("{include}\n{MARK}\n{lines}"));
    let output = run(compiler.args(["-E", "-P"]).arg(source));
    let text: String = String::from_utf8(output.stdout).unwrap();
    text.split(MARK).skip(2).map(|e| e.chars().filter(|c| !c.is_whitespace()).collect()).collect()
}

/// The values of integer macros, by a program that prints them.
fn values(mut compiler: Command, scratch: &Scratch, include: &str, names: &[&String]) -> String {
    let lines: String =
        names.iter().map(|n| format!("    printf(\"{n}=%lld\\n\", (long long)({n}));\n")).collect();
    let source =
        format!("{include}\n#include <stdio.h>\nint main(void)\n{{\n{lines}    return 0;\n}}\n");
    let source = scratch.write("values.c", &source);
    let program = scratch.0.join("values");
    let output = run(compiler.arg("-o").arg(&program).arg(source));
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(run(&mut Command::new(&program)).stdout).unwrap()
}

/// The names of macros whose value or expansion is not that of OpenSSL's headers.
fn macros_that_differ(scratch: &Scratch, header: &str) -> Vec<String> {
    let headers = headers_without_openssl(scratch);
    let ours = macros_of_openssl(scratch, &headers, header);
    let real = "#include <openssl/ssl.h>";
    let gcc = || without_openssl("gcc", &headers);
    let mut differ = Vec::new();

    let (calls, plain): (Vec<_>, Vec<_>) =
        ours.iter().partition(|(_, arguments)| arguments.is_some());
    let calls: Vec<_> =
        calls.iter().map(|(n, a)| format!("{n}({})", a.as_ref().unwrap())).collect();
    let plain: Vec<_> = plain.into_iter().map(|(name, _)| name).collect();
    // Another name of a function has no value; what it stands for is compared.
    let (renames, numbers): (Vec<_>, Vec<_>) =
        plain.into_iter().partition(|name| name.ends_with("_method") || name.ends_with("_session"));
    let expressions: Vec<_> = calls.into_iter().chain(renames.into_iter().cloned()).collect();
    let expanded = expand(gcc(), scratch, header, &expressions);
    let expected = expand(Command::new("gcc"), scratch, real, &expressions);
    assert_eq!((expanded.len(), expected.len()), (expressions.len(), expressions.len()));
    for ((expression, got), expected) in expressions.iter().zip(expanded).zip(expected) {
        // Casts of a BIO's functions: OpenSSL hides them in macros of asn1.h; usage.c compiles
        // both.
        if got != expected
            && !expression.contains("2i_SSL_SESSION_bio")
            && !expression.contains("2d_SSL_SESSION_bio")
        {
            differ.push(format!("{expression}: {got} is {expected}"));
        }
    }

    assert!(expressions.len() > 35 && numbers.len() > 60, "too few: {expressions:?} {numbers:?}");
    let got = values(gcc(), scratch, header, &numbers);
    let expected = values(Command::new("gcc"), scratch, real, &numbers);
    assert_eq!(expected.lines().count(), numbers.len());
    let pairs = got.lines().zip(expected.lines()).filter(|(got, expected)| got != expected);
    differ.extend(pairs.map(|(got, expected)| format!("{got} is {expected}")));
    differ
}

#[test]
fn every_macro_is_what_it_is_in_openssl() {
    assert_eq!(macros_that_differ(&Scratch::new("macros"), &committed()), Vec::<String>::new());
}

#[test]
fn a_wrong_macro_is_caught() {
    let scratch = Scratch::new("wrong-macros");
    let header = committed()
        .replacen("SSL_SESS_CACHE_SERVER 0x0002", "SSL_SESS_CACHE_SERVER 0x0004", 1)
        .replacen("ctx, SSL_CTRL_SESS_HIT, 0", "ctx, SSL_CTRL_SESS_CB_HIT, 0", 1)
        .replacen("SSLv23_method TLS_method", "SSLv23_method TLSv1_method", 1);
    let differ = macros_that_differ(&scratch, &header);
    let names: Vec<_> = differ.iter().map(|d| d.split([':', '=']).next().unwrap()).collect();
    let expected =
        ["SSL_CTX_sess_hits(ctx)", "SSLv23_method", "SSL_SESS_CACHE_BOTH", "SSL_SESS_CACHE_SERVER"];
    assert_eq!(names, expected, "{differ:?}");
}

#[test]
fn the_rust_constants_are_openssls() {
    let scratch = Scratch::new("constants");
    let rust = std::fs::read_to_string(root().join("src/ffi/constants.rs")).unwrap();
    let mut checks = String::new();
    for line in rust.lines().filter_map(|line| line.strip_prefix("pub const ")) {
        let (name, rest) = line.split_once(':').unwrap();
        let value = rest.split_once('=').unwrap().1.trim_end_matches(';');
        checks.push_str(&format!(
            "#ifdef {name}\n    checked++;\n    if ((long long)({name}) != (long long)({value}))\n\
             \x20       printf(\"{name} is %lld\\n\", (long long)({name}));\n#endif\n"
        ));
    }
    let source = format!(
        "#include <stdio.h>\n#include <openssl/ssl.h>\n#include <openssl/err.h>\n\
         int main(void)\n{{\n    int checked = 0;\n{checks}    printf(\"%d\\n\", checked);\n    return 0;\n}}\n"
    );
    let source = scratch.write("constants.c", &source);
    let program = scratch.0.join("constants");
    let output = run(Command::new("gcc").arg("-o").arg(&program).arg(source));
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = String::from_utf8(run(&mut Command::new(&program)).stdout).unwrap();
    let checked: usize = printed.trim().parse().unwrap_or_else(|_| panic!("{printed}"));
    assert!(checked > 45, "only {checked} constants are known to OpenSSL's headers");
}
