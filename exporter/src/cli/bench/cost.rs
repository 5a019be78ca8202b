//! The measuring loop, the same for everything that is measured.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};

use super::subject::Subject;

/// Updates in one turn of the loop, so that the turn's own two instructions hardly count.
pub(super) const UNROLL: usize = 8;
/// Rounds that a median needs, however little time was given.
pub(super) const FEWEST_ROUNDS: usize = 15;
/// What a round should take: long against a timer interrupt, short against the frequency's
/// changes, which the neighbouring round is to share.
const ROUND_NS: f64 = 1_000_000.0;

/// A loop of so many turns, and how often its updates were made.
pub(super) struct Loop {
    turns: u64,
    made: u64,
}

impl Loop {
    /// Warms the subject up and finds out how many turns make a round.
    pub(super) fn calibrate(subject: &impl Subject) -> Self {
        let mut warming = Self { turns: 64, made: 0 };
        loop {
            let turn_ns = warming.ns(subject) * UNROLL as f64;
            if turn_ns * warming.turns as f64 >= ROUND_NS / 2.0 {
                warming.turns = ((ROUND_NS / turn_ns) as u64).max(1);
                return warming;
            }
            warming.turns *= 2;
        }
    }

    /// One round: what one update costs, in nanoseconds of this thread's CPU time, so that
    /// other programs on the same CPU do not count.
    // Never inlined: each kind of update has a loop of its own, laid out by itself, and the
    // optimiser knows neither the subject, which stays in a register, nor the turns.
    #[inline(never)]
    pub(super) fn ns<S: Subject>(&mut self, subject: &S) -> f64 {
        let turns = black_box(self.turns);
        let subject = black_box(subject);
        let begun = cpu_ns();
        for _ in 0..turns {
            subject.update(0);
            subject.update(1);
            subject.update(2);
            subject.update(3);
            subject.update(4);
            subject.update(5);
            subject.update(6);
            subject.update(7);
        }
        let took = cpu_ns() - begun;
        self.made += turns * UNROLL as u64;
        took / (turns * UNROLL as u64) as f64
    }

    /// Updates made so far, warming included.
    pub(super) fn made(&self) -> u64 {
        self.made
    }
}

fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// The middle one; of two, the upper. Zero of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    struct Calls(Cell<u64>);

    impl Subject for Calls {
        fn update(&self, _: usize) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn every_update_is_counted() {
        let calls = Calls(Cell::new(0));
        let mut updates = Loop::calibrate(&calls);
        assert!(updates.ns(&calls) >= 0.0);
        assert_eq!(updates.made(), calls.0.get());
    }

    #[test]
    fn the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(Vec::new()), 0.0);
    }
}
