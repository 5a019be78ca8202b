//! Which states of a state set hold, now and lately.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::detail::WINDOW;

/// In how many series each state held at the last looks.
#[derive(Default)]
pub(super) struct Held {
    past: VecDeque<(Instant, Vec<u64>)>,
}

impl Held {
    /// Notes what it is now.
    pub(super) fn note(&mut self, now: Instant, held: &[u64]) {
        self.past.push_back((now, held.to_vec()));
        let is_old = |at: Instant| now.saturating_duration_since(at) > WINDOW;
        while self.past.len() > 2 && self.past.get(1).is_some_and(|(at, _)| is_old(*at)) {
            self.past.pop_front();
        }
    }

    /// The share of the time since the oldest look that is kept for which each state held, in the
    /// mean over the series, and how long that is; `None` if there was only one look.
    pub(super) fn recent(&self) -> Option<(Duration, Vec<f64>)> {
        let (first, last) = (self.past.front()?, self.past.back()?);
        let span = last.0.saturating_duration_since(first.0);
        let mut shares = vec![0.0; last.1.len()];
        // What was seen at one look held until the next.
        let looks = self.past.iter().zip(self.past.iter().skip(1));
        for ((at, held), (next, _)) in looks {
            let series: u64 = held.iter().sum();
            let part = next.saturating_duration_since(*at).as_secs_f64() / span.as_secs_f64();
            for (share, held) in shares.iter_mut().zip(held).filter(|_| series > 0) {
                *share += part * *held as f64 / series as f64;
            }
        }
        (!span.is_zero()).then_some((span, shares))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_the_time_from_one_look_to_the_next() {
        let begun = Instant::now();
        let at = |second| begun + Duration::from_secs(second);
        let mut held = Held::default();
        held.note(at(0), &[2, 0]);
        assert_eq!(held.recent(), None);
        held.note(at(1), &[1, 1]);
        held.note(at(4), &[0, 2]);
        let (span, shares) = held.recent().unwrap();
        assert_eq!((span.as_secs(), shares), (4, vec![0.625, 0.375]));
        for second in 5..200 {
            held.note(at(second), &[0, 2]);
        }
        let (span, shares) = held.recent().unwrap();
        assert!(span >= WINDOW && span <= WINDOW + Duration::from_secs(1));
        assert_eq!(shares[0], 0.0);
        assert!((shares[1] - 1.0).abs() < 1e-9);
    }
}
