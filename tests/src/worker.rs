//! One child process that counts.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A `worker` process that has registered its metrics and waits, or runs. Dropping it kills it.
#[derive(Debug)]
pub struct Worker(Child);

impl Worker {
    /// Starts the program `worker` on a board and returns when it is ready to count.
    ///
    /// # Panics
    ///
    /// If it cannot be started or ends before it is ready.
    pub fn start<I>(program: &str, board: &Path, rseq: bool, arguments: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("TALLYBOARD", board)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if !rseq {
            command.env("TALLYBOARD_RSEQ", "off");
        }
        let mut worker = Worker(command.spawn().expect("the worker starts"));
        let mut ready = String::new();
        let output = worker.0.stdout.take().expect("its output is piped");
        BufReader::new(output)
            .read_line(&mut ready)
            .expect("its output can be read");
        assert!(ready.starts_with("ready"), "the worker said {ready:?}");
        worker
    }

    /// Lets it count.
    ///
    /// # Panics
    ///
    /// If it has been let loose before.
    pub fn go(&mut self) {
        let mut input = self.0.stdin.take().expect("nobody let it go before");
        // A worker that died in the meantime is the test's business, not an error here.
        let _ = input.write_all(b"go\n");
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended.
    ///
    /// # Panics
    ///
    /// If the system cannot say.
    pub fn has_ended(&mut self) -> bool {
        self.0
            .try_wait()
            .expect("a child can be waited for")
            .is_some()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    ///
    /// If the system cannot say.
    pub fn wait(mut self) -> ExitStatus {
        self.0.wait().expect("a child can be waited for")
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
