//! `sslcache completions`: what a shell needs to complete its arguments.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::Cli;
use crate::failure::{DONE, Done};

/// Print the completions of a shell.
#[derive(Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub fn run(&self) -> Done {
        clap_complete::generate(
            self.shell,
            &mut Cli::command(),
            "sslcache",
            &mut std::io::stdout(),
        );
        DONE
    }
}
