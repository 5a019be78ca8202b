//! A histogram's buckets, and what can be said from them.
//!
//! Those of a native one are its own, not the classic ones that are made of them: what lies below
//! its window, its buckets with the zero bucket among them, what lies above.

use std::ops::Range;

use tallyboard::{FamilyView, NativeCounts, Reader, SeriesView, Window};

use super::number;
use crate::encode::canonical_float;

/// How often each bucket was hit; not cumulative.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Distribution {
    /// Ascending, without +Inf.
    pub(super) bounds: Vec<f64>,
    /// One for each bound and one up to +Inf.
    pub(super) counts: Vec<u64>,
    pub(super) sum: f64,
    /// Of a native histogram.
    native: Option<Window>,
}

impl Distribution {
    /// Nothing observed yet.
    pub(super) fn empty(family: &FamilyView) -> Self {
        let bounds = match family.native {
            Some(window) => window.cell_bounds(),
            None => family.bounds.clone(),
        };
        Self {
            counts: vec![0; bounds.len() + 1],
            bounds,
            sum: 0.0,
            native: family.native,
        }
    }

    /// A series' now, in place of what was here; `None`: it has ended.
    pub(super) fn read(&mut self, reader: &Reader, series: SeriesView<'_>) -> Option<()> {
        if self.native.is_none() {
            self.sum = reader.histogram(series, &mut self.counts)?;
            return Some(());
        }
        let mut counts = NativeCounts::default();
        self.sum = reader.native(series, &mut counts)?;
        self.counts.copy_from_slice(counts.cells());
        Some(())
    }

    /// Takes another of the same bounds in.
    pub(super) fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.wrapping_add(*more);
        }
        self.sum += other.sum;
    }

    /// What has come since `before`; all of it if that is of other series or bounds.
    pub(super) fn since(&self, before: &Self) -> Self {
        let pairs = self.counts.iter().zip(&before.counts);
        if self.bounds != before.bounds || pairs.clone().any(|(now, then)| now < then) {
            return self.clone();
        }
        Self {
            bounds: self.bounds.clone(),
            counts: pairs.map(|(now, then)| now - then).collect(),
            sum: self.sum - before.sum,
            native: self.native,
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum: u64, count| sum.saturating_add(*count))
    }

    /// The mean; `None` of nothing.
    pub(super) fn mean(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum / count as f64)
    }

    /// Estimates a quantile as Prometheus's `histogram_quantile` does: evenly within a bucket,
    /// from 0 in the first if its bound is positive; beyond the last bound, that bound. In a
    /// native histogram's bucket evenly by ratio, as Prometheus 3 does, and in its zero bucket
    /// from 0 if nothing is below. `None` of nothing, or where there is no bound.
    pub(super) fn quantile(&self, quantile: f64) -> Option<f64> {
        let count = self.count();
        let last = *self.bounds.last()?;
        if count == 0 {
            return None;
        }
        let rank = quantile * count as f64;
        let mut below = 0.0;
        for (index, events) in self.counts.iter().enumerate() {
            let events = *events as f64;
            if below + events < rank || events == 0.0 {
                below += events;
                continue;
            }
            let Some(upper) = self.bounds.get(index).copied() else {
                return Some(last);
            };
            let is_zero = self.native.is_some_and(|window| window.zero() == index);
            let lower = match index.checked_sub(1) {
                Some(_) if is_zero && below == 0.0 => 0.0,
                Some(before) => self.bounds[before],
                None if upper > 0.0 => 0.0,
                None => return Some(upper),
            };
            let part = (rank - below) / events;
            return Some(match self.native {
                Some(_) if !is_zero => lower * (upper / lower).powf(part),
                _ => lower + (upper - lower) * part,
            });
        }
        Some(last)
    }

    /// A bound, for people: to four digits where nobody has chosen it.
    pub(super) fn bound(&self, bound: f64) -> String {
        match self.native {
            Some(_) => number::rounded(bound),
            None => canonical_float(bound),
        }
    }

    /// Which buckets are a line each, from the first that holds something to the last. Of a native
    /// histogram, neighbours that have every second bound, or every fourth, … of a coarser one
    /// are put together until there are at most so many.
    pub(super) fn lines(&self, most: usize) -> Vec<Range<usize>> {
        let is_hit = |count: &u64| *count > 0;
        let first = self.counts.iter().position(is_hit).unwrap_or(0);
        let last = self.counts.iter().rposition(is_hit).unwrap_or(0);
        let Some(window) = self.native else {
            return (first..=last).map(|at| at..at + 1).collect();
        };
        let lines = |shift| {
            let mut lines: Vec<Range<usize>> = Vec::new();
            let mut before = None;
            for at in first..=last {
                let this = self.coarser(&window, at, shift);
                match lines.last_mut() {
                    Some(line) if before == Some(this) => line.end = at + 1,
                    _ => lines.push(at..at + 1),
                }
                before = Some(this);
            }
            lines
        };
        let shifts = 0..i32::BITS;
        let mut tried = shifts.map(lines);
        let fits = tried.find(|lines| lines.len() <= most);
        fits.unwrap_or_else(|| lines(i32::BITS - 1))
    }

    /// Which bucket of a coarser schema the one at this place lies in: its side, and its index.
    fn coarser(&self, window: &Window, at: usize, shift: u32) -> (i8, i32) {
        let from_zero = at.abs_diff(window.zero()) as i32;
        let side = match at.cmp(&window.zero()) {
            std::cmp::Ordering::Less => -1,
            std::cmp::Ordering::Equal => return (0, 0),
            std::cmp::Ordering::Greater => 1,
        };
        // What is outside of the window is not its end.
        if at == 0 || at + 1 == self.counts.len() {
            return (2 * side, 0);
        }
        let index = window.first_index() + from_zero - 1;
        // Rounded up: a bucket is named by its upper bound.
        (side, -(-index >> shift))
    }
}

