//! What the macros give: a series of a board that moves to a wider definition by itself.

use super::builder::Settled;
use super::chain::Link;
use super::ledger::Ledger;
use super::names::{Definition, Names};
use crate::counter::Counter;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use metrics::{CounterFn, GaugeFn, HistogramFn, Key};

pub(super) struct Handle<M: 'static> {
    names: &'static Names<M>,
    key: Key,
    series: M,
    /// Of the series; `None` when there can be none.
    definition: Option<&'static Link<Definition<M>>>,
    /// Of counters.
    ledger: Option<&'static Ledger>,
}

impl<M: Settled> Handle<M> {
    pub(super) fn new(names: &'static Names<M>, key: &Key) -> Handle<M> {
        let (series, definition) = names.find(key);
        Handle {
            names,
            // Keeps what a caller lent: labels may be borrowed for a call.
            key: key.to_retained(),
            series,
            definition,
            ledger: None,
        }
    }

    /// Does something with the series that is shown.
    fn update(&self, update: impl Fn(&M)) {
        match self.definition {
            Some(definition) if !definition.is_last() => update(&self.names.find(&self.key).0),
            _ => update(&self.series),
        }
    }
}

impl Handle<Counter> {
    pub(super) fn with_ledger(mut self, ledger: &'static Ledger) -> Self {
        self.ledger = Some(ledger);
        self
    }
}

impl CounterFn for Handle<Counter> {
    fn increment(&self, value: u64) {
        self.update(|counter| counter.add(value));
    }

    fn absolute(&self, value: u64) {
        if let Some(ledger) = self.ledger {
            let grown = ledger.raise(&self.key, value);
            self.increment(grown);
        }
    }
}

impl GaugeFn for Handle<Gauge> {
    fn increment(&self, value: f64) {
        self.update(|gauge| gauge.add(value));
    }

    fn decrement(&self, value: f64) {
        self.update(|gauge| gauge.sub(value));
    }

    fn set(&self, value: f64) {
        self.update(|gauge| gauge.set(value));
    }
}

impl HistogramFn for Handle<Histogram> {
    fn record(&self, value: f64) {
        self.update(|histogram| histogram.observe(value));
    }
}
