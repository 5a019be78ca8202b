//! Dying, or standing still, at a named step. In a build with `--cfg arena_crash` only.
//!
//! `TALLYBOARD_CRASH` says what this process does to itself, and where; several orders are
//! separated by commas, each is looked at whenever a step is reached:
//!
//! ```text
//! kill:linked:3               SIGKILL at the third time that it reaches the step `linked`
//! stop:linked:3               SIGSTOP there; SIGCONT lets it go on
//! kill:random:SEED:ONE_IN     SIGKILL at one of ONE_IN steps, drawn anew at each
//! stop:random:SEED:ONE_IN     SIGSTOP at one of ONE_IN steps
//! ```
//!
//! What it does it first says in one line on standard error: `tallyboard: kill at linked`.

use crate::environment;
use crate::step::Step;
use crate::sync::{AtomicU64, Ordering};
use rustix::process::{Signal, getpid, kill_process};
use std::io::Write;
use std::sync::OnceLock;

const VARIABLE: &str = "TALLYBOARD_CRASH";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Kill,
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// At this step, the time with this number, counted from 1.
    Nth { step: Step, time: u64 },
    /// At one in `one_in` steps of any kind.
    Random { seed: u64, one_in: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    act: Act,
    when: When,
}

/// Called at each step. Reads the variable when it is called for the first time.
///
/// # Panics
/// If the variable's value is not as above.
#[cold]
pub(crate) fn reach(step: Step) {
    static PLAN: OnceLock<Vec<Order>> = OnceLock::new();
    // Relaxed: numbers that nothing else is ordered by.
    static TIMES: [AtomicU64; Step::ALL.len()] = [const { AtomicU64::new(0) }; Step::ALL.len()];
    static STEPS: AtomicU64 = AtomicU64::new(0);

    let plan = PLAN.get_or_init(|| match environment::variable(VARIABLE) {
        None => Vec::new(),
        Some(value) => {
            let value = value.to_string_lossy();
            parse(&value).unwrap_or_else(|wrong| panic!("{VARIABLE}={value}: {wrong}"))
        }
    });
    let time = TIMES[step as usize].fetch_add(1, Ordering::Relaxed) + 1;
    let steps = STEPS.fetch_add(1, Ordering::Relaxed);
    for order in plan {
        let is_due = match order.when {
            When::Nth {
                step: at,
                time: nth,
            } => at == step && nth == time,
            When::Random { seed, one_in } => split_mix(seed, steps).is_multiple_of(one_in),
        };
        if is_due {
            order.act.do_at(step);
        }
    }
}

impl Act {
    const ALL: [Act; 2] = [Act::Kill, Act::Stop];

    fn name(self) -> &'static str {
        match self {
            Act::Kill => "kill",
            Act::Stop => "stop",
        }
    }

    fn do_at(self, step: Step) {
        let line = format!("tallyboard: {} at {}\n", self.name(), step.name());
        // Who does not listen misses it; the signal says enough.
        let _ = std::io::stderr().write_all(line.as_bytes());
        let signal = match self {
            Act::Kill => Signal::KILL,
            Act::Stop => Signal::STOP,
        };
        let sent = kill_process(getpid(), signal);
        // The first process of a PID namespace is not killed by its own signals.
        assert!(
            sent.is_ok() && self == Act::Stop,
            "{VARIABLE}: this process cannot {} itself",
            self.name()
        );
    }
}

fn parse(plan: &str) -> Result<Vec<Order>, String> {
    plan.split(',').map(parse_order).collect()
}

fn parse_order(order: &str) -> Result<Order, String> {
    let number = |digits: &str| match digits.parse::<u64>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{digits:?} is not a number above 0")),
    };
    let act = |name: &str| {
        let act = Act::ALL.into_iter().find(|act| act.name() == name);
        act.ok_or_else(|| format!("{name:?} is neither `kill` nor `stop`"))
    };
    match *order.split(':').collect::<Vec<_>>() {
        [name, "random", seed, one_in] => {
            let (seed, one_in) = (number(seed)?, number(one_in)?);
            Ok(Order {
                act: act(name)?,
                when: When::Random { seed, one_in },
            })
        }
        [name, at, time] => {
            let step = Step::ALL.iter().copied().find(|step| step.name() == at);
            let step = step.ok_or_else(|| format!("there is no step {at:?}"))?;
            let time = number(time)?;
            Ok(Order {
                act: act(name)?,
                when: When::Nth { step, time },
            })
        }
        _ => Err(format!(
            "{order:?} is neither ACT:STEP:TIME nor ACT:random:SEED:ONE_IN"
        )),
    }
}

/// The `n`-th number of Steele, Lea and Flood's SplitMix (2014).
fn split_mix(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_can_be_ordered_by_its_name() {
        for step in Step::ALL {
            let when = When::Nth {
                step: *step,
                time: 3,
            };
            for act in Act::ALL {
                let text = format!("{}:{}:3", act.name(), step.name());
                assert_eq!(parse(&text), Ok(vec![Order { act, when }]));
            }
        }
    }

    #[test]
    fn several_orders_are_taken_and_a_wrong_one_is_told() {
        let plan = parse("stop:written:1,kill:random:7:40").unwrap();
        assert_eq!(plan.len(), 2);
        assert_eq!(
            plan[1].when,
            When::Random {
                seed: 7,
                one_in: 40
            }
        );
        for (wrong, what) in [
            ("", "neither ACT:STEP:TIME"),
            ("kill:linked", "neither ACT:STEP:TIME"),
            ("kill:nowhere:1", "no step \"nowhere\""),
            ("kill:linked:0", "\"0\" is not a number"),
            ("kill:random:1:many", "\"many\" is not a number"),
            ("stab:linked:1", "neither `kill` nor `stop`"),
            ("kill:linked:1,", "neither ACT:STEP:TIME"),
        ] {
            let told = parse(wrong).unwrap_err();
            assert!(told.contains(what), "{wrong}: {told}");
        }
    }
}
