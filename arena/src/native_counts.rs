//! A reader's view of one native histogram.

use crate::window::Window;

/// What a native histogram has counted, of all its buckets at one moment. A buffer that can be
/// used again: [`BoardView::native`](crate::BoardView::native) fills it.
#[derive(Clone, Debug, Default)]
pub struct NativeCounts {
    window: Option<Window>,
    /// Of the cells, in their order.
    counts: Vec<u64>,
}

impl NativeCounts {
    /// For this window, to be filled.
    pub(crate) fn begin(&mut self, window: Window) -> &mut [u64] {
        self.window = Some(window);
        self.counts.clear();
        self.counts.resize(window.counts(), 0);
        &mut self.counts
    }

    /// Observations in all.
    pub fn count(&self) -> u64 {
        self.counts.iter().copied().fold(0, u64::wrapping_add)
    }

    /// All that was counted, in the order of the values: what lies below the lowest bucket, the
    /// buckets from there on with the zero bucket among them, what lies above the highest.
    pub fn cells(&self) -> &[u64] {
        &self.counts
    }

    /// Observations below the lowest bucket: they are shown in it.
    pub fn below(&self) -> u64 {
        self.counts.first().copied().unwrap_or(0)
    }

    /// Observations above the highest bucket, NaN among them: they are shown in it.
    pub fn above(&self) -> u64 {
        self.counts.last().copied().unwrap_or(0)
    }

    /// Observations in the zero bucket. Where there are no buckets for negative ones, these are
    /// in it.
    pub fn zero(&self) -> u64 {
        let Some(window) = self.window else {
            return 0;
        };
        let zero = self.counts[window.zero()];
        match window.is_signed() {
            true => zero,
            false => zero.wrapping_add(self.below()),
        }
    }

    /// Observations above the zero bucket: index and count of each bucket that is not empty,
    /// ascending.
    pub fn positive(&self) -> impl Iterator<Item = (i32, u64)> {
        let from_zero = self.window.map(|window| &self.counts[window.zero() + 1..]);
        buckets(self.window, from_zero.into_iter().flatten().copied())
    }

    /// Observations below the zero bucket, by the index of the bucket that mirrors theirs: as
    /// [`positive`](Self::positive), away from zero.
    pub fn negative(&self) -> impl Iterator<Item = (i32, u64)> {
        let window = self.window.filter(Window::is_signed);
        let from_zero = window.map(|window| &self.counts[..window.zero()]);
        buckets(window, from_zero.into_iter().flatten().rev().copied())
    }

    /// As classic buckets, which agree with these: one count for each of the family's bounds and
    /// one up to +Inf, not cumulative.
    pub fn classic(&self, buckets: &mut [u64]) {
        match self.window {
            Some(window) => window.classic_counts(&self.counts, buckets),
            None => buckets.fill(0),
        }
    }
}

/// The buckets of one side from zero on, and behind them what lies outside, which the last takes.
fn buckets(
    window: Option<Window>,
    mut counts: impl Iterator<Item = u64>,
) -> impl Iterator<Item = (i32, u64)> {
    let (first, last) = window.map_or((0, 0), |w| (w.first_index(), w.last_index()));
    let mut index = first;
    core::iter::from_fn(move || {
        let mut count = counts.next()?;
        let here = index;
        if here == last {
            count = count.wrapping_add(counts.next().unwrap_or(0));
        }
        index += 1;
        Some((here, count))
    })
    .filter(|(_, count)| *count != 0)
}
