//! Gauges that keep the value written last: one pair of the shared plane.

use crate::builder::{Binding, Metric};
use crate::clock;
use crate::family::Kind;
use crate::series::Series;
use core::fmt;

const VALUE: u32 = 0;

/// A gauge on a board: the last write by any process wins, and `inc` and `dec` by several
/// processes add up.
#[derive(Clone)]
pub struct Gauge {
    series: Series,
}

impl Metric for Gauge {
    const KIND: Kind = Kind::Gauge;

    #[inline]
    fn bind(binding: Binding) -> Option<Self> {
        Some(Gauge {
            series: binding.series,
        })
    }

    fn sink() -> Self {
        Gauge {
            series: Series::sink(),
        }
    }
}

impl Gauge {
    /// A gauge whose updates go nowhere.
    pub fn sink() -> Gauge {
        Metric::sink()
    }

    /// Sets the value. No syscall, no lock: one 16-byte compare-and-swap, repeated only
    /// when another process changed the value in between. Safe in a signal handler and
    /// after `fork`.
    #[inline]
    pub fn set(&self, value: f64) {
        self.change(|_| value.to_bits());
    }

    /// Adds `amount`, which may be negative. Cost as [`set`](Self::set).
    #[inline]
    pub fn add(&self, amount: f64) {
        self.change(|bits| (f64::from_bits(bits) + amount).to_bits());
    }

    /// Subtracts `amount`. Cost as [`set`](Self::set).
    #[inline]
    pub fn sub(&self, amount: f64) {
        self.add(-amount);
    }

    /// Adds one. Cost as [`set`](Self::set).
    #[inline]
    pub fn inc(&self) {
        self.add(1.0);
    }

    /// Subtracts one. Cost as [`set`](Self::set).
    #[inline]
    pub fn dec(&self) {
        self.add(-1.0);
    }

    /// Sets the value to the time now, in seconds since 1970. Also reads the clock (vDSO).
    pub fn set_to_current_time(&self) {
        self.set(clock::unix_nanos() as f64 / 1e9);
    }

    #[inline]
    fn change(&self, change: impl Fn(u64) -> u64) {
        if let Some((segment, cell)) = self.series.cell(VALUE) {
            if segment.try_add_shared(cell, &change) {
                return;
            }
            // A series that has ended takes no more: nothing to be done about it.
            let _ = segment.add_shared(cell, change);
        }
    }

    /// The value; 0 if it was never set, for a sink, and for a series that has ended. A few
    /// loads.
    pub fn get(&self) -> f64 {
        let life = self.series.life();
        life.and_then(|(segment, bound)| segment.read_gauge(bound))
            .unwrap_or(0.0)
    }

    /// Whether updates go nowhere, because the board is off or refused the registration.
    pub fn is_sink(&self) -> bool {
        self.series.is_sink()
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gauge").field(&self.get()).finish()
    }
}