#[cfg(test)]
mod tests {
    use tallyboard::Native;

    use super::super::test_board;
    use super::*;

    /// Of one series with these observations.
    fn read(name: &str, native: Option<Native>, values: &[f64]) -> Distribution {
        let (_directory, board) = test_board();
        let waits = board.histogram(name, "").buckets(&[1.0, 2.0, 4.0]);
        let waits = match native {
            Some(native) => board.histogram(name, "").native(native),
            None => waits,
        };
        let waits = waits.register().unwrap();
        for value in values {
            waits.observe(*value);
        }
        let mut reader = Reader::new(&board);
        reader.refresh();
        let family = &reader.families()[0];
        let mut distribution = Distribution::empty(family);
        distribution
            .read(&reader, family.series.first().unwrap())
            .unwrap();
        distribution
    }

    fn of(counts: &[u64]) -> Distribution {
        Distribution {
            bounds: vec![1.0, 2.0, 4.0],
            counts: counts.to_vec(),
            sum: 10.0,
            native: None,
        }
    }

    #[test]
    fn quantiles_are_those_of_histogram_quantile() {
        // Worked out by hand: ranks 1, 5, 7.5 and 9.9 among ten observations.
        let distribution = of(&[2, 4, 2, 2]);
        for (quantile, value) in [(0.1, 0.5), (0.5, 1.75), (0.75, 3.5), (0.99, 4.0)] {
            assert_eq!(distribution.quantile(quantile), Some(value));
        }
        assert_eq!(distribution.mean(), Some(1.0));
        assert_eq!(of(&[0; 4]).quantile(0.5), None);
        assert_eq!(Distribution::default().quantile(0.5), None);
        assert_eq!(read("classic", None, &[0.5, 1.5, 9.0]).counts, [1, 1, 0, 1]);
        assert_eq!(distribution.lines(2).len(), 4);
    }

    #[test]
    fn a_native_histogram_has_its_own_buckets() {
        // Bounds at every power of two from 1 to 64.
        let native = Native::new().schema(0).range(1.5, 64.0);
        let values = [1.5, 3.0, 5.0, 6.0, 20.0, 20.0, 40.0, 60.0];
        let distribution = read("doubling", Some(native), &values);
        let found: Vec<f64> = [0.25, 0.5, 1.0]
            .map(|quantile| distribution.quantile(quantile).unwrap())
            .to_vec();
        // The second of two is the end of its bucket; the two above 4 lie at 4·√2 and 8.
        assert_eq!(found, [4.0, 8.0, 64.0]);
        let root = distribution.quantile(3.0 / 8.0).unwrap();
        assert!((root - 4.0 * 2.0_f64.sqrt()).abs() < 1e-12, "{root}");
        // From (1, 2] to (32, 64], then by whole multiples of two doublings.
        let lines = |most| {
            let lines = distribution.lines(most).into_iter();
            let count = |line: Range<usize>| distribution.counts[line].iter().sum::<u64>();
            lines.map(count).collect::<Vec<u64>>()
        };
        assert_eq!(lines(6), [1, 1, 2, 0, 2, 2]);
        assert_eq!(lines(3), [2, 2, 4]);
        assert_eq!(lines(1), [8]);
    }

    #[test]
    fn a_native_histograms_edges_are_no_buckets() {
        let native = Native::new().schema(0).range(1.5, 64.0);
        let values = [-5.0, 0.0, 0.5, 2.0, 100.0];
        let unsigned = read("edges", Some(native), &values);
        let lines = unsigned.lines(1);
        assert_eq!((lines.len(), &lines[0], &lines[1]), (4, &(0..1), &(1..2)));
        assert_eq!(unsigned.quantile(0.01), Some(-1.0));
        assert_eq!(unsigned.quantile(0.99), Some(64.0));
        // Nothing is below zero: half of the zero bucket's two are below its half.
        let positive = read("positive", Some(native), &values[1..]);
        assert_eq!(positive.quantile(0.25), Some(0.5));
        let signed = read("signed", Some(native.with_negative()), &[-3.0, -1.5, 3.0]);
        assert_eq!(signed.quantile(1.0 / 3.0), Some(-2.0));
        assert_eq!(signed.lines(9).len(), 5);
    }

    #[test]
    fn what_came_since_is_the_difference() {
        let (before, now) = (of(&[1, 1, 0, 0]), of(&[1, 3, 0, 1]));
        assert_eq!(now.since(&before).counts, [0, 2, 0, 1]);
        // Another life of the series.
        assert_eq!(before.since(&now).counts, before.counts);
    }
}
