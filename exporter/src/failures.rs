//! How many scrapes were not answered to their end, and why.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Why a scrape was not answered to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// As many were being answered as are allowed at once.
    Busy,
    /// The time that the client gives was over.
    Late,
    /// A board lost its memory, or the exporter failed.
    Broken,
}

/// All of them, and how `reason` says each.
pub(crate) const REASONS: [(Reason, &str); 3] = [
    (Reason::Busy, "busy"),
    (Reason::Late, "late"),
    (Reason::Broken, "broken"),
];

/// A counter for each reason. Relaxed: they say nothing about other memory.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    busy: AtomicU64,
    late: AtomicU64,
    broken: AtomicU64,
}

impl Failures {
    /// Counts one.
    pub(crate) fn count(&self, reason: Reason) {
        self.of(reason).fetch_add(1, Relaxed);
    }

    /// How many there were.
    pub(crate) fn number(&self, reason: Reason) -> u64 {
        self.of(reason).load(Relaxed)
    }

    fn of(&self, reason: Reason) -> &AtomicU64 {
        match reason {
            Reason::Busy => &self.busy,
            Reason::Late => &self.late,
            Reason::Broken => &self.broken,
        }
    }
}
