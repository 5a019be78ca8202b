//! One process that dies or stops at one step, and two that do the same work.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::books::{self, Books};
use crate::ways::Way;
use crate::{PROGRAM, last_acts, was_killed};
use clap::ValueEnum;
use rustix::process::Signal;
use tallyboard::{Board, Location, OpenError, Step};
use tallyboard_tests::{
    Event, KEYS, Work, Worker, key, passing_family, small_board, small_board_path,
};

const VICTIM: usize = 0;
const OTHERS: [usize; 2] = [1, 2];
const FIRST_OF_THE_DEAD: usize = 3;
/// Room for what three processes and the dead register, and little more: what leaks is missed.
const SLOTS: u32 = 300;

/// What happens at the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The process kills itself, while the others work.
    Kill,
    /// It stops until the others are done, and goes on.
    StopAndGoOn,
    /// It stops until the others are done, and is killed.
    StopAndDie,
}

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) step: Step,
    pub(crate) mode: Mode,
    pub(crate) way: Way,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Way {
            work, time, dead, ..
        } = self.way;
        let step = self.step.name();
        write!(f, "{:?} at {step}, time {time}: {work:?}", self.mode)?;
        if let Some((after, time)) = self.way.after {
            write!(f, " after {}, time {time}", after.name())?;
        }
        if dead > 0 {
            write!(f, ", past {dead} dead")?;
        }
        Ok(())
    }
}

/// What the program `worker` is told for a process that does this work.
pub(crate) fn arguments(folder: &Path, work: Work, actor: usize) -> [String; 5] {
    let value = work.to_possible_value().expect("no work is hidden");
    [
        "pieces".to_owned(),
        value.get_name().to_owned(),
        actor.to_string(),
        folder.display().to_string(),
        books::path(folder, actor).display().to_string(),
    ]
}

impl Case {
    /// Runs it and looks at everything that is left.
    ///
    /// # Panics
    ///
    /// If the step is not reached, or anything is not as it has to be after it.
    pub(crate) fn run(&self) {
        let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in shared memory");
        let folder = folder.path();
        let path = folder.join("main.board");
        let board = Board::options()
            .slots(SLOTS)
            .processes(self.way.rows)
            .create(&Location::Path(path.clone()))
            .expect("a new board");
        let mut books = Books::default();
        for number in 0..self.way.dead {
            self.leave_one_dead(folder, &path, number, &mut books);
        }
        for actor in [VICTIM].into_iter().chain(OTHERS) {
            books.open_for(folder, actor, KEYS);
        }
        self.let_them_work(folder, &path);
        for actor in OTHERS {
            assert_eq!(books.unfinished(actor), 0, "{self}: a survivor gave up");
        }
        let lives = self.mode == Mode::StopAndGoOn;
        assert!(
            books.unfinished(VICTIM) <= u64::from(!lives),
            "{self}: the victim has more than one piece in work"
        );
        let killed = self.way.dead as u32 + u32::from(!lives);
        if self.way.work.makes_boards() {
            self.look_at_small_boards(folder, &books, killed);
        } else {
            self.look_at_main_board(&board, &books, killed);
        }
        for entry in folder.read_dir().expect("the folder is there") {
            let name = entry.expect("it can be read").file_name();
            let name = name.to_string_lossy().into_owned();
            assert!(!name.ends_with(".tmp"), "{self}: {name} was left behind");
        }
    }

    /// A process that dies in the middle of a registration of its own: one after its link, the others before.
    fn leave_one_dead(&self, folder: &Path, path: &Path, number: usize, books: &mut Books) {
        const DEATHS: [(Step, u64); 4] = [
            (Step::Linked, 3),
            (Step::Claimed, 1),
            (Step::Written, 1),
            (Step::Chained, 1),
        ];
        // When gauges of several aggregations were set.
        const LATER: u64 = 14;
        let work = self.way.work.of_the_dead();
        let (step, mut time) = DEATHS[number % DEATHS.len()];
        if work == Work::Gauges {
            time += LATER;
        }
        let actor = FIRST_OF_THE_DEAD + number;
        books.open_for(folder, actor, KEYS);
        let plan = format!("kill:{}:{time}", step.name());
        let arguments = arguments(folder, work, actor);
        let mut dead = Worker::start_to_crash(PROGRAM, path, true, &plan, arguments);
        dead.go();
        match dead.next_event() {
            Event::Ended(status) if was_killed(status) => {}
            event => panic!("{self}: {plan} was not followed: {event:?}"),
        }
        assert_eq!(books.unfinished(actor), 1);
    }

