//! The workers: started, killed, replaced, and their ledgers.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use tallyboard::Location;

use super::ledger::{Entries, Ledger, LedgerDirectory};
use crate::cli::failure::Failure;
use crate::cli::parent::own_program;

/// Workers that may end without being killed, before it is clear that none will ever work.
const FAILURES_ALLOWED: u32 = 20;

/// All workers, living and dead. No worker outlives it.
pub(super) struct Crew {
    board: PathBuf,
    ledgers: LedgerDirectory,
    size: usize,
    living: Vec<Member>,
    /// What those have written down that are no more.
    dead: Entries,
    started: u64,
    killed: u64,
    failed: u32,
}

struct Member {
    process: Child,
    ledger_path: PathBuf,
    ledger: Ledger,
}

impl Crew {
    pub(super) fn new(board: &Location, ledgers: LedgerDirectory, size: u32) -> Self {
        Self {
            board: board.path().unwrap_or_default(),
            ledgers,
            size: size as usize,
            living: Vec::new(),
            dead: Entries::default(),
            started: 0,
            killed: 0,
            failed: 0,
        }
    }

    /// Workers killed so far.
    pub(super) fn killed(&self) -> u64 {
        self.killed
    }

    /// The sum of all ledgers, each number at some moment of this call.
    pub(super) fn entries(&self) -> Entries {
        let mut entries = self.dead;
        for member in &self.living {
            entries.add(&member.ledger.read());
        }
        entries
    }

    /// Replaces workers that are gone.
    pub(super) fn fill(&mut self) -> Result<(), Failure> {
        let mut index = 0;
        while index < self.living.len() {
            if self.living[index]
                .process
                .try_wait()
                .is_ok_and(|status| status.is_none())
            {
                index += 1;
                continue;
            }
            self.bury(index)?;
            self.failed += 1;
            if self.failed > FAILURES_ALLOWED {
                return Err(Failure::Failed(
                    "the workers end by themselves; stderr says why".to_owned(),
                ));
            }
        }
        while self.living.len() < self.size {
            let member = self.start();
            let member = member.map_err(|error| {
                Failure::Failed(format!("cannot start a worker ({error}); try --workers 4"))
            })?;
            self.living.push(member);
        }
        Ok(())
    }

    fn start(&mut self) -> io::Result<Member> {
        let (ledger_path, ledger) = self.ledgers.add(self.started)?;
        self.started += 1;
        let process = own_program("demo-worker")
            .arg("--board")
            .arg(&self.board)
            .arg("--ledger")
            .arg(&ledger_path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Member {
            process,
            ledger_path,
            ledger,
        })
    }

    /// Kills any one worker, wherever it is in its work.
    pub(super) fn kill_one(&mut self) -> Result<(), Failure> {
        if self.living.is_empty() {
            return Ok(());
        }
        // A fresh hasher's keys are random, which is all the randomness needed here.
        let random = RandomState::new().hash_one(self.started) as usize;
        self.kill(random % self.living.len())
    }

    /// Kills all that are left.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        while !self.living.is_empty() {
            self.kill(self.living.len() - 1)?;
        }
        Ok(())
    }

    fn kill(&mut self, index: usize) -> Result<(), Failure> {
        // SIGKILL; an error means that it is gone already, which `bury` finds out too.
        let _ = self.living[index].process.kill();
        self.bury(index)?;
        self.killed += 1;
        Ok(())
    }

    /// Takes over the ledger of a worker that is dying or dead.
    fn bury(&mut self, index: usize) -> Result<(), Failure> {
        let mut member = self.living.swap_remove(index);
        member.process.wait().map_err(not_buried)?;
        self.dead.add(&member.ledger.read());
        fs::remove_file(&member.ledger_path).map_err(not_buried)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for member in &mut self.living {
            let _ = member.process.kill();
            let _ = member.process.wait();
        }
    }
}

fn not_buried(error: io::Error) -> Failure {
    Failure::Failed(format!("cannot clear away a worker that ended: {error}"))
}
