//! Compiles the C programs, for both libraries.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Which library a program runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// libssl alone, with an empty library preloaded: what preloading itself costs is not ours.
    Libssl,
    /// libsslcache, without a libssl in the process.
    Standalone,
    /// libssl with libsslcache in front.
    Interposed,
}

impl Side {
    pub const ALL: [Side; 3] = [Side::Libssl, Side::Standalone, Side::Interposed];
}

/// Where the compiled programs are.
pub struct Programs {
    directory: PathBuf,
}

impl Programs {
    /// The command that runs a program on one side.
    pub fn command(&self, program: &str, side: Side) -> Command {
        let built_for = if side == Side::Standalone { "standalone" } else { "libssl" };
        let mut command = Command::new(self.directory.join(format!("{program}-{built_for}")));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SSLCACHE_") {
                command.env_remove(name);
            }
        }
        self.preload(&mut command, side);
        command
    }

    /// Has a command run on one side that is not of the programs here.
    pub fn preload(&self, command: &mut Command, side: Side) {
        match side {
            Side::Libssl => command.env("LD_PRELOAD", self.directory.join(EMPTY)),
            Side::Standalone => command,
            Side::Interposed => command.env("LD_PRELOAD", self.directory.join(LIBRARY)),
        };
    }

    /// Where there is room for files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

const LIBRARY: &str = "libsslcache.so.0";
const EMPTY: &str = "empty.so";
const PROGRAMS: [&str; 5] = ["lookup", "store", "mix", "pause", "memory"];
/// What there is only for libssl.
const FOR_LIBSSL: [&str; 1] = ["clients"];
const FLAGS: [&str; 6] =
    ["-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-DOPENSSL_SUPPRESS_DEPRECATED"];

/// The root of the source tree.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn target() -> PathBuf {
    // target/release/deps/compare-1234
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(3).map_or_else(|| root().join("target"), Path::to_path_buf)
}

/// Builds all programs. The library is copied first: a build meanwhile changes nothing.
pub fn build(library: Option<&Path>) -> Result<Programs, String> {
    let directory = target().join("compare");
    std::fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let built = target().join("release/libsslcache.so");
    let library = library.unwrap_or(&built);
    std::fs::copy(library, directory.join(LIBRARY))
        .map_err(|e| format!("{}: {e} (cargo build --release makes it)", library.display()))?;
    for program in PROGRAMS {
        compile(&directory, program, Side::Libssl)?;
        compile(&directory, program, Side::Standalone)?;
    }
    for program in FOR_LIBSSL {
        compile(&directory, program, Side::Libssl)?;
    }
    build_empty(&directory)?;
    build_handshakes(&directory)?;
    Ok(Programs { directory })
}

fn compiler() -> Command {
    Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
}

fn compile(directory: &Path, program: &str, side: Side) -> Result<(), String> {
    let sources = root().join("benches/c");
    let mut cc = compiler();
    cc.args(FLAGS).arg(sources.join(format!("{program}.c"))).arg(sources.join("measure.c"));
    match side {
        Side::Standalone => {
            // Our own <openssl/ssl.h>, if it is there, stands in front of OpenSSL's.
            cc.arg("-I").arg(root().join("include"));
            cc.arg("-o").arg(directory.join(format!("{program}-standalone")));
            cc.arg(directory.join(LIBRARY)).arg("-lcrypto");
            cc.arg(format!("-Wl,-rpath,{}", directory.display()));
        }
        Side::Libssl | Side::Interposed => {
            cc.arg("-o")
                .arg(directory.join(format!("{program}-libssl")))
                .args(["-lssl", "-lcrypto"]);
        }
    }
    succeed(cc.arg("-lpthread"), &format!("compiling {program}.c"))
}

/// A library with nothing in it.
fn build_empty(directory: &Path) -> Result<(), String> {
    let mut cc = compiler();
    cc.args(["-shared", "-fPIC", "-x", "c", "/dev/null", "-o"]).arg(directory.join(EMPTY));
    succeed(&mut cc, "making an empty library")
}

/// The handshakes are those of the conformance tests.
fn build_handshakes(directory: &Path) -> Result<(), String> {
    let mut make = Command::new("make");
    make.arg("-s").arg("-C").arg(root().join("tests-c/handshake"));
    make.arg(format!("BUILD={}", directory.join("handshake").display()));
    make.arg(directory.join("handshake/rate"));
    succeed(&mut make, "compiling rate.c")?;
    let (from, to) = (directory.join("handshake/rate"), directory.join("rate-libssl"));
    std::fs::copy(&from, to).map(drop).map_err(|e| format!("{}: {e}", from.display()))
}

fn succeed(command: &mut Command, doing: &str) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{doing}: {status}")),
        Err(e) => Err(format!("{doing}: {e}")),
    }
}
