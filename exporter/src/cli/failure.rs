//! How a command ends when it does not succeed.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// Why a command failed. `main` turns it into one line on stderr and an exit status.
#[derive(Debug)]
pub(super) enum Failure {
    /// Status 2: the command line makes no sense, as far as clap cannot tell.
    Usage(String),
    /// Status 1: it could not be done.
    Failed(String),
    /// Status 1: it was done, and what it found is on stdout already.
    Found,
    /// Status 0: whoever read our output has read enough.
    OutputClosed,
}

impl Failure {
    pub(super) fn failed(reason: impl Display) -> Self {
        Self::Failed(reason.to_string())
    }

    /// Says it and returns the exit status.
    pub(super) fn report(self) -> ExitCode {
        let (message, status) = match self {
            Self::Usage(message) => (message, 2),
            Self::Failed(message) => (message, 1),
            Self::Found => return ExitCode::from(1),
            Self::OutputClosed => return ExitCode::SUCCESS,
        };
        // One line, whatever an operating system or a name has put into it.
        eprintln!("tallyboard: {}", message.replace(['\n', '\r'], " "));
        ExitCode::from(status)
    }
}

/// Only output goes through `?` as an `io::Error`; everything else says what it was doing.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::OutputClosed
        } else {
            Self::Failed(format!("cannot write the output: {error}"))
        }
    }
}

impl From<tallyboard::OpenError> for Failure {
    fn from(error: tallyboard::OpenError) -> Self {
        Self::failed(error)
    }
}

impl From<tallyboard::RegisterError> for Failure {
    fn from(error: tallyboard::RegisterError) -> Self {
        Self::failed(error)
    }
}
