//! `tallyboard bench`

mod cost;
mod peer;
mod report;
mod shared;
mod subject;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use clap::Args;
use tallyboard::{Board, BoardOptions, UpdatePath};

use self::cost::{Loop, median};
use self::peer::CountingPeer;
use self::report::{Gate, Report};
use self::subject::{Add, AddHalf, BareFetchAdd, Inc, Set};
use super::failure::Failure;
use super::signals::SignalledRuntime;
use super::temporary_board::TemporaryBoard;
use crate::config::{parse_duration, parse_ratio};

pub(super) use self::peer::Peer;
pub(super) use self::shared::Shared;

/// Measure what an update costs on this machine
///
/// Measures on a board of its own, through the same calls that programs make, in CPU time
/// and in rounds that alternate with rounds of a bare uncontended relaxed `fetch_add`.
/// Ratios are medians over the rounds, so they hold on a busy machine too. Afterwards the
/// board's sums must equal the updates made.
///
/// Exits with 1 if a sum is wrong, or if a ratio is above a maximum that was asked for.
#[derive(Args, Debug)]
pub(super) struct Bench {
    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// The most that Counter::inc may cost, in bare fetch_adds, with restartable sequences
    #[arg(long, value_name = "RATIO", value_parser = parse_ratio)]
    max_ratio: Option<f64>,

    /// The same where there are none; --max-ratio does not apply there
    /// [default with --max-ratio: 1.3]
    #[arg(long, value_name = "RATIO", value_parser = parse_ratio)]
    max_ratio_shared: Option<f64>,

    /// How long to measure
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = parse_duration)]
    seconds: Duration,
}

/// The counter that all processes of the benchmark update.
const UPDATES: (&str, &str) = ("bench_updates_total", "Updates made by the benchmark.");

fn updates(board: &Board) -> Result<Inc, Failure> {
    Ok(Inc(board.counter(UPDATES.0, UPDATES.1).register()?))
}

impl Bench {
    pub(super) fn run(self) -> Result<(), Failure> {
        let signals = SignalledRuntime::new()?;
        let temporary = TemporaryBoard::create("bench", &BoardOptions::new().slots(256))?;
        let location = temporary.location().clone();
        signals.on_stop(move || {
            let _ = tallyboard::remove(&location);
            std::process::exit(1);
        });
        let report = self.measure(&temporary)?;
        drop(temporary);

        let gate = Gate {
            max_ratio: self.max_ratio,
            max_ratio_shared: self.max_ratio_shared,
        };
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{:#}", report.to_json())?;
        } else {
            write!(out, "{report}")?;
        }
        out.flush()?;
        gate.check(&report)
    }

    fn measure(&self, temporary: &TemporaryBoard) -> Result<Report, Failure> {
        let board = temporary.board();
        let mut own_updates = 0;
        // A third of the time each: every kind of update, two processes, the shared plane.
        let share = self.seconds / 3;

        let kinds = Kinds::measure(board, share, &mut own_updates)?;
        let two = TwoProcesses::measure(temporary, share, &mut own_updates)?;
        let shared = shared::measure(temporary, share)?;

        let made = own_updates + two.peer_updates + shared.updates;
        let board_sum = updates(board)?.0.get().as_f64() as u64;
        Ok(Report {
            update_path: board.update_path(),
            counter_inc_two_processes_ratio: two.ratio,
            counter_inc_two_processes_ns: two.ns,
            counter_inc_shared_ratio: shared.ratio,
            counter_inc_shared_ns: shared.ns,
            updates: made,
            board_sum,
            sum_matches: board_sum == made && kinds.sums_match,
            kinds,
        })
    }
}

/// The ratio of `Counter::inc` to a bare `fetch_add`, in alternating rounds.
struct IncRatio {
    counter: Inc,
    word: BareFetchAdd,
    incs: Loop,
    fetch_adds: Loop,
    inc_ns: Vec<f64>,
    fetch_add_ns: Vec<f64>,
    ratios: Vec<f64>,
}

impl IncRatio {
    fn new(counter: Inc) -> Self {
        let word = BareFetchAdd::default();
        Self {
            incs: Loop::calibrate(&counter),
            fetch_adds: Loop::calibrate(&word),
            inc_ns: Vec::new(),
            fetch_add_ns: Vec::new(),
            ratios: Vec::new(),
            counter,
            word,
        }
    }

