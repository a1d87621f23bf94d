//! `sslcache run`: a program with the library in front of its libssl.
//!
//! The command stays the program's parent: signals that are sent to it go on to the program, it
//! ends as the program ends, and meanwhile it looks whether the library does anything, and says so
//! if not.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use clap::Args;

use crate::advice::State;
use crate::failure::{About, Done, Failure};
use crate::processes;
use crate::program::{self, Program};
use crate::unit::Settings;

/// Run a program with the library in front of its libssl.
///
/// After some seconds it says on standard error why nothing happens, if nothing does, and which
/// setting would change that.
#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    settings: Settings,
    /// Become the program, instead of watching it: for a service manager
    #[arg(long)]
    exec: bool,
    /// Say nothing about the program
    #[arg(long, short)]
    quiet: bool,
    /// Seconds until it is looked at
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    after: u64,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

/// How often the program is looked at, at most.
const LOOKS: u32 = 60;

impl Run {
    pub fn run(&self) -> Done {
        let library = self.settings.library()?;
        let variables = self.settings.variables()?;
        let (name, arguments) =
            self.program.split_first().ok_or_else(|| Failure::new("no program"))?;
        let program = program::look_at(name, &library)?;
        let mut command = Command::new(name);
        command.args(arguments).envs(variables).env("LD_PRELOAD", in_front(&library));
        if self.exec {
            return Err(not_started(name, command.exec()));
        }
        let signals = Signals::block()?;
        let child = signals.start(command).map_err(|error| not_started(name, error))?;
        let shown = name.to_string_lossy();
        let watch = Watch::new(self, &shown, program, child.id());
        let status = signals.wait(child, watch)?;
        Ok(exit_code(status))
    }
}

fn not_started(name: &OsStr, error: io::Error) -> Failure {
    Failure::with_code(126, format_args!("{}: {error}", Path::new(name).display()))
}

/// The library before what is there already.
fn in_front(library: &Path) -> OsString {
    let mut value = library.as_os_str().to_owned();
    if let Some(others) = std::env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
        value.push(":");
        value.push(others);
    }
    value
}

/// As a shell has it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// Signals that wait until they are asked for.
struct Signals {
    those: libc::sigset_t,
    before: libc::sigset_t,
}

/// What goes on to the program, and that it has ended.
const SIGNALS: [libc::c_int; 8] = [
    libc::SIGCHLD,
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGWINCH,
];

impl Signals {
    fn block() -> Result<Self, Failure> {
        // SAFETY: structures of integers, for which zeros are a value.
        let (mut those, mut before) = unsafe { std::mem::zeroed() };
        // SAFETY: places for sets, which are sets from then on; no other thread has begun.
        let failed = unsafe {
            libc::sigemptyset(&mut those);
            for signal in SIGNALS {
                libc::sigaddset(&mut those, signal);
            }
            libc::sigprocmask(libc::SIG_BLOCK, &those, &mut before)
        };
        if failed != 0 {
            return Err(io::Error::last_os_error()).about("signals");
        }
        Ok(Signals { those, before })
    }

    /// Starts a program, for which no signal waits.
    fn start(&self, mut command: Command) -> io::Result<Child> {
        let before = self.before;
        let unblock = move || {
            // SAFETY: a set.
            match unsafe { libc::sigprocmask(libc::SIG_SETMASK, &before, std::ptr::null_mut()) } {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        };
        // SAFETY: it makes one system call.
        unsafe { command.pre_exec(unblock) };
        command.spawn()
    }

    /// Until the program has ended.
    fn wait(&self, mut child: Child, mut watch: Watch<'_>) -> Result<ExitStatus, Failure> {
        loop {
            match self.next(watch.next_look()) {
                Some((libc::SIGCHLD, _)) => {
                    if let Some(status) = child.try_wait().about("wait")? {
                        return Ok(status);
                    }
                }
                // A terminal sends its signals to the program, too.
                Some((signal, true)) => {
                    // SAFETY: the program is this process's child, and not waited for yet.
                    unsafe { libc::kill(child.id() as libc::pid_t, signal) };
                }
                Some(_) => {}
                None => watch.look(),
            }
        }
    }

    /// The next signal, and whether a process has sent it; `None` after this time.
    fn next(&self, after: Option<Duration>) -> Option<(libc::c_int, bool)> {
        // SAFETY: a structure of integers, for which zeros are a value.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let time = after.map(|after| libc::timespec {
            tv_sec: after.as_secs() as libc::time_t,
            tv_nsec: after.subsec_nanos().into(),
        });
        let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: a set, a place for the answer, and NULL or a time.
        let signal = unsafe { libc::sigtimedwait(&self.those, &mut info, time) };
        (signal > 0).then_some((signal, info.si_code <= 0))
    }
}

/// Looks at the program now and then, and says what has changed.
struct Watch<'a> {
    name: &'a str,
    program: Program,
    pid: u32,
    next: Option<Instant>,
    every: Duration,
    looks: u32,
    said: Option<&'static str>,
}

impl<'a> Watch<'a> {
    fn new(run: &Run, name: &'a str, program: Program, pid: u32) -> Self {
        let every = Duration::from_secs(run.after);
        let next = (!run.quiet).then(|| Instant::now() + every);
        Watch { name, program, pid, next, every, looks: 0, said: None }
    }

    fn next_look(&self) -> Option<Duration> {
        self.next.map(|next| next.saturating_duration_since(Instant::now()))
    }

    fn look(&mut self) {
        if self.next.is_none_or(|next| next > Instant::now()) {
            return;
        }
        let mut state = State::of(&processes::family(self.pid));
        state.has_openssl = self.program.has_openssl;
        let advice = state.advice();
        if self.said != Some(advice.sentence) && !(advice.works && self.said.is_none()) {
            eprintln!("sslcache: {} ({}): {}", self.name, self.pid, advice.sentence);
            self.said = Some(advice.sentence);
        }
        self.looks += 1;
        let over = advice.works || self.looks == LOOKS;
        self.next = (!over).then(|| Instant::now() + self.every.max(Duration::from_secs(1)));
    }
}
