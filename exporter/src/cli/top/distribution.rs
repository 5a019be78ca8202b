//! A histogram's buckets, and what can be said from them.

/// How often each bucket was hit; not cumulative.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Distribution {
    /// Ascending, without +Inf.
    pub(super) bounds: Vec<f64>,
    /// One for each bound and one up to +Inf.
    pub(super) counts: Vec<u64>,
    pub(super) sum: f64,
}

impl Distribution {
    /// Nothing observed yet.
    pub(super) fn empty(bounds: &[f64]) -> Self {
        Self {
            bounds: bounds.to_vec(),
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
        }
    }

    /// Takes another of the same bounds in.
    pub(super) fn add(&mut self, counts: &[u64], sum: f64) {
        for (count, more) in self.counts.iter_mut().zip(counts) {
            *count = count.wrapping_add(*more);
        }
        self.sum += sum;
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
    /// from 0 in the first if its bound is positive; beyond the last bound, that bound. `None`
    /// of nothing, or where there is no bound.
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
            let lower = match index.checked_sub(1) {
                Some(before) => self.bounds[before],
                None if upper > 0.0 => 0.0,
                None => return Some(upper),
            };
            return Some(lower + (upper - lower) * (rank - below) / events);
        }
        Some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &[u64]) -> Distribution {
        let mut distribution = Distribution::empty(&[1.0, 2.0, 4.0]);
        distribution.add(counts, 10.0);
        distribution
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
        assert_eq!(Distribution::empty(&[]).quantile(0.5), None);
    }

    #[test]
    fn what_came_since_is_the_difference() {
        let (before, now) = (of(&[1, 1, 0, 0]), of(&[1, 3, 0, 1]));
        assert_eq!(now.since(&before).counts, [0, 2, 0, 1]);
        // Another life of the series.
        assert_eq!(before.since(&now).counts, before.counts);
    }
}
