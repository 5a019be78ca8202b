//! How a command ends when it does not succeed.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;

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

    /// What clap found, as one line: what is wrong, what it suggests, and where to read on.
    /// `None` for `--help` and `--version`, and for the help that no command at all gets.
    pub(super) fn from_usage(error: &clap::Error, command: &clap::Command) -> Option<Self> {
        let asked_for_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        if !error.use_stderr() || asked_for_help {
            return None;
        }
        // What clap renders: `error: ` and what is wrong, over several lines if it is a
        // list; paragraphs with tips; the usage; where to read on.
        let text = error.render().to_string();
        let lines = text.lines().map(str::trim);
        let lines = lines.take_while(|line| !line.starts_with("Usage:"));
        let lines = lines.filter(|line| !line.starts_with("For more information"));
        let paragraphs = lines.collect::<Vec<_>>();
        let paragraphs = paragraphs
            .split(|line| line.is_empty())
            .filter(|lines| !lines.is_empty())
            .map(|lines| lines.join(" "))
            .collect::<Vec<_>>()
            .join("; ");
        let problem = paragraphs.strip_prefix("error: ").unwrap_or(&paragraphs);
        let subcommand = std::env::args_os().nth(1);
        let subcommand = subcommand.and_then(|name| command.find_subcommand(name));
        let about = subcommand.map_or_else(String::new, |known| format!(" {}", known.get_name()));
        Some(Self::Usage(format!(
            "{problem}; see `tallyboard{about} --help`"
        )))
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
