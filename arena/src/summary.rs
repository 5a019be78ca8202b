//! Summaries: the sum of observations in cell 0, their count in cell 1. No quantiles: they
//! cannot be added up over processes.

use crate::builder::Metric;
use crate::family::Kind;
use crate::histogram::{Observer, Timer};
use crate::planes::SUM;
use crate::series::Series;
use core::fmt;
use std::time::Instant;

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
        if !segment.try_observe(self.series.cell(COUNT), value) {
            self.observe_slowly(value);
        }
    }

    fn observe_slowly(&self, value: f64) {
        self.series
            .update(|series, segment| segment.observe(series.cell(COUNT), value));
    }

    /// Adds `count` observations that were made elsewhere and add up to `sum`. Otherwise as
    /// [`observe`](Self::observe), and at the cost of two.
    pub fn add_counted(&self, count: u64, sum: f64) {
        if count > 0 {
            self.series
                .update(|series, segment| segment.add_int(series.cell(COUNT), count));
        }
        if sum != 0.0 {
            self.series
                .update(|series, segment| segment.add_float(series.cell(SUM), sum));
        }
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

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use crate::{Board, Location, Reader};

    #[test]
    fn what_was_counted_elsewhere_is_added() {
        let board = Board::open(&Location::Private).unwrap();
        let sizes = board.summary("counted_bytes", "").register().unwrap();
        sizes.observe(0.5);
        sizes.add_counted(3, 8.0);
        sizes.add_counted(0, 0.0);
        let mut reader = Reader::new(&board);
        reader.refresh();
        let mut families = reader.families().iter();
        let family = families.find(|family| family.name == "counted_bytes");
        let series = family.unwrap().series.first().unwrap();
        assert_eq!(reader.summary(series), Some((4, 8.5)));
    }
}
