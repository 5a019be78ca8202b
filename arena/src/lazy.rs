//! Metrics in statics: declared in a constant expression, registered at first use.

use crate::board::Board;
use crate::builder::{Binding, Metric};
use crate::counter::Counter;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use core::ops::Deref;
use std::sync::OnceLock;

type Labels = &'static [(&'static str, &'static str)];

/// A counter in a static, on the default board. If the board cannot be opened or refuses
/// it, updates go nowhere.
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

/// Registers on the default board; the first use of a static must not be in a signal
/// handler, since it opens the board.
fn on_default_board<M: Metric>(
    labels: Labels,
    declare: impl FnOnce(&Board) -> crate::Builder<M>,
) -> M {
    let Ok(board) = Board::open_default() else {
        return M::bind(Binding::sink());
    };
    labels
        .iter()
        .fold(declare(&board), |builder, (name, value)| {
            builder.label(name, value)
        })
        .register_or_sink()
}

impl Deref for LazyCounter {
    type Target = Counter;

    fn deref(&self) -> &Counter {
        self.metric.get_or_init(|| {
            on_default_board(self.labels, |board| board.counter(self.name, self.help))
        })
    }
}

impl Deref for LazyGauge {
    type Target = Gauge;

    fn deref(&self) -> &Gauge {
        self.metric.get_or_init(|| {
            on_default_board(self.labels, |board| board.gauge(self.name, self.help))
        })
    }
}

impl Deref for LazyHistogram {
    type Target = Histogram;

    fn deref(&self) -> &Histogram {
        self.metric.get_or_init(|| {
            on_default_board(self.labels, |board| {
                board.histogram(self.name, self.help).buckets(self.bounds)
            })
        })
    }
}
