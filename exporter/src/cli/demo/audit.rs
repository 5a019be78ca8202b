//! The board against the ledgers.

use tallyboard::{BoardOptions, Location, Number, Reader};

use super::crew::Crew;
use super::ledger::Entries;
use super::phase::{self, PHASES};
use crate::cli::failure::Failure;

/// Reads the board as a stranger would: attached read-only, by name.
pub(super) struct Auditor {
    reader: Reader,
    /// Whether a count was ever missing, or one too many.
    violations: u64,
}

/// One comparison.
pub(super) struct Books {
    pub(super) entries: Entries,
    pub(super) values: [u64; PHASES],
    /// Comparisons that failed, this one and all before it.
    pub(super) violations: u64,
}

impl Auditor {
    pub(super) fn attach(board: &Location) -> Result<Self, Failure> {
        let board = BoardOptions::new().attach_read_only(board)?;
        Ok(Self {
            reader: Reader::new(&board),
            violations: 0,
        })
    }

    /// Compares now. The three readings are made one after the other while the workers go
    /// on, each number only grows, and a worker writes `begun`, counts, writes `done`: so
    /// what was done before the value was read is in it, and what is in it has been begun
    /// when `begun` is read after it.
    pub(super) fn audit(&mut self, crew: &Crew) -> Books {
        let done = crew.entries().done;
        let values = self.values();
        let begun = crew.entries().begun;
        let mut books = Books {
            entries: Entries { begun, done },
            values,
            violations: 0,
        };
        if !books.are_right() {
            self.violations += 1;
        }
        books.violations = self.violations;
        books
    }

    fn values(&mut self) -> [u64; PHASES] {
        self.reader.refresh();
        let mut values = [0; PHASES];
        for family in self.reader.families() {
            let phase = phase::ALL
                .iter()
                .position(|phase| phase.counter == family.name);
            if let Some(phase) = phase {
                let series = family.series.iter();
                let numbers = series.filter_map(|series| self.reader.counter(series));
                values[phase] = numbers
                    .map(|number| match number {
                        Number::Int(value) => value,
                        Number::Float(value) => value as u64,
                    })
                    .sum();
            }
        }
        values
    }
}

impl Books {
    fn are_right(&self) -> bool {
        (0..PHASES).all(|phase| {
            let (done, begun) = (self.entries.done[phase], self.entries.begun[phase]);
            (done..=begun).contains(&self.values[phase])
        })
    }

    /// Fails if a comparison ever failed.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if self.violations == 0 {
            return Ok(());
        }
        Err(Failure::Failed(format!(
            "counts were lost or invented ({} comparisons failed): please report this",
            self.violations
        )))
    }

    /// Whether every phase was reached: without that the comparisons say nothing.
    pub(super) fn are_telling(&self) -> bool {
        !self.values.contains(&0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_between_done_and_begun() {
        let books = |done: u64, value: u64, begun: u64| Books {
            entries: Entries {
                begun: [begun; PHASES],
                done: [done; PHASES],
            },
            values: [value; PHASES],
            violations: 0,
        };
        assert!(books(1, 1, 1).are_right() && books(1, 2, 2).are_right());
        assert!(!books(2, 1, 2).are_right() && !books(1, 3, 2).are_right());
        assert!(books(1, 1, 1).are_telling() && !books(0, 0, 0).are_telling());
    }
}
