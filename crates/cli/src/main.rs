//! The command `sslcache`: runs programs with the library in front of libssl, and looks into what
//! processes share. A verb is a file; what several of them need:
//!
//! | file | knows |
//! | --- | --- |
//! | `failure` | how a verb ends, above all if it cannot do what it is told |
//! | `place` | where a segment is, and its keys |
//! | `processes` | what runs on this machine, and what it has mapped |
//! | `library` | where the library is, and what it has seen in a process |
//! | `program` | what can be told of a program before it runs |
//! | `advice` | why nothing happens, and what would make it happen |
//! | `show` | numbers, as people read them |

mod advice;
mod check;
mod completions;
mod create;
mod dump;
mod failure;
mod flush;
mod gc;
mod info;
mod library;
mod place;
mod processes;
mod program;
mod resize;
mod rotate;
mod run;
mod show;
mod stat;
mod top;
mod unit;
mod who;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// One cache of TLS sessions in front of libssl: run programs with it, and look into it.
#[derive(Parser)]
#[command(name = "sslcache", version, arg_required_else_help = true)]
#[command(after_help = "Exit status: 0 done; 1 the answer is no; 2 it cannot be done. \
    See sslcache(1).")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Run(run::Run),
    Who(who::Who),
    Info(info::Info),
    Enable(unit::Enable),
    Disable(unit::Disable),
    Stat(stat::Stat),
    Top(top::Top),
    Dump(dump::Dump),
    Check(check::Check),
    Create(create::Create),
    Resize(resize::Resize),
    Rotate(rotate::Rotate),
    Flush(flush::Flush),
    Gc(gc::Gc),
    Completions(completions::Completions),
}

fn main() -> ExitCode {
    end_with_the_pipe();
    let done = match Cli::parse().verb {
        Verb::Run(run) => run.run(),
        Verb::Who(who) => who.run(),
        Verb::Info(info) => info.run(),
        Verb::Enable(enable) => enable.run(),
        Verb::Disable(disable) => disable.run(),
        Verb::Stat(stat) => stat.run(),
        Verb::Top(top) => top.run(),
        Verb::Dump(dump) => dump.run(),
        Verb::Check(check) => check.run(),
        Verb::Create(create) => create.run(),
        Verb::Resize(resize) => resize.run(),
        Verb::Rotate(rotate) => rotate.run(),
        Verb::Flush(flush) => flush.run(),
        Verb::Gc(gc) => gc.run(),
        Verb::Completions(completions) => completions.run(),
    };
    done.unwrap_or_else(|failure| {
        eprintln!("sslcache: {failure}");
        failure.code()
    })
}

/// What reads the output may stop reading: then the command ends, as others do.
fn end_with_the_pipe() {
    // SAFETY: nothing else has begun yet.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}
