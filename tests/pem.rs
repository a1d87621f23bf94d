//! PEM without libcrypto, against libcrypto: tests/pem/pem.c makes texts from seeds and reads them.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use support::{library, root};

/// The program, linked with these.
fn build(name: &str, arguments: &[&str]) -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut compiler = Command::new("cc");
    compiler.args(["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror"]);
    compiler.arg(root().join("tests/pem/pem.c")).args(arguments).arg("-o").arg(&program);
    assert!(compiler.status().unwrap().success(), "needs OpenSSL's headers and libraries");
    program
}

/// What the program prints.
fn run(program: &Path, arguments: &[u64]) -> String {
    let mut command = Command::new("timeout");
    command.arg("300").arg(program).args(arguments.iter().map(u64::to_string));
    // The name by which the program asks for the library.
    command.env("LD_LIBRARY_PATH", env!("CARGO_TARGET_TMPDIR"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}: {}", program.display(), output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn with_the_library() -> PathBuf {
    let soname = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libsslcache.so.0");
    let _ = std::fs::remove_file(&soname);
    std::os::unix::fs::symlink(library(), &soname).unwrap();
    let include = format!("-I{}", root().join("include").display());
    build("pem-sslcache", &[&include, soname.to_str().unwrap()])
}

#[test]
fn without_libcrypto_pem_is_read_as_libcrypto_reads_it() {
    let oracle = build("pem-libcrypto", &["-lssl", "-lcrypto"]);
    let ours = with_the_library();
    let linked = Command::new("ldd").arg(&ours).output().unwrap().stdout;
    assert!(!String::from_utf8(linked).unwrap().contains("libcrypto"));

    let fresh = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
    for (first, count) in [(1, 4000), (fresh, 2000)] {
        let expected = run(&oracle, &[first, count]);
        let got = run(&ours, &[first, count]);
        let both = expected.lines().zip(got.lines());
        let differing: Vec<_> = both.filter(|(expected, got)| expected != got).collect();
        assert!(
            differing.is_empty(),
            "{} of {count} seeds differ, first libcrypto:\n{}\n{}\n(pem-libcrypto --show SEED)",
            differing.len(),
            differing[0].0,
            differing[0].1,
        );
        let sessions = expected.matches(" bytes ").count() as u64;
        assert!(sessions > count / 10, "the texts say something: {sessions} sessions");
        assert_eq!(got.lines().count() as u64, count);
    }
}
