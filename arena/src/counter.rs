//! Counters: an integer cell and a float cell, whose sum is the value.
//!
//! So `inc()` from any language is an exact integer add, `add_f64(0.5)` works on the same
//! counter, and two programs never disagree about its type.

use crate::builder::Metric;
use crate::family::Kind;
use crate::series::Series;
use core::fmt;

const INTEGER: u32 = 0;
const FLOAT: u32 = 1;

/// A counter has one exemplar.
const EXEMPLAR_PLACE: usize = 0;

/// A counter's value: exact while only integers were added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Only integers were added.
    Int(u64),
    /// Fractions were added too.
    Float(f64),
}

impl Number {
    /// The sum of a counter's two cells.
    pub(crate) fn sum(integers: u64, floats: f64) -> Number {
        if floats == 0.0 {
            Number::Int(integers)
        } else {
            Number::Float(integers as f64 + floats)
        }
    }

    /// The value as Prometheus stores it; integers above 2^53 are rounded.
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        }
    }
}

/// A counter on a board. Adds from all processes sum up; it never goes down.
#[derive(Clone)]
pub struct Counter {
    pub(crate) series: Series<()>,
}

impl Metric for Counter {
    const KIND: Kind = Kind::Counter;
    type Places = ();

    #[inline]
    fn of(series: Series<()>) -> Self {
        Counter { series }
    }

    #[inline]
    fn series(&self) -> &Series<()> {
        &self.series
    }
}

impl Counter {
    /// A counter whose updates go nowhere.
    pub fn sink() -> Counter {
        Metric::sink()
    }

    /// Adds one. No syscall, no lock; about a nanosecond. Safe in a signal handler and
    /// after `fork`. A scrape that runs at the same time may or may not see it. If the series
    /// was removed, it is registered again, from zero; if the board was, on the one that has
    /// its place now. A CPU's first update on a board, by whatever process, is one syscall: it
    /// reserves that CPU's plane.
    #[inline(always)]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`. As [`inc`](Self::inc); the integer part wraps at 2^64.
    #[inline(always)]
    pub fn add(&self, n: u64) {
        if let Some(segment) = self.series.segment()
            && !segment.try_add_int(self.series.cell(INTEGER), n)
        {
            self.series
                .update(|series, segment| segment.add_int(series.cell(INTEGER), n));
        }
    }

    /// Adds `x`; false, and nothing is added, if it is negative, NaN or infinite. As
    /// [`inc`](Self::inc) otherwise.
    #[inline(always)]
    pub fn add_f64(&self, x: f64) -> bool {
        if !(0.0..=f64::MAX).contains(&x) {
            return false;
        }
        if let Some(segment) = self.series.segment()
            && !segment.try_add_float(self.series.cell(FLOAT), x)
        {
            self.series
                .update(|series, segment| segment.add_float(series.cell(FLOAT), x));
        }
        true
    }

    /// Adds one and makes it the counter's exemplar; as
    /// [`add_with_exemplar`](Self::add_with_exemplar).
    // Inlined, as the next two, so that this crate has no slow path of its own for `add`: where a
    // program's shares it, the quick one has to put the amount into memory for it.
    #[inline]
    pub fn inc_with_exemplar(&self, labels: &[(&str, &str)]) {
        self.add_with_exemplar(1, labels);
    }

    /// Adds `n`, as [`add`](Self::add), and makes it the counter's exemplar: where one of the
    /// additions came from, such as a trace. The last one of all processes stays, until the
    /// series ends. Lock-free, no allocation, safe in a signal handler and after `fork`; about a
    /// microsecond, and in a process that has not registered anything yet some syscalls.
    ///
    /// The labels' names are not empty, differ and do not begin with `__`, and names and values
    /// are 128 characters together at most. An exemplar that is refused, for that or because the
    /// board is full (it takes a slot, and another for the moment of the change), is counted by
    /// its reason; the addition is made in any case. On a board that has used up half of its
    /// serial numbers, one stays for a second.
    #[inline]
    pub fn add_with_exemplar(&self, n: u64, labels: &[(&str, &str)]) {
        self.add(n);
        self.series.exemplify(EXEMPLAR_PLACE, n as f64, labels);
    }

    /// Adds `x`, as [`add_f64`](Self::add_f64), and makes it the counter's exemplar, as
    /// [`add_with_exemplar`](Self::add_with_exemplar). False, and neither is done, if it is
    /// negative, NaN or infinite.
    #[inline]
    pub fn add_f64_with_exemplar(&self, x: f64, labels: &[(&str, &str)]) -> bool {
        let is_added = self.add_f64(x);
        if is_added {
            self.series.exemplify(EXEMPLAR_PLACE, x, labels);
        }
        is_added
    }

    /// The value over all processes; 0 for a sink or a series that has ended. Reads a few words
    /// for each CPU and allocates: for tests and displays, not for loops.
    pub fn get(&self) -> Number {
        let life = self.series.life();
        life.and_then(|(segment, bound)| segment.read_counter(bound))
            .unwrap_or(Number::Int(0))
    }

    /// Whether updates go nowhere, because the board is off or refused the registration.
    pub fn is_sink(&self) -> bool {
        self.series.is_sink()
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counter").field(&self.get()).finish()
    }
}
