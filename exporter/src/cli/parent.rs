//! Child processes that end with the process that started them.

use std::os::unix::process::CommandExt;
use std::process::Command;

use clap::Args;
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use super::failure::Failure;

/// Who started this process.
#[derive(Args, Debug)]
pub(super) struct Parent {
    #[arg(long = "parent")]
    pid: i32,
}

impl Parent {
    /// The arguments that tell a child about this process.
    fn arguments() -> [String; 2] {
        ["--parent".to_owned(), std::process::id().to_string()]
    }

    /// From now on the kernel kills this process when the *thread* that started it ends, so
    /// children are started from threads that stay.
    pub(super) fn die_with_it(&self) -> Result<(), Failure> {
        let watched = set_parent_process_death_signal(Some(Signal::KILL));
        watched.map_err(|error| Failure::Failed(format!("cannot watch the parent: {error}")))?;
        // It may have ended before the line above.
        let parent = getppid().map(|pid| pid.as_raw_nonzero().get());
        if parent == Some(self.pid) {
            Ok(())
        } else {
            Err(Failure::Failed("the parent is gone".to_owned()))
        }
    }
}

/// This program, to be started again; the same one even if its file has been replaced.
pub(super) fn own_program(subcommand: &str) -> Command {
    let mut program = Command::new("/proc/self/exe");
    program
        .arg0("tallyboard")
        .arg(subcommand)
        .args(Parent::arguments());
    program
}
