//! Summaries: the sum of observations in cell 0, their count in cell 1. No quantiles: they
//! cannot be added up over processes.

use crate::builder::Metric;
use crate::family::Kind;
use crate::histogram::{Observer, Timer};
use crate::planes::{Cell, Observed};
use crate::series::Series;
use core::fmt;
use std::time::Instant;

const SUM: u32 = 0;
const COUNT: u32 = 1;

/// A summary on a board.
#[derive(Clone)]
pub struct Summary {
    series: Series<()>,
}

impl Metric for Summary {
    const KIND: Kind = Kind::Summary;
    type Places = ();

    #[inline]
    fn of(series: Series<()>) -> Self {
        Summary { series }
    }

    #[inline]
    fn series(&self) -> &Series<()> {
        &self.series
    }
}

impl Summary {
    /// A summary whose updates go nowhere.
    pub fn sink() -> Summary {
        Metric::sink()
    }

    /// Counts one observation and adds `value` to the sum. No syscall, no lock; about two
    /// nanoseconds. Safe in a signal handler and after `fork`. A process killed inside it
    /// may leave the sum one observation short.
    #[inline(always)]
    pub fn observe(&self, value: f64) {
        let Some(segment) = self.series.segment() else {
            return;
        };
        let sum = self.series.cell(SUM);
        // Of one binding, though another thread binds the handle anew.
        let count = Cell {
            index: COUNT,
            ..sum
        };
        match segment.try_observe(count, sum, value) {
            Observed::Whole => {}
            Observed::Half => segment.add_to_sum(sum, value),
            Observed::Not => self.observe_slowly(value),
        }
    }

    fn observe_slowly(&self, value: f64) {
        self.series.update(|series, segment| {
            let sum = series.cell(SUM);
            let count = Cell {
                index: COUNT,
                ..sum
            };
            segment.add_int(count, 1)?;
            segment.add_to_sum(sum, value);
            Ok(())
        });
    }

    /// Observes the seconds until the timer is dropped.
    pub fn start_timer(&self) -> Timer<'_> {
        Timer::new(Observer::Summary(self))
    }

    /// Runs `f` and observes the seconds that it took.
    pub fn time<R>(&self, f: impl FnOnce() -> R) -> R {
        let started = Instant::now();
        let result = f();
        self.observe(started.elapsed().as_secs_f64());
        result
    }

    /// Whether updates go nowhere, because the board is off or refused the registration.
    pub fn is_sink(&self) -> bool {
        self.series.is_sink()
    }
}

impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Summary").finish_non_exhaustive()
    }
}
