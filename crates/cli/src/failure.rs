//! How a verb ends; if it cannot do what it is told, with a sentence that says what is wrong and what to
//! do, and an exit status.

use std::fmt;
use std::process::ExitCode;

/// How each verb ends.
pub type Done = Result<ExitCode, Failure>;

/// All is well.
pub const DONE: Done = Ok(ExitCode::SUCCESS);

/// What is wrong.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    sentence: String,
}

impl Failure {
    /// It cannot be done: 2.
    pub fn new(sentence: impl fmt::Display) -> Self {
        Failure { code: 2, sentence: sentence.to_string() }
    }

    /// The same with another exit status.
    pub fn with_code(code: u8, sentence: impl fmt::Display) -> Self {
        Failure { code, sentence: sentence.to_string() }
    }

    /// The exit status.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// Says of an error what it is about.
pub trait About<T> {
    /// `what: error`
    fn about(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> About<T> for Result<T, E> {
    fn about(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format_args!("{what}: {error}")))
    }
}
