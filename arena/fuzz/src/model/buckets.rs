//! The buckets of a native histogram: LAYOUT.md §14.

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
        let bound = |index: i32| f64::from(index).exp2();
        let highest = self.first + self.count as i32 - 1;
        let positive = (self.first - 1..=highest).map(bound);
        let negative = (self.first - 1..=highest).rev().map(|index| -bound(index));
        // What ends a cell, and whether it is in it: the zero bucket has both of its ends, the
        // buckets below it are the mirror images of those above.
        let is_beyond: Vec<bool> = match self.is_signed {
            true => negative
                .map(|bound| x >= bound)
                .chain(positive.map(|bound| x > bound))
                .collect(),
            false => [x >= -bound(self.first - 1)]
                .into_iter()
                .chain(positive.map(|bound| x > bound))
                .collect(),
        };
        match x.is_nan() {
            true => self.cells() - 1,
            false => is_beyond.iter().filter(|beyond| **beyond).count(),
        }
    }

    /// The bounds of the classic buckets that stand for them: they double, too.
    pub(super) fn classic_bounds(&self) -> Vec<f64> {
        let last = self.first + self.count as i32 - 1;
        (self.first - 1..=last)
            .map(|index| f64::from(index).exp2())
            .collect()
    }
}
