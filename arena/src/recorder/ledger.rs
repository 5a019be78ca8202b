//! What this process has set its counters to, for `absolute`.

use super::table::Table;
use crate::sync::Ordering;
use crate::sync::plain::AtomicU64;
use metrics::Key;

/// The counters that were ever set to an absolute value.
#[derive(Default)]
pub(super) struct Ledger(Table<Entry>);

struct Entry {
    key: Key,
    // Relaxed: nothing is read by what it says but itself.
    value: AtomicU64,
}

impl Ledger {
    /// Sets a counter's value to at least `value`; by how much that was more than before.
    pub(super) fn raise(&self, key: &Key, value: u64) -> u64 {
        let entry = self.0.find_or_add(
            key,
            |entry| entry.key == *key,
            || Entry {
                key: key.clone(),
                value: AtomicU64::new(0),
            },
        );
        value.saturating_sub(entry.value.fetch_max(value, Ordering::Relaxed))
    }
}
