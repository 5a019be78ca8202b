//! What the macros give: a series of a board that moves to a wider definition by itself.

use super::builder::Settled;
use super::chain::{Chain, Link};
use super::names::{Definition, Names};
use crate::counter::Counter;
use crate::gauge::Gauge;
use crate::histogram::Histogram;
use crate::sync::Ordering;
use crate::sync::plain::AtomicU64;
use metrics::{CounterFn, GaugeFn, HistogramFn, Key};
use std::hash::{DefaultHasher, Hash, Hasher};

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

/// Lists, of which each has some of the counters that were ever set to an absolute value.
const LISTS: usize = 64;

/// What this process has set its counters to.
pub(super) struct Ledger {
    lists: [Chain<Entry>; LISTS],
}

struct Entry {
    key: Key,
    // Relaxed: nothing is read by what it says but itself.
    value: AtomicU64,
}

impl Default for Ledger {
    fn default() -> Ledger {
        Ledger {
            lists: std::array::from_fn(|_| Chain::default()),
        }
    }
}

impl Ledger {
    /// Sets a counter's value to at least `value`; by how much that was more than before.
    fn raise(&self, key: &Key, value: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        // Below LISTS, whatever the width of a usize is.
        let list = &self.lists[hasher.finish() as usize % LISTS];
        let entry = list.find_or_add(
            |entry| entry.key == *key,
            || Entry {
                key: key.clone(),
                value: AtomicU64::new(0),
            },
        );
        value.saturating_sub(entry.value.fetch_max(value, Ordering::Relaxed))
    }
}
