//! The crate `metrics` over a board: a program that counts through that facade counts on a board
//! with one line. With the cargo feature `metrics`.
//!
//! ```
//! # // SAFETY: nothing else runs in a doctest.
//! # unsafe { std::env::set_var("TALLYBOARD", "private") };
//! tallyboard::recorder::install()?;      // the default board, made if it is not there
//!
//! metrics::describe_counter!("requests_total", "Requests served.");
//! metrics::counter!("requests_total", "method" => "GET").increment(1);
//! metrics::histogram!("request_seconds").record(0.023);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! All processes with such a line count on the same metrics, and whatever else is on the board.
//!
//! **Labels.** The facade lets one name have other labels in each call; on a board a metric has
//! the same label names in all its series. So a name has all the label names that calls, other
//! processes before this one and [`RecorderBuilder::set_labels_for_metric`] have given it, and
//! those that a call leaves out are `""`, which is to Prometheus as if they were not there. A
//! label name that comes later makes a new definition: handles move to it with their next update,
//! and what was counted before is not shown any more. Where calls differ, say all names first.
//!
//! **Names** are made what Prometheus has always taken, as `metrics-exporter-prometheus` does:
//! `http.requests` is `http_requests`; see [`RecorderBuilder::keep_names`].
//!
//! **`absolute`** counts by how much the value has grown since this process last said it, and at
//! first all of it: it is for a count that something in this process keeps. So several processes
//! add up, as with everything else on a board.
//!
//! **Costs.** The macros ask the recorder at each call, which costs some hundred nanoseconds and
//! two allocations; the handle that they give updates at the board's cost: keep it where it
//! matters. No locks. A metric that cannot be registered, because its name has another type or a
//! label is reserved (`le` of a histogram, what begins with `__`), goes nowhere; what the
//! board refuses, it counts.

mod builder;
mod chain;
mod handle;
mod ledger;
mod name;
mod names;
mod table;

pub use builder::{InstallError, RecorderBuilder};

use crate::board::Board;
use crate::counter::Counter;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use builder::Settings;
use core::fmt;
use handle::Handle;
use ledger::Ledger;
use metrics::{Key, KeyName, Metadata, SharedString, Unit};
use names::Names;
use std::sync::Arc;

/// Opens the default board, making it if it is not there, and makes it what the macros of
/// `metrics` count on, in the whole process and for the rest of its life.
///
/// # Errors
/// The board cannot be opened, or something else is installed already.
pub fn install() -> Result<(), InstallError> {
    RecorderBuilder::new().install()
}

/// What `metrics` counts with. Made by [`RecorderBuilder`]; lives as long as the process.
#[derive(Clone, Copy)]
pub struct Recorder {
    /// Handles go on counting after the recorder is gone.
    kept: &'static Kept,
}

struct Kept {
    counters: Names<Counter>,
    gauges: Names<Gauge>,
    histograms: Names<Histogram>,
    ledger: Ledger,
}

impl Recorder {
    fn new(board: Board, settings: Settings) -> Recorder {
        let settings = Arc::new(settings);
        Recorder {
            kept: Box::leak(Box::new(Kept {
                counters: Names::new(board.clone(), settings.clone()),
                gauges: Names::new(board.clone(), settings.clone()),
                histograms: Names::new(board, settings),
                ledger: Ledger::default(),
            })),
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        self.kept.counters.describe(key.as_str(), unit, &help);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        self.kept.gauges.describe(key.as_str(), unit, &help);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        self.kept.histograms.describe(key.as_str(), unit, &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        let handle = Handle::new(&self.kept.counters, key).with_ledger(&self.kept.ledger);
        metrics::Counter::from_arc(Arc::new(handle))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        metrics::Gauge::from_arc(Arc::new(Handle::new(&self.kept.gauges, key)))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::from_arc(Arc::new(Handle::new(&self.kept.histograms, key)))
    }
}

#[cfg(test)]
mod tests;
