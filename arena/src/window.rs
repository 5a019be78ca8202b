//! The window of a native histogram: which buckets it has, and which cell counts what.
//!
//! Prometheus lets buckets come as values do. Here they are fixed by the definition, so that an
//! update stays one add to a cell that is known beforehand: `buckets` of them from `first`, on
//! the positive side or on both. The zero bucket ends where the first bucket begins, and what
//! lies beyond the last is counted for itself. The cells ascend with the values that they count;
//! LAYOUT.md §10.

use crate::exponential::{SCHEMAS, bound, ceil_shift, coarser, has_bound, index_of};
use crate::layout::{MAX_CHAIN, UNIT_CELLS};

/// Integer cells beside the buckets: below, zero and above.
const OTHERS: usize = 3;
/// Buckets that a series' cells have room for beside those and the sum.
const MOST_BUCKETS: usize = MAX_CHAIN * UNIT_CELLS - OTHERS - 1;
/// Classic buckets that a window is shown with at most, but for the one up to +Inf: every
/// reader shows the same ones, LAYOUT.md §10.
const MOST_CLASSIC: usize = 24;

/// The buckets of a native histogram, as they are on a board.
///
/// The bucket with index `i` holds what is above 2^((i − 1) / 2^schema) and not above
/// 2^(i / 2^schema).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    schema: i8,
    is_signed: bool,
    buckets: u16,
    first: i32,
}

impl Window {
    pub(crate) fn new(schema: i8, is_signed: bool, buckets: u16, first: i32) -> Option<Window> {
        let window = Window {
            schema,
            is_signed,
            buckets,
            first,
        };
        let fits = SCHEMAS.contains(&schema)
            && (1..=Window::most_buckets(is_signed)).contains(&usize::from(buckets))
            && first
                .checked_sub(1)
                .is_some_and(|zero| has_bound(zero, schema))
            && has_bound(first + i32::from(buckets) - 1, schema);
        fits.then_some(window)
    }

    /// The most that a series can have on each side.
    pub(crate) fn most_buckets(is_signed: bool) -> usize {
        MOST_BUCKETS / (1 + usize::from(is_signed))
    }

    /// As it is in a definition's key.
    pub(crate) fn to_bytes(self) -> [u8; 8] {
        let [low, high] = self.buckets.to_le_bytes();
        let [a, b, c, d] = self.first.to_le_bytes();
        let sides = 1 + u8::from(self.is_signed);
        [self.schema.to_le_bytes()[0], sides, low, high, a, b, c, d]
    }

    /// The inverse of [`to_bytes`](Self::to_bytes); `None` for bytes that it does not make.
    pub(crate) fn of_bytes(bytes: [u8; 8]) -> Option<Window> {
        let [schema, sides, low, high, first @ ..] = bytes;
        let is_signed = match sides {
            1 => false,
            2 => true,
            _ => return None,
        };
        let (schema, buckets) = (schema as i8, u16::from_le_bytes([low, high]));
        Window::new(schema, is_signed, buckets, i32::from_le_bytes(first))
    }

    /// How fine the buckets are, from -4 to 8: each bound is 2^(2^-schema) times the one before.
    pub fn schema(&self) -> i8 {
        self.schema
    }

    /// The index of the lowest bucket.
    pub fn first_index(&self) -> i32 {
        self.first
    }

    /// The index of the highest bucket.
    pub fn last_index(&self) -> i32 {
        self.first + i32::from(self.buckets) - 1
    }

    /// Whether there are as many buckets again for negative observations.
    pub fn is_signed(&self) -> bool {
        self.is_signed
    }

    /// The upper bound of the bucket with this index, which it contains. `None` where that is
    /// no normal number.
    pub fn bound(&self, index: i32) -> Option<f64> {
        has_bound(index, self.schema).then(|| bound(index, self.schema))
    }

    /// What is as near to 0 as this, or nearer, is in the zero bucket: the lower bound of the
    /// lowest bucket.
    pub fn zero_threshold(&self) -> f64 {
        bound(self.first - 1, self.schema)
    }

    /// The upper bound of the highest bucket.
    pub fn highest(&self) -> f64 {
        bound(self.last_index(), self.schema)
    }

