//! A writer that does everything a writer can, in an order that nobody planned, until it is killed.
//!
//! Whatever it does it notes in its books. SIGUSR1 makes it count in the middle of whatever it is at; now and then it
//! forks a child that does the same for a while and dies, half of them by SIGKILL.

use std::error::Error;
use std::path::Path;
use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};
use tallyboard::{
    Aggregation, Board, Counter, Family, Gauge, Histogram, Info, Native, StateSet, buckets,
};
use tallyboard_tests::books::{
    Books, COUNTERS, HISTOGRAMS, LAST, OBSERVATIONS, SIGNALS, SUM, level,
};
use tallyboard_tests::{PASSING, PASSING_SECONDS, amount, bucket, child, next_random};

/// Rounds of a forked child.
const CHILD_ROUNDS: u64 = 3_000;
/// Handles to series that come and go.
const KEPT: usize = 16;
/// Series of each kind that come and go, of each writer.
const PASSING_SERIES: u64 = 200;

/// The states of what is said of all.
const PHASES: [&str; 3] = ["counting", "forking", "dying"];

/// What the handler of SIGUSR1 counts with.
struct Signalled {
    books: Books,
    signals: Counter,
    last: Gauge,
}

static SIGNALLED: OnceLock<Signalled> = OnceLock::new();

extern "C" fn on_signal(_: i32) {
    if let Some(with) = SIGNALLED.get() {
        with.books.note(SIGNALS, || with.signals.inc());
        with.books.note(LAST, || with.last.inc());
    }
}

struct Writer {
    books: Books,
    random: u64,
    /// The first number of this writer's series that come and go.
    own: u64,
    counters: Family<Counter>,
    counter_handles: Vec<Counter>,
    histograms: Vec<Histogram>,
    passing: Family<Counter>,
    passing_handles: Vec<Option<(u64, Counter)>>,
    passing_histograms: Family<Histogram>,
    passing_histogram_handles: Vec<Option<(u64, Histogram)>>,
    last: Gauge,
    sum: Gauge,
    /// What this process's part of `sum` holds.
    in_sum: f64,
    min: Gauge,
    max: Gauge,
    others: Vec<Gauge>,
    native: Histogram,
    info: Info,
    states: StateSet,
    child: Option<Pid>,
}

/// Goes on until it is killed; `lane` is told apart from all that run at the same time.
pub(crate) fn run(board: &Board, books: &Path, lane: u64, seed: u64) -> Result<(), Box<dyn Error>> {
    let mut writer = Writer::new(board, books, lane, seed | 1)?;
    writer.level();
    let signals = board.counter("torture_signals_total", "Signals.");
    let _ = SIGNALLED.set(Signalled {
        books: Books::open(books),
        signals: signals.register()?,
        last: writer.last.clone(),
    });
    child::on_user_signal(on_signal);
    writer.books.ready();
    loop {
        writer.round()?;
        if writer.chance(4_000) {
            writer.fork()?;
        }
    }
}

impl Writer {
    fn new(board: &Board, books: &Path, lane: u64, seed: u64) -> Result<Writer, Box<dyn Error>> {
        let counters = board.counter("torture_total", "Updates.");
        let counters = counters.labels(&["series"]).family()?;
        let histograms = board.histogram("torture_seconds", "Durations.");
        let histograms = histograms.labels(&["series"]).family()?;
        let gauge = |how: Aggregation| {
            let gauge = board.gauge(&format!("torture_{how}"), "A gauge of processes that die.");
            gauge.aggregation(how).register()
        };
        let others = [
            Aggregation::All,
            Aggregation::LiveSum,
            Aggregation::LiveMin,
            Aggregation::LiveMax,
            Aggregation::LiveAll,
            Aggregation::LiveLast,
        ];
        Ok(Writer {
            books: Books::open(books),
            random: seed,
            own: lane * 1_000,
            counter_handles: (0..COUNTERS)
                .map(|series| counters.try_with(&[&series.to_string()]))
                .collect::<Result<_, _>>()?,
            counters,
            histograms: (0..HISTOGRAMS)
                .map(|series| histograms.try_with(&[&series.to_string()]))
                .collect::<Result<_, _>>()?,
            passing: board
                .counter(PASSING, "Series that come and go.")
                .labels(&["number"])
                .family()?,
            passing_handles: vec![None; KEPT],
            passing_histograms: board
                .histogram(PASSING_SECONDS, "Series that come and go.")
                .labels(&["number"])
                .family()?,
            passing_histogram_handles: vec![None; KEPT],
            last: gauge(Aggregation::Last)?,
            sum: gauge(Aggregation::Sum)?,
            in_sum: 0.0,
            min: gauge(Aggregation::Min)?,
            max: gauge(Aggregation::Max)?,
            others: others.map(gauge).into_iter().collect::<Result<_, _>>()?,
            native: board
                .histogram("torture_native_seconds", "Durations, all of a second.")
                .native(Native::new())
                .register()?,
            info: board
                .info("torture_writer", "Who was here last, said twice.")
                .register()?,
            states: board
                .state_set("torture_phase", "What somebody does.", &PHASES)
                .register()?,
            child: None,
        })
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random = next_random(self.random);
        (self.random >> 24) % end
    }

    fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }

    /// What a process does once.
    fn level(&self) {
        let level = level();
        self.books
            .note(tallyboard_tests::books::VALUES + level, || {
                self.min.set(level as f64);
                self.max.set(level as f64);
            });
    }

    fn round(&mut self) -> Result<(), Box<dyn Error>> {
        match self.below(14) {
            0..=3 => {
                let series = self.below(COUNTERS as u64) as usize;
                let handle = &self.counter_handles[series];
                let is_traced = self.random & 7 == 0;
                self.books.note(series, || {
                    if is_traced {
                        handle.inc_with_exemplar(&[("series", &series.to_string())]);
                    } else {
                        handle.inc();
                    }
                });
            }
            4 => {
                let series = self.below(COUNTERS as u64) as usize;
                let handle = self.counters.try_with(&[&series.to_string()])?;
                self.books.note(series, || handle.inc());
            }
            5 => {
                let series = self.below(HISTOGRAMS as u64) as usize;
                let handle = &self.histograms[series];
                let seconds = series as f64 / 4.0;
                self.books
                    .note(OBSERVATIONS + series, || handle.observe(seconds));
            }
            6 => self.books.note(LAST, || self.last.inc()),
            7 => {
                let by_set = self.chance(2);
                let to = self.in_sum + 1.0;
                self.books.note(SUM, || {
                    if by_set {
                        self.sum.set(to);
                    } else {
                        self.sum.inc();
                    }
                });
                self.in_sum = to;
            }
            8 => {
                let which = self.below(self.others.len() as u64) as usize;
                self.others[which].set(1.0);
            }
            9 | 10 => self.pass()?,
            11 => self.native.observe_with_exemplar(1.0, &[]),
            12 => self.say()?,
            _ => self.pass_histogram()?,
        }
        Ok(())
    }

    /// What whoever is last says of all.
    fn say(&mut self) -> Result<(), Box<dyn Error>> {
        let word = self.below(1_000).to_string();
        self.info.set(&[("one", &word), ("other", &word)])?;
        let phase = self.below(PHASES.len() as u64) as usize;
        assert!(self.states.set_place(phase));
        Ok(())
    }

    /// Updates a series that comes and goes through an old handle or a new one, or removes it.
    fn pass(&mut self) -> Result<(), Box<dyn Error>> {
        let number = self.own + self.below(PASSING_SERIES);
        let place = self.below(KEPT as u64) as usize;
        match self.below(4) {
            0 => {
                self.passing.remove(&[&number.to_string()])?;
            }
            1 => {
                let handle = self.passing.try_with(&[&number.to_string()])?;
                handle.add(amount(number));
                self.passing_handles[place] = Some((number, handle));
            }
            _ => {
                if let Some((number, handle)) = &self.passing_handles[place] {
                    handle.add(amount(*number));
                }
            }
        }
        Ok(())
    }

    fn pass_histogram(&mut self) -> Result<(), Box<dyn Error>> {
        let number = self.own + self.below(PASSING_SERIES);
        let place = self.below(KEPT as u64) as usize;
        let observe = |number: u64, handle: &Histogram| {
            handle.observe(buckets::DEFAULT[bucket(number)]);
        };
        match self.below(4) {
            0 => {
                self.passing_histograms.remove(&[&number.to_string()])?;
            }
            1 => {
                let handle = self.passing_histograms.try_with(&[&number.to_string()])?;
                observe(number, &handle);
                self.passing_histogram_handles[place] = Some((number, handle));
            }
            _ => {
                if let Some((number, handle)) = &self.passing_histogram_handles[place] {
                    observe(*number, handle);
                }
            }
        }
        Ok(())
    }

    fn fork(&mut self) -> Result<(), Box<dyn Error>> {
        if let Some(before) = self.child.take() {
            while waitpid(Some(before), WaitOptions::empty()).err() == Some(Errno::INTR) {}
        }
        self.child = child::fork();
        if self.child.is_some() {
            return Ok(());
        }
        self.in_sum = 0.0;
        self.random ^= self.random.rotate_left(17) ^ 0x5DEE_CE66;
        self.level();
        for _ in 0..CHILD_ROUNDS {
            self.round()?;
        }
        if self.chance(2) {
            let _ = kill_process(getpid(), Signal::KILL);
        }
        child::exit()
    }
}
