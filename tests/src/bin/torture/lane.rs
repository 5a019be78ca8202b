//! One writer after the other, each with the books of the last.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{
    Pid, Signal, WaitOptions, kill_process, kill_process_group, waitpgid, waitpid,
};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tallyboard_tests::books::Books;
use tallyboard_tests::next_random;

/// What a writer is written in, and where it is where that is not beside this program.
#[derive(Clone, Debug)]
pub(crate) enum Language {
    Rust,
    C(PathBuf),
    Python(PathBuf),
}

pub(crate) struct Lane {
    number: usize,
    language: Language,
    board: PathBuf,
    books: PathBuf,
    /// Of forked children whose writer cannot share its own.
    books_of_child: PathBuf,
    opened: Books,
    writer: Pid,
    /// How many writers had told that they are ready when this one was started.
    readied: u64,
    is_stopped: bool,
    /// CPUs that it may choose from.
    cpus: Vec<usize>,
}

impl Lane {
    pub(crate) fn start(
        folder: &Path,
        board: &Path,
        number: usize,
        language: Language,
        random: &mut u64,
    ) -> Lane {
        let books = folder.join(format!("books-{number}"));
        let books_of_child = folder.join(format!("books-{number}.child"));
        let opened = Books::create(&books);
        Books::create(&books_of_child);
        let all = sched_getaffinity(None).expect("this process is there");
        let mut lane = Lane {
            number,
            language,
            board: board.to_owned(),
            books,
            books_of_child,
            opened,
            // Replaced at once.
            writer: rustix::process::getpid(),
            readied: 0,
            is_stopped: false,
            cpus: (0..CpuSet::MAX_CPU)
                .filter(|cpu| all.is_set(*cpu))
                .collect(),
        };
        lane.spawn(random);
        lane
    }

    /// Where its writers note what they do.
    pub(crate) fn books(&self) -> [&Path; 2] {
        [&self.books, &self.books_of_child]
    }

    fn spawn(&mut self, random: &mut u64) {
        *random = next_random(*random | 1);
        let mut command = match &self.language {
            Language::Rust => {
                let beside = std::env::current_exe().expect("a path");
                let mut command = Command::new(beside.with_file_name("worker"));
                command.arg("torture");
                command
            }
            Language::C(program) => Command::new(program),
            Language::Python(script) => {
                let mut command = Command::new("python3");
                command.arg(script);
                command
            }
        };
        command
            .arg(&self.books)
            .arg(self.number.to_string())
            .arg((*random >> 1).to_string())
            .env("TALLYBOARD", &self.board)
            // With its forked children, so that all can be killed at once.
            .process_group(0);
        if self.number % 2 == 1 {
            command.env("TALLYBOARD_RSEQ", "off");
        }
        self.readied = self.opened.readied();
        self.writer = Pid::from_child(&command.spawn().expect("the writer starts"));
        self.is_stopped = false;
    }

    /// Kills the writer with its children, and starts another one.
    pub(crate) fn replace(&mut self, random: &mut u64) {
        self.end();
        self.spawn(random);
    }

    /// Returns when the writer and its children are gone, so that nobody else has their books.
    fn end(&self) {
        // Not there any more if it ended by itself and `check` has told.
        let _ = kill_process_group(self.writer, Signal::KILL);
        while waitpgid(self.writer, WaitOptions::empty()).is_ok() {}
    }

    /// That the writer has not ended by itself.
    pub(crate) fn check(&self) {
        let ended = waitpid(Some(self.writer), WaitOptions::NOHANG).expect("a child");
        assert!(
            ended.is_none(),
            "writer {} in {:?} ended by itself: {ended:?}",
            self.number,
            self.language
        );
    }

    pub(crate) fn stop(&mut self) -> bool {
        let stops = !self.is_stopped;
        if stops {
            self.signal(Signal::STOP);
            self.is_stopped = true;
        }
        stops
    }

    pub(crate) fn go_on(&mut self) {
        if self.is_stopped {
            self.signal(Signal::CONT);
            self.is_stopped = false;
        }
    }

    /// Makes it count in its handler of signals, if it has installed that.
    pub(crate) fn interrupt(&self) -> bool {
        let is_ready = self.opened.readied() > self.readied;
        if is_ready {
            self.signal(Signal::USR1);
        }
        is_ready
    }

    /// Lets it run on one CPU only, or on any again.
    pub(crate) fn move_to(&self, choice: usize) -> bool {
        let mut set = CpuSet::new();
        match self.cpus.get(choice % (self.cpus.len() + 1)) {
            Some(cpu) => set.set(*cpu),
            None => self.cpus.iter().for_each(|cpu| set.set(*cpu)),
        }
        sched_setaffinity(Some(self.writer), &set).is_ok()
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.writer, signal).expect("nobody has waited for it");
    }
}

/// Also when the test has found something: the board goes then, and writers that go on would talk over what it says.
impl Drop for Lane {
    fn drop(&mut self) {
        self.end();
    }
}