    /// The upper bounds of what each of [`NativeCounts::cells`](crate::NativeCounts::cells)
    /// counts, ascending; the last cell has none.
    pub fn cell_bounds(&self) -> Vec<f64> {
        let from_zero = (self.first - 1..=self.last_index()).map(|index| bound(index, self.schema));
        let mut bounds: Vec<f64> = match self.is_signed {
            true => from_zero.clone().rev().map(|bound| -bound).collect(),
            false => vec![-self.zero_threshold()],
        };
        bounds.extend(from_zero);
        bounds
    }

    /// Cells that count observations: those of a series but for the sum's.
    pub(crate) fn counts(&self) -> usize {
        OTHERS + usize::from(self.buckets) * (1 + usize::from(self.is_signed))
    }

    /// The place of the zero bucket's count among the
    /// [`cells`](crate::NativeCounts::cells).
    pub fn zero(&self) -> usize {
        1 + usize::from(self.buckets) * usize::from(self.is_signed)
    }

    /// How many indexes one classic bucket spans, as a shift: the least for which there are not
    /// too many, and whole doublings.
    fn classic_shift(&self) -> u32 {
        let mut shift = u32::from(self.schema.max(0).unsigned_abs());
        while self.classic_groups(shift) + 1 > MOST_CLASSIC {
            shift += 1;
        }
        shift
    }

    fn classic_groups(&self, shift: u32) -> usize {
        let last = ceil_shift(self.last_index(), shift);
        (last - ceil_shift(self.first, shift)) as usize + 1
    }

    /// The bounds of the classic buckets that the native ones are shown as, too: the zero
    /// bucket's, every power of two (or of 4, 16, …) inside, the window's end.
    pub(crate) fn classic_bounds(&self) -> Vec<f64> {
        let shift = self.classic_shift();
        let first = ceil_shift(self.first, shift);
        let groups = (0..self.classic_groups(shift) as i32).map(|group| {
            let index = ((first + group) << shift).min(self.last_index());
            bound(index, self.schema)
        });
        core::iter::once(self.zero_threshold())
            .chain(groups)
            .collect()
    }

    /// Fills `into`, one for each classic bound and one up to +Inf, from the counts of the cells.
    pub(crate) fn classic_counts(&self, counts: &[u64], into: &mut [u64]) {
        into.fill(0);
        let shift = self.classic_shift();
        let first = ceil_shift(self.first, shift);
        let (zero, last) = (self.zero(), self.counts() - 1);
        for (place, count) in counts.iter().enumerate() {
            let group = match place.checked_sub(zero + 1) {
                None => 0,
                Some(_) if place == last => into.len().saturating_sub(1),
                Some(bucket) => {
                    let index = self.first + bucket as i32;
                    (ceil_shift(index, shift) - first) as usize + 1
                }
            };
            // A caller may have room for fewer.
            if let Some(into) = into.get_mut(group) {
                *into = into.wrapping_add(*count);
            }
        }
    }
}

/// Finds the cell for an observation: what an update needs of a [`Window`], worked out once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finder {
    /// As bits: positive numbers compare as their bits do.
    zero_threshold: u64,
    highest: u64,
    coarser: u32,
    /// What turns the index of a positive bucket into its place among the counts.
    shift: i32,
    zero: u32,
    above: u32,
    is_signed: bool,
}

const BELOW: u32 = 0;

impl Finder {
    pub(crate) fn of(window: Window) -> Finder {
        let zero = window.zero() as u32;
        Finder {
            zero_threshold: window.zero_threshold().to_bits(),
            highest: window.highest().to_bits(),
            coarser: coarser(window.schema),
            shift: zero as i32 + 1 - window.first,
            zero,
            above: window.counts() as u32 - 1,
            is_signed: window.is_signed,
        }
    }

