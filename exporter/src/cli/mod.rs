//! The command line.

mod bench;
mod board_option;
mod check;
mod create;
mod demo;
mod digits;
mod dump;
mod expire;
mod failure;
mod generate;
mod import_multiproc;
mod inc;
mod logging;
mod made_boards;
mod metric;
mod observe;
mod parent;
mod ps;
mod rm;
mod serve;
mod served_boards;
mod service_manager;
mod set;
mod signals;
mod table;
mod temporary_board;
mod textfile;
mod top;

use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use failure::Failure;

const AFTER_HELP: &str = "\
Boards:
  A board is a piece of shared memory that any number of processes count on. It is
  given as a path (/run/tallyboard/web.v1.board), as a name (web), or as shm:NAME.
  A name is looked up in $TALLYBOARD_DIR; else in /run/tallyboard, if this process
  may write there; else in /dev/shm/tallyboard.<uid>.

Environment:
  TALLYBOARD        the board to use when --board is not given
  TALLYBOARD_DIR    where names are looked up
  TALLYBOARD_RSEQ   `off` makes this process count without restartable sequences

Exit status:
  0  done
  1  it could not be done, or a fault was found; one line on stderr says what to do
  2  the command line is wrong

Examples:
  tallyboard demo                                 see it work
  tallyboard serve                                serve the default board on :10777
  tallyboard inc backups_total --label host=db1   count from a shell script
  tallyboard dump --json | jq .families           look at a board";

/// Metrics of many processes on one shared-memory board, served to Prometheus
#[derive(Parser, Debug)]
#[command(name = "tallyboard", version, propagate_version = true, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Create(create::Create),
    Top(top::Top),
    Dump(dump::Dump),
    Check(check::Check),
    Ps(ps::Ps),
    Inc(inc::Inc),
    Set(set::Set),
    Observe(observe::Observe),
    Expire(expire::Expire),
    Rm(rm::Rm),
    ImportMultiproc(import_multiproc::ImportMultiproc),
    Textfile(textfile::Textfile),
    Bench(bench::Bench),
    #[command(hide = true)]
    Generate(generate::Generate),
    #[command(hide = true)]
    DemoWorker(demo::Worker),
    #[command(hide = true)]
    BenchPeer(bench::Peer),
    #[command(hide = true)]
    BenchShared(bench::Shared),
}

/// Runs the command that the process was started with.
///
/// Exit status: 0 done, 1 failed or a fault was found, 2 wrong usage. Whoever closes
/// our output early has what they wanted: that is 0.
pub fn main() -> ExitCode {
    let done = match Cli::try_parse() {
        Ok(cli) => cli.command.run(),
        Err(error) if error.kind() == ErrorKind::DisplayVersion => print_version(),
        Err(error) => match Failure::from_usage(&error, &Cli::command()) {
            Some(failure) => Err(failure),
            None => error.exit(),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// As Prometheus's programs say it.
fn print_version() -> Result<(), Failure> {
    writeln!(
        std::io::stdout(),
        "tallyboard, version {} (board layout {}, {} {})",
        env!("CARGO_PKG_VERSION"),
        tallyboard::LAYOUT_VERSION,
        std::env::consts::OS,
        std::env::consts::ARCH,
    )?;
    Ok(())
}

impl Command {
    fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Demo(demo) => demo.run(),
            Self::Create(create) => create.run(),
            Self::Top(top) => top.run(),
            Self::Dump(dump) => dump.run(),
            Self::Check(check) => check.run(),
            Self::Ps(ps) => ps.run(),
            Self::Inc(inc) => inc.run(),
            Self::Set(set) => set.run(),
            Self::Observe(observe) => observe.run(),
            Self::Expire(expire) => expire.run(),
            Self::Rm(rm) => rm.run(),
            Self::ImportMultiproc(import) => import.run(),
            Self::Textfile(textfile) => textfile.run(),
            Self::Bench(bench) => bench.run(),
            Self::Generate(generate) => generate.run(Cli::command()),
            Self::DemoWorker(worker) => worker.run(),
            Self::BenchPeer(peer) => peer.run(),
            Self::BenchShared(shared) => shared.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