    /// Lets victim and others loose, and returns when all have ended as they have to.
    fn let_them_work(&self, folder: &Path, path: &Path) {
        let Way {
            work, time, after, ..
        } = self.way;
        let act = if self.mode == Mode::Kill {
            "kill"
        } else {
            "stop"
        };
        let mut orders = Vec::new();
        if let Some((step, time)) = after {
            orders.push(("stop", step, time));
        }
        orders.push((act, self.step, time));
        let plan: Vec<String> = orders
            .iter()
            .map(|(act, step, time)| format!("{act}:{}:{time}", step.name()))
            .collect();
        // On the way through a CPU's plane nothing has a name between a histogram's two updates.
        let rseq = self.step != Step::HalfObserved;
        let mut victim = Worker::start_to_crash(
            PROGRAM,
            path,
            rseq,
            &plan.join(","),
            arguments(folder, work, VICTIM),
        );
        let mut others: Vec<Worker> = OTHERS
            .iter()
            .map(|actor| {
                let rseq = actor.is_multiple_of(2);
                Worker::start(PROGRAM, path, rseq, arguments(folder, work, *actor))
            })
            .collect();
        victim.go();
        // Otherwise they might take the victim's work away: the dead, or a CPU's first use.
        let all_at_once = self.mode == Mode::Kill
            && after.is_none()
            && !work.reaps()
            && self.step != Step::PlaneReserved;
        if all_at_once {
            others.iter_mut().for_each(Worker::go);
        }
        let mut stops = 0;
        let status = loop {
            match victim.next_event() {
                Event::Ended(status) => break status,
                Event::Stopped => {
                    if stops == 0 {
                        others.iter_mut().for_each(Worker::go);
                        self.wait_for(std::mem::take(&mut others));
                    }
                    stops += 1;
                    let is_last = stops == orders.len();
                    let signal = if is_last && self.mode == Mode::StopAndDie {
                        Signal::KILL
                    } else {
                        Signal::CONT
                    };
                    victim.signal(signal);
                }
            }
        };
        if stops == 0 && !all_at_once {
            others.iter_mut().for_each(Worker::go);
        }
        self.wait_for(others);
        if self.mode == Mode::StopAndGoOn {
            assert!(status.success(), "{self}: the victim ended with {status}");
        } else {
            assert!(
                was_killed(status),
                "{self}: the victim was not killed: {status}"
            );
        }
        let acts: Vec<String> = orders
            .iter()
            .map(|(act, step, _)| format!("{act} at {}", step.name()))
            .collect();
        assert_eq!(
            last_acts(victim),
            acts,
            "{self}: the step was not reached so"
        );
    }

    fn wait_for(&self, others: Vec<Worker>) {
        for other in others {
            let status = other.wait();
            assert!(status.success(), "{self}: a survivor ended with {status}");
        }
    }

    fn look_at_main_board(&self, board: &Board, books: &Books, killed: u32) {
        let metric = self.way.work.metric();
        let leaked = books::leaked(board);
        let longest = books::longest_chain(board);
        assert!(
            leaked <= killed * longest,
            "{self}: {leaked} slots leaked, {killed} died and the longest chain is {longest}"
        );
        // Nobody who only reads has to wait for a reaper.
        books::assert_counted(board, metric, &books.bounds(), self);
        books::assert_other_gauges(board, self);
        board.reap();
        books::assert_sound(board, self);
        books::assert_counted(board, metric, &books.bounds(), self);
        books::assert_other_gauges(board, self);
        if self.way.work == Work::Passing {
            let family = passing_family(board).unwrap_or_else(|error| panic!("{self}: {error}"));
            let cleared = family.clear();
            assert!(cleared.is_ok(), "{self}: {cleared:?}");
            assert!(
                books::read(board)
                    .families()
                    .iter()
                    .all(|shown| shown.name != "passing_total" || shown.series.is_empty()),
                "{self}: a series is left"
            );
            books::assert_sound(board, self);
        }
        // Once more, and then whatever there is room for.
        for actor in [VICTIM].into_iter().chain(OTHERS) {
            for number in 0..KEYS {
                let found = metric.register(board, &key(actor, number));
                found.unwrap_or_else(|error| panic!("{self}: {error}"));
            }
        }
        books::assert_sound(board, self);
        books::fill(board, self);
    }

    fn look_at_small_boards(&self, folder: &Path, books: &Books, killed: u32) {
        let work = self.way.work;
        let metric = work.metric();
        for (key, bounds) in books.bounds() {
            let at = Location::Path(small_board_path(folder, &key));
            match Board::options().attach(&at) {
                Ok(board) => {
                    let leaked = books::leaked(&board);
                    assert!(leaked <= killed, "{self}: {leaked} slots of {key} leaked");
                    board.reap();
                    books::assert_sound(&board, self);
                    if work == Work::Removals {
                        // Its remover died.
                        tallyboard::remove(&at).unwrap_or_else(|error| panic!("{self}: {error}"));
                        books::assert_sound(&board, self);
                        assert_eq!(board.stats().slots_used, 0, "{self}: {key} is not empty");
                        assert!(board.is_retired());
                    } else {
                        let (begun, mut done) = bounds;
                        // Another may have given up the board that was counted on.
                        if work == Work::Moving && key.starts_with("shared") {
                            done = 0;
                        }
                        let bounds = BTreeMap::from([(key.clone(), (begun, done))]);
                        books::assert_counted(&board, metric, &bounds, self);
                    }
                }
                Err(OpenError::NotFound { .. }) => {
                    let is_right = match work {
                        Work::Removals => true,
                        Work::Moving if key.starts_with("shared") => true,
                        _ => bounds.1 == 0,
                    };
                    assert!(is_right, "{self}: the board {key} is gone");
                }
                Err(error) => panic!("{self}: {error}"),
            }
            let board = small_board(folder, &key).unwrap_or_else(|error| panic!("{self}: {error}"));
            let found = metric.register(&board, &key);
            found.unwrap_or_else(|error| panic!("{self}: {error}"));
            books::assert_sound(&board, self);
            books::fill(&board, self);
        }
    }
}