    /// The place among the counts that an observation of `value` goes to. NaN is above all.
    #[inline]
    pub(crate) fn place(&self, value: f64) -> u32 {
        let magnitude = value.abs().to_bits();
        if magnitude <= self.zero_threshold {
            return self.zero;
        }
        let is_negative = value < 0.0;
        if magnitude > self.highest || is_negative && !self.is_signed {
            return if is_negative { BELOW } else { self.above };
        }
        let place = (index_of(magnitude, self.coarser) + self.shift) as u32;
        if is_negative {
            // As far to the left of zero as its mirror image lies to the right.
            2 * self.zero - place
        } else {
            place
        }
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Windows of all shapes, those at the ends of what there can be among them.
    fn windows() -> impl Strategy<Value = Window> {
        let shape = (SCHEMAS, any::<bool>(), 1..=188_u16, -1022..=1023_i32);
        shape.prop_filter_map(
            "no such window",
            |(schema, is_signed, buckets, doubling)| {
                let first =
                    ceil_shift(doubling * 256, coarser(schema)) + i32::from(buckets % 3) - 1;
                Window::new(schema, is_signed, buckets, first)
            },
        )
    }

    /// The bounds of all cells but the last, ascending, as LAYOUT.md §10 tells them; whether one
    /// is itself in its cell.
    fn bounds(window: Window) -> Vec<(f64, bool)> {
        let indexes = window.first - 1..=window.last_index();
        let positive = indexes.map(|index| window.bound(index).unwrap());
        let mut bounds: Vec<(f64, bool)> = match window.is_signed {
            true => positive
                .clone()
                .rev()
                .map(|bound| (-bound, false))
                .collect(),
            false => vec![(-window.zero_threshold(), false)],
        };
        bounds.extend(positive.map(|bound| (bound, true)));
        bounds
    }

    fn by_a_walk(window: Window, value: f64) -> usize {
        let bounds = bounds(window);
        let holds = |(bound, closed): &(f64, bool)| value < *bound || *closed && value == *bound;
        bounds.iter().position(holds).unwrap_or(bounds.len())
    }

    /// Values in, at and around the window's bounds, and any other.
    fn values(window: Window) -> impl Strategy<Value = Vec<f64>> {
        let near = (0..bounds(window).len(), -1..=1_i8).prop_map(move |(at, step)| {
            let bound = bounds(window)[at].0;
            match step {
                -1 => bound.next_down(),
                0 => bound,
                _ => bound.next_up(),
            }
        });
        let within = (0.0..=1.0_f64, any::<bool>()).prop_map(move |(part, sign)| {
            let value = window.zero_threshold() + part * window.highest();
            if sign { value } else { -value }
        });
        let odd = prop_oneof![
            any::<f64>(),
            Just(0.0),
            Just(-0.0),
            Just(f64::INFINITY),
            Just(f64::NEG_INFINITY),
            Just(f64::NAN),
            Just(-f64::NAN),
        ];
        prop::collection::vec(prop_oneof![3 => near, 2 => within, 1 => odd], 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_observation_goes_to_the_cell_whose_bounds_hold_it(
            (window, values) in windows().prop_flat_map(|window| (Just(window), values(window))),
        ) {
            let upper: Vec<f64> = bounds(window).iter().map(|(bound, _)| *bound).collect();
            prop_assert_eq!(window.cell_bounds(), upper);
            let finder = Finder::of(window);
            let mut counts = vec![0_u64; window.counts()];
            for value in &values {
                let place = finder.place(*value) as usize;
                prop_assert_eq!(place, by_a_walk(window, *value), "{} in {:?}", value, window);
                counts[place] += 1;
            }
            let classic = window.classic_bounds();
            prop_assert!(classic.len() <= MOST_CLASSIC && classic.is_sorted_by(|a, b| a < b));
            let mut shown = vec![7; classic.len() + 1];
            window.classic_counts(&counts, &mut shown);
            let mut cumulative = 0;
            for (bound, count) in classic.iter().zip(&shown) {
                cumulative += count;
                let up_to = values.iter().filter(|value| *value <= bound).count();
                prop_assert_eq!(cumulative as usize, up_to, "le {} in {:?}", bound, window);
            }
            prop_assert_eq!(shown.iter().sum::<u64>() as usize, values.len());
        }

        #[test]
        fn a_window_survives_its_bytes(window in windows()) {
            prop_assert_eq!(Window::of_bytes(window.to_bytes()), Some(window));
        }
    }
}