    fn round(&mut self) {
        let fetch_add = self.fetch_adds.ns(&self.word);
        let inc = self.incs.ns(&self.counter);
        self.fetch_add_ns.push(fetch_add);
        self.inc_ns.push(inc);
        self.ratios.push(inc / fetch_add);
    }

    fn updates(&self) -> u64 {
        self.incs.made()
    }
}

/// What each kind of update costs one process, in nanoseconds.
struct Kinds {
    fetch_add_ns: f64,
    counter_inc_ns: f64,
    counter_inc_ratio: f64,
    counter_add_f64_ns: f64,
    gauge_set_ns: f64,
    gauge_add_ns: f64,
    histogram_observe_ns: f64,
    summary_observe_ns: f64,
    sums_match: bool,
}

impl Kinds {
    fn measure(board: &Board, time: Duration, updates_made: &mut u64) -> Result<Self, Failure> {
        let floats = AddHalf(board.counter("bench_floats_total", "Halves.").register()?);
        let set = Set(board.gauge("bench_gauge", "A gauge.").register()?);
        let add = Add(set.0.clone());
        let histogram = board.histogram("bench_histogram", "Eleven buckets.");
        let histogram = histogram.register()?;
        let summary = board.summary("bench_summary", "A summary.").register()?;

        let mut ratio = IncRatio::new(updates(board)?);
        let mut halves = Loop::calibrate(&floats);
        let mut sets = Loop::calibrate(&set);
        let mut adds = Loop::calibrate(&add);
        let mut observations = Loop::calibrate(&histogram);
        let mut summaries = Loop::calibrate(&summary);
        let mut costs: [Vec<f64>; 5] = Default::default();
        let begun = Instant::now();
        while begun.elapsed() < time || ratio.ratios.len() < cost::FEWEST_ROUNDS {
            ratio.round();
            costs[0].push(halves.ns(&floats));
            costs[1].push(sets.ns(&set));
            costs[2].push(adds.ns(&add));
            costs[3].push(observations.ns(&histogram));
            costs[4].push(summaries.ns(&summary));
        }
        *updates_made += ratio.updates();
        let [add_f64_ns, set_ns, add_ns, observe_ns, summarise_ns] = costs.map(median);
        let sums_match = floats.0.get().as_f64() * 2.0 == halves.made() as f64
            && report::observations(board) == [observations.made(), summaries.made()];
        Ok(Self {
            fetch_add_ns: median(ratio.fetch_add_ns),
            counter_inc_ns: median(ratio.inc_ns),
            counter_inc_ratio: median(ratio.ratios),
            counter_add_f64_ns: add_f64_ns,
            gauge_set_ns: set_ns,
            gauge_add_ns: add_ns,
            histogram_observe_ns: observe_ns,
            summary_observe_ns: summarise_ns,
            sums_match,
        })
    }
}

/// One counter, updated by this process alone and together with another one.
struct TwoProcesses {
    ratio: f64,
    ns: f64,
    peer_updates: u64,
}

impl TwoProcesses {
    fn measure(
        temporary: &TemporaryBoard,
        time: Duration,
        updates_made: &mut u64,
    ) -> Result<Self, Failure> {
        let counter = updates(temporary.board())?;
        let mut peer = CountingPeer::start(temporary.location())?;
        let mut updates = Loop::calibrate(&counter);
        let (mut ratios, mut costs) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        while begun.elapsed() < time || ratios.len() < cost::FEWEST_ROUNDS {
            let alone = updates.ns(&counter);
            peer.begin()?;
            let together = updates.ns(&counter);
            peer.end()?;
            ratios.push(together / alone);
            costs.push(together);
        }
        *updates_made += updates.made();
        Ok(Self {
            ratio: median(ratios),
            ns: median(costs),
            peer_updates: peer.finish()?,
        })
    }
}

/// Where this process's updates go, checked because the report names it.
fn expect_path(board: &Board, expected: UpdatePath) -> Result<(), Failure> {
    if board.update_path() == expected {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "the {expected} path was asked for, and {} was used",
        board.update_path()
    )))
}
