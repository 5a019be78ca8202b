//! A second process that updates the same counter while it is told to.
//!
//! Over its standard input and output: `go` is answered with `counting` once the first
//! updates are made, any byte after that ends the round and is answered with the number
//! of updates. The end of the input ends the process.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use clap::Args;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tallyboard::{Board, Location};

use super::updates;
use crate::cli::failure::Failure;
use crate::cli::parent::{Parent, own_program};

/// Updates between two looks at the input: the look must not be what is measured.
const BLOCK: u64 = 100_000;

/// The second process.
#[derive(Args, Debug)]
pub(in crate::cli) struct Peer {
    #[arg(long)]
    board: OsString,
    #[command(flatten)]
    parent: Parent,
}

impl Peer {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        self.parent.die_with_it()?;
        let board = Board::open(&Location::parse(&self.board)?)?;
        let counter = updates(&board)?;
        let mut input = io::stdin().lock();
        let mut output = io::stdout().lock();
        let mut word = [0];
        while input.read(&mut word)? > 0 {
            let mut made = 0;
            while made == 0 || !is_readable(&io::stdin())? {
                for _ in 0..BLOCK {
                    counter.0.inc();
                }
                if made == 0 {
                    output.write_all(b"counting\n")?;
                    output.flush()?;
                }
                made += BLOCK;
            }
            if input.read(&mut word)? == 0 {
                break;
            }
            writeln!(output, "{made}")?;
            output.flush()?;
        }
        Ok(())
    }
}

fn is_readable(input: &impl std::os::fd::AsFd) -> io::Result<bool> {
    let mut waiting = [PollFd::new(input, PollFlags::IN)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    Ok(poll(&mut waiting, Some(&now))? > 0)
}

/// The handle on it in the measuring process.
pub(super) struct CountingPeer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    updates: u64,
}

impl CountingPeer {
    pub(super) fn start(board: &Location) -> Result<Self, Failure> {
        let mut child = own_program("bench-peer")
            .arg("--board")
            .arg(board.path().unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(cannot_start)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(gone());
        };
        Ok(Self {
            child,
            input: Some(input),
            output: BufReader::new(output),
            updates: 0,
        })
    }

    /// Returns when the other process is counting.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        self.say()?;
        self.hear().map(|_| ())
    }

    /// Returns when it has stopped.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        self.say()?;
        let made = self.hear()?;
        self.updates += made.parse::<u64>().map_err(|_| gone())?;
        Ok(())
    }

    /// Ends the process and returns all updates it has made.
    pub(super) fn finish(mut self) -> Result<u64, Failure> {
        self.input = None;
        let status = self.child.wait().map_err(|_| gone())?;
        if status.success() {
            Ok(self.updates)
        } else {
            Err(gone())
        }
    }

    fn say(&mut self) -> Result<(), Failure> {
        let input = self.input.as_mut().ok_or_else(gone)?;
        let said = input.write_all(b"!").and_then(|()| input.flush());
        said.map_err(|_| gone())
    }

    fn hear(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        match self.output.read_line(&mut line) {
            Ok(len_bytes) if len_bytes > 0 => Ok(line.trim_end().to_owned()),
            _ => Err(gone()),
        }
    }
}

pub(super) fn cannot_start(error: io::Error) -> Failure {
    Failure::Failed(format!("cannot start a second process: {error}"))
}

pub(super) fn gone() -> Failure {
    Failure::Failed("a second process of the benchmark ended early; run it again".to_owned())
}
