//! One child process that counts.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// Only tells a test that hangs from one that is slow.
const HUNG: Duration = Duration::from_secs(120);

/// A `worker` process that has registered its metrics and waits, or runs. Dropping it kills it.
#[derive(Debug)]
pub struct Worker(Child);

/// What a worker has come to.
#[derive(Debug)]
pub enum Event {
    /// It has been stopped by a signal and has not gone on.
    Stopped,
    /// It is gone.
    Ended(ExitStatus),
}

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
        Worker::spawn(command(program, board, rseq, arguments))
    }

    /// As [`start`](Self::start), for one that kills or stops itself as `plan` says (`TALLYBOARD_CRASH`). Its
    /// standard error is kept for [`last_words`](Self::last_words).
    ///
    /// # Panics
    ///
    /// If it cannot be started or ends before it is ready.
    pub fn start_to_crash<I>(
        program: &str,
        board: &Path,
        rseq: bool,
        plan: &str,
        arguments: I,
    ) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut command = command(program, board, rseq, arguments);
        command.env("TALLYBOARD_CRASH", plan).stderr(Stdio::piped());
        Worker::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
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

    /// Sends it a signal.
    ///
    /// # Panics
    ///
    /// If it has ended and has been waited for.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a child that nobody has waited for");
    }

    /// Whether it has ended.
    ///
    /// # Panics
    ///
    /// If the system cannot say.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.poll(), Some(Event::Ended(_)))
    }

    /// What it has come to; a stop is told once.
    ///
    /// # Panics
    ///
    /// If the system cannot say.
    pub fn poll(&mut self) -> Option<Event> {
        let status = self.0.try_wait().expect("a child can be waited for");
        if let Some(status) = status {
            return Some(Event::Ended(status));
        }
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        match waitid(WaitId::Pid(self.pid()), options) {
            Ok(status) => status.map(|_| Event::Stopped),
            // It has ended since: the next look tells.
            Err(Errno::CHILD) => None,
            Err(error) => panic!("a child can be waited for: {error}"),
        }
    }

    /// Waits until it stops or ends.
    ///
    /// # Panics
    ///
    /// If that takes so long that it must hang.
    pub fn next_event(&mut self) -> Event {
        let since = Instant::now();
        loop {
            if let Some(event) = self.poll() {
                return event;
            }
            assert!(since.elapsed() < HUNG, "a worker hangs: {:?}", self.0);
            thread::sleep(Duration::from_micros(300));
        }
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    ///
    /// If it is stopped instead, or hangs.
    pub fn wait(mut self) -> ExitStatus {
        match self.next_event() {
            Event::Ended(status) => status,
            Event::Stopped => panic!("a worker stopped that nobody told to"),
        }
    }

    /// What one that was started to crash has said on its standard error until it ended.
    ///
    /// # Panics
    ///
    /// If it was not started to crash.
    pub fn last_words(mut self) -> String {
        let mut words = String::new();
        let mut errors = self.0.stderr.take().expect("its errors are piped");
        errors.read_to_string(&mut words).expect("text");
        words
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub fn kill(self) {
        drop(self);
    }

    /// Its process's number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }
}

fn command<I>(program: &str, board: &Path, rseq: bool, arguments: I) -> Command
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
    command
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
