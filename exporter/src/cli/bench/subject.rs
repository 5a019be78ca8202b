//! What is measured: one update each, through the handle that programs use.
//!
//! A trait with methods that are always inlined, not closures: through a closure the
//! compiler may call what a program's own loop would have inlined.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tallyboard::{Counter, Gauge, Histogram, Summary};

use super::cost::UNROLL;

/// Something that can be updated again and again.
pub(super) trait Subject {
    /// Makes the update number `at`, below [`UNROLL`] and a constant in the measuring loop.
    fn update(&self, at: usize);
}

/// What everything is compared with.
#[derive(Default)]
pub(super) struct BareFetchAdd(AtomicU64);

/// `Counter::inc`.
pub(super) struct Inc(pub(super) Counter);

/// `Counter::add_f64`. Halves, whose sum is exact.
pub(super) struct AddHalf(pub(super) Counter);

/// `Gauge::set`.
pub(super) struct Set(pub(super) Gauge);

/// `Gauge::add`.
pub(super) struct Add(pub(super) Gauge);

/// Observed one after the other: most of the default buckets, in no order.
const OBSERVED: [f64; UNROLL] = [0.003, 0.7, 0.02, 3.0, 0.08, 20.0, 0.3, 0.007];

impl Subject for BareFetchAdd {
    #[inline(always)]
    fn update(&self, _: usize) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Subject for Inc {
    #[inline(always)]
    fn update(&self, _: usize) {
        self.0.inc();
    }
}

impl Subject for AddHalf {
    #[inline(always)]
    fn update(&self, _: usize) {
        self.0.add_f64(0.5);
    }
}

impl Subject for Set {
    #[inline(always)]
    fn update(&self, at: usize) {
        self.0.set(OBSERVED[at]);
    }
}

impl Subject for Add {
    #[inline(always)]
    fn update(&self, at: usize) {
        self.0.add(OBSERVED[at]);
    }
}

impl Subject for Histogram {
    #[inline(always)]
    fn update(&self, at: usize) {
        self.observe(OBSERVED[at]);
    }
}

impl Subject for Summary {
    #[inline(always)]
    fn update(&self, at: usize) {
        self.observe(OBSERVED[at]);
    }
}
