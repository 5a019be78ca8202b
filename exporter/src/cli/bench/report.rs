//! What the benchmark found, and whether that is good enough.

use std::fmt;

use serde_json::{Value, json};
use tallyboard::{Board, Kind, Reader, UpdatePath};

use super::Kinds;
use crate::cli::failure::Failure;

/// What the shared plane may cost with `--max-ratio` and no word about the shared plane.
const MAX_RATIO_SHARED: f64 = 1.3;

/// All figures of one run.
pub(super) struct Report {
    pub(super) update_path: UpdatePath,
    pub(super) kinds: Kinds,
    pub(super) counter_inc_two_processes_ratio: f64,
    pub(super) counter_inc_two_processes_ns: f64,
    pub(super) counter_inc_shared_ratio: f64,
    pub(super) counter_inc_shared_ns: f64,
    /// Increments made by all processes.
    pub(super) updates: u64,
    /// Increments that the board has.
    pub(super) board_sum: u64,
    pub(super) sum_matches: bool,
}

impl Report {
    pub(super) fn to_json(&self) -> Value {
        let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
        json!({
            "update_path": self.update_path.to_string(),
            "counter_inc_ratio": rounded(self.kinds.counter_inc_ratio),
            "counter_inc_two_processes_ratio": rounded(self.counter_inc_two_processes_ratio),
            "counter_inc_shared_ratio": rounded(self.counter_inc_shared_ratio),
            "fetch_add_ns": rounded(self.kinds.fetch_add_ns),
            "counter_inc_ns": rounded(self.kinds.counter_inc_ns),
            "counter_inc_two_processes_ns": rounded(self.counter_inc_two_processes_ns),
            "counter_inc_shared_ns": rounded(self.counter_inc_shared_ns),
            "counter_add_f64_ns": rounded(self.kinds.counter_add_f64_ns),
            "gauge_set_ns": rounded(self.kinds.gauge_set_ns),
            "gauge_add_ns": rounded(self.kinds.gauge_add_ns),
            "histogram_observe_ns": rounded(self.kinds.histogram_observe_ns),
            "summary_observe_ns": rounded(self.kinds.summary_observe_ns),
            "updates": self.updates,
            "board_sum": self.board_sum,
            "sum_matches": self.sum_matches,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.kinds.fetch_add_ns;
        let mut line =
            |what: &str, ns: f64, ratio: f64| writeln!(f, "{what:<42}{ns:>8.2} ns{ratio:>8.2}");
        line("a bare fetch_add (relaxed, uncontended)", base, 1.0)?;
        let inc = self.kinds.counter_inc_ns;
        line("Counter::inc", inc, self.kinds.counter_inc_ratio)?;
        let shared = self.counter_inc_shared_ns;
        line(
            "Counter::inc, on the shared plane",
            shared,
            self.counter_inc_shared_ratio,
        )?;
        let two = self.counter_inc_two_processes_ns;
        line("Counter::inc, two processes at once", two, two / base)?;
        for (what, ns) in [
            ("Counter::add_f64", self.kinds.counter_add_f64_ns),
            ("Gauge::set", self.kinds.gauge_set_ns),
            ("Gauge::add", self.kinds.gauge_add_ns),
            (
                "Histogram::observe, 11 buckets",
                self.kinds.histogram_observe_ns,
            ),
            ("Summary::observe", self.kinds.summary_observe_ns),
        ] {
            line(what, ns, ns / base)?;
        }
        writeln!(
            f,
            "\nupdate path: {}; two processes at once cost each {:.2} times what one alone costs",
            self.update_path, self.counter_inc_two_processes_ratio
        )?;
        let verdict = if self.sum_matches {
            "as many as"
        } else {
            "NOT as many as"
        };
        writeln!(
            f,
            "updates on the board: {}, {verdict} were made ({})",
            self.board_sum, self.updates
        )
    }
}

/// Observations that the board has in the benchmark's histogram and summary.
pub(super) fn observations(board: &Board) -> [u64; 2] {
    let mut reader = Reader::new(board);
    reader.refresh();
    let mut found = [0; 2];
    for family in reader.families() {
        for series in &family.series {
            let mut buckets = vec![0; family.bounds.len() + 1];
            match family.kind {
                Kind::Histogram if reader.histogram(series, &mut buckets).is_some() => {
                    found[0] += buckets.iter().sum::<u64>();
                }
                Kind::Summary => found[1] += reader.summary(series).map_or(0, |(count, _)| count),
                _ => {}
            }
        }
    }
    found
}

/// What the user will accept.
pub(super) struct Gate {
    pub(super) max_ratio: Option<f64>,
    pub(super) max_ratio_shared: Option<f64>,
}

impl Gate {
    /// The most that `Counter::inc` may cost on the path that was measured, if anything was asked.
    fn limit(&self, path: UpdatePath) -> Option<f64> {
        match path {
            UpdatePath::Rseq => self.max_ratio,
            UpdatePath::Shared => {
                let implied = self.max_ratio.map(|_| MAX_RATIO_SHARED);
                self.max_ratio_shared.or(implied)
            }
        }
    }

    pub(super) fn check(&self, report: &Report) -> Result<(), Failure> {
        if !report.sum_matches {
            return Err(Failure::Failed(format!(
                "the board's sums are not the updates made ({} of {}): please report this",
                report.board_sum, report.updates
            )));
        }
        let ratio = report.kinds.counter_inc_ratio;
        match self.limit(report.update_path) {
            Some(limit) if ratio > limit => Err(Failure::Failed(format!(
                "Counter::inc costs {ratio:.3} of a bare fetch_add on the {} path, more than {limit}",
                report.update_path
            ))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_belongs_to_the_path() {
        let limits = |max_ratio, max_ratio_shared| {
            let gate = Gate {
                max_ratio,
                max_ratio_shared,
            };
            [UpdatePath::Rseq, UpdatePath::Shared].map(|path| gate.limit(path))
        };
        assert_eq!(limits(None, None), [None, None]);
        assert_eq!(limits(Some(0.3), None), [Some(0.3), Some(1.3)]);
        assert_eq!(limits(Some(0.3), Some(2.0)), [Some(0.3), Some(2.0)]);
        assert_eq!(limits(None, Some(2.0)), [None, Some(2.0)]);
    }
}
