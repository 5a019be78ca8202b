//! The buckets of a native histogram.

use tallyboard::Native;

/// The buckets of a native histogram, and the cells that LAYOUT.md §10 gives it.
#[derive(Debug)]
pub struct Buckets {
    /// As it is asked for.
    pub native: Native,
    /// Each doubles: from 2^`first` - 1 on.
    pub first: i32,
    /// On each side.
    pub count: usize,
    /// Whether there are two.
    pub is_signed: bool,
}

impl Buckets {
    /// Beside the sum's.
    pub fn cells(&self) -> usize {
        self.count * (1 + usize::from(self.is_signed)) + 3
    }

    /// The cell of a value: they ascend with the values, and NaN is in the last.
    pub(super) fn cell(&self, x: f64) -> usize {
        // What ends a cell, and whether it is in it: the zero bucket has both of its ends, the
        // buckets below it, where there are any, are the mirror images of those above.
        let without = if self.is_signed { 0 } else { self.count };
        let negative = self.bounds().rev().skip(without).map(|bound| x >= -bound);
        let positive = self.bounds().map(|bound| x > bound);
        match x.is_nan() {
            true => self.cells() - 1,
            false => negative.chain(positive).filter(|beyond| *beyond).count(),
        }
    }

    /// Of the positive ones, and of the classic ones that stand for them: they double, too.
    pub(super) fn bounds(&self) -> impl DoubleEndedIterator<Item = f64> {
        let last = self.first + self.count as i32 - 1;
        (self.first - 1..=last).map(|index| f64::from(index).exp2())
    }
}
