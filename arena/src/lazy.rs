//! Metrics in statics: declared in a constant expression, registered at first use.

use crate::board::Board;
use crate::builder::Metric;
use crate::counter::Counter;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use core::ops::Deref;
use std::sync::OnceLock;

type Labels = &'static [(&'static str, &'static str)];

/// A counter in a static, on the default board. If the board cannot be opened or refuses
/// it, updates go nowhere. The first use opens the board (some syscalls and allocations), so
/// it must not be in a signal handler; every later one costs a load and a branch more than
/// the counter itself.
///
/// # Examples
/// ```
/// use tallyboard::LazyCounter;
/// static SERVED: LazyCounter = LazyCounter::new("requests_served_total", "Requests served.");
/// # // SAFETY: nothing else runs in a doctest.
/// # unsafe { std::env::set_var("TALLYBOARD", "private") };
/// SERVED.inc();
/// ```
#[derive(Debug)]
pub struct LazyCounter {
    name: &'static str,
    help: &'static str,
    labels: Labels,
    metric: OnceLock<Counter>,
}

/// A gauge in a static, on the default board; see [`LazyCounter`].
#[derive(Debug)]
pub struct LazyGauge {
    name: &'static str,
    help: &'static str,
    labels: Labels,
    metric: OnceLock<Gauge>,
}

/// A histogram in a static, on the default board; see [`LazyCounter`].
#[derive(Debug)]
pub struct LazyHistogram {
    name: &'static str,
    help: &'static str,
    labels: Labels,
    bounds: &'static [f64],
    metric: OnceLock<Histogram>,
}

impl LazyCounter {
    /// A counter without labels. `inc` through it costs one more load and branch.
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self::with_labels(name, help, &[])
    }

    /// A counter with these labels, as `(name, value)`.
    pub const fn with_labels(name: &'static str, help: &'static str, labels: Labels) -> Self {
        LazyCounter {
            name,
            help,
            labels,
            metric: OnceLock::new(),
        }
    }
}

impl LazyGauge {
    /// A gauge without labels.
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self::with_labels(name, help, &[])
    }

    /// A gauge with these labels, as `(name, value)`.
    pub const fn with_labels(name: &'static str, help: &'static str, labels: Labels) -> Self {
        LazyGauge {
            name,
            help,
            labels,
            metric: OnceLock::new(),
        }
    }
}

impl LazyHistogram {
    /// A histogram without labels, with these bounds.
    pub const fn new(name: &'static str, help: &'static str, bounds: &'static [f64]) -> Self {
        Self::with_labels(name, help, bounds, &[])
    }

    /// A histogram with these bounds and labels, as `(name, value)`.
    pub const fn with_labels(
        name: &'static str,
        help: &'static str,
        bounds: &'static [f64],
        labels: Labels,
    ) -> Self {
        LazyHistogram {
            name,
            help,
            labels,
            bounds,
            metric: OnceLock::new(),
        }
    }
}

/// The metric in `cell`, registered on the default board if it is not there yet. Registered
/// outside the cell: a child that is forked meanwhile must not find it taken for ever.
fn registered<M: Metric>(
    cell: &OnceLock<M>,
    labels: Labels,
    declare: impl FnOnce(&Board) -> crate::Builder<M>,
) -> &M {
    if let Some(metric) = cell.get() {
        return metric;
    }
    let register = || {
        let board = Board::open_default().ok()?;
        let builder = labels
            .iter()
            .fold(declare(&board), |builder, (name, value)| {
                builder.label(name, value)
            });
        builder.register().ok()
    };
    // Of two threads that come here at once, both have registered the same series.
    let metric = register().unwrap_or_else(M::sink);
    cell.get_or_init(|| metric)
}

impl Deref for LazyCounter {
    type Target = Counter;

    fn deref(&self) -> &Counter {
        registered(&self.metric, self.labels, |board| {
            board.counter(self.name, self.help)
        })
    }
}

impl Deref for LazyGauge {
    type Target = Gauge;

    fn deref(&self) -> &Gauge {
        registered(&self.metric, self.labels, |board| {
            board.gauge(self.name, self.help)
        })
    }
}

impl Deref for LazyHistogram {
    type Target = Histogram;

    fn deref(&self) -> &Histogram {
        registered(&self.metric, self.labels, |board| {
            board.histogram(self.name, self.help).buckets(self.bounds)
        })
    }
}
