//! Any sequence of operations on a small board against a model: values and refusals agree
//! after each.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use std::time::Duration;
use tallyboard::{Board, BoardOptions, Location, Reader};
use tallyboard_fuzz::agreement::{agree, assert_own_value, compare, same};
use tallyboard_fuzz::handle::{Handle, declare, end, register};
use tallyboard_fuzz::model::{Bound, Model, SLOTS, Value};
use tallyboard_fuzz::operation::{Operation, PAIRS, TEXTS, of};
use tallyboard_fuzz::{File, child};

/// Operations of one input.
const MAX_OPERATIONS: usize = 200;
/// Each process takes a row: with more than the board has, registrations would be refused.
const MAX_FORKS: usize = 2;
const PROCESSES: u32 = 4;

static FILE: LazyLock<File> = LazyLock::new(File::new);

fuzz_target!(|operations: Vec<Operation>| {
    // Both made here, once: a child's would be made again for each input.
    let file = &*FILE;
    LazyLock::force(&TEXTS);
    child::run(|| {
        let at = Location::Path(file.path().to_owned());
        let mut run = Run::new(at);
        for operation in operations.iter().take(MAX_OPERATIONS) {
            run.step(operation);
        }
        run.finish();
    });
    file.remove();
});

struct Run {
    at: Location,
    board: Board,
    /// Readers of the writer's mapping, and of one of their own.
    readers: [Reader; 2],
    model: Model,
    handles: Vec<(Bound, Handle)>,
    forks: usize,
}

fn options() -> BoardOptions {
    // The file may be on any filesystem: what is proven does not depend on it.
    Board::options()
        .slots(SLOTS)
        .processes(PROCESSES)
        .allow_any_filesystem(true)
}

impl Run {
    fn new(at: Location) -> Run {
        let board = options().create(&at).expect("room for a board");
        let readable = options().attach_read_only(&at).expect("the same board");
        Run {
            readers: [Reader::new(&board), Reader::new(&readable)],
            at,
            board,
            model: Model::default(),
            handles: Vec::new(),
            forks: 0,
        }
    }

    fn step(&mut self, operation: &Operation) {
        match *operation {
            Operation::Register(ref metric) => {
                let definition = metric.definition();
                let values = metric.values(definition.labels.len());
                let expected = self.model.register(&definition, &values);
                let outcome = register(&self.board, &definition, &values);
                agree(&outcome, &expected);
                if let (Ok(handle), Ok(bound)) = (outcome, expected) {
                    assert_own_value(&handle, &bound, &mut self.model);
                    self.handles.push((bound, handle));
                }
            }
            Operation::Declare(ref metric) => {
                let definition = metric.definition();
                let expected = self.model.family(&definition);
                agree(&declare(&self.board, &definition), &expected);
            }
            Operation::Inc(place) => {
                self.update(place, Handle::counts, |handle, value, _| match handle {
                    Handle::Counter(counter) => {
                        counter.inc();
                        value.add(1);
                    }
                    Handle::Gauge(gauge) => {
                        gauge.inc();
                        change_gauge(value, |now| now + 1.0);
                    }
                    _ => {}
                })
            }
            Operation::AddInteger(place, n) => {
                self.update(place, Handle::counts, |handle, value, _| match handle {
                    Handle::Counter(counter) => {
                        counter.add(n);
                        value.add(n);
                    }
                    Handle::Gauge(gauge) => {
                        gauge.dec();
                        change_gauge(value, |now| now - 1.0);
                    }
                    _ => {}
                });
            }
            Operation::Add(place, amount) => {
                let amount = amount.value();
                let takes = |handle: &Handle| match handle {
                    Handle::Counter(_) => (0.0..=f64::MAX).contains(&amount),
                    Handle::Info(_) | Handle::StateSet(_) => false,
                    _ => true,
                };
                self.update(place, takes, |handle, value, bounds| match handle {
                    Handle::Counter(counter) => {
                        assert_eq!(counter.add_f64(amount), value.add_f64(amount));
                    }
                    Handle::Gauge(gauge) => {
                        gauge.add(amount);
                        change_gauge(value, |now| now + amount);
                    }
                    Handle::Histogram(histogram) => {
                        histogram.observe(amount);
                        value.observe(bounds, amount);
                    }
                    Handle::Summary(summary) => {
                        summary.observe(amount);
                        value.observe(bounds, amount);
                    }
                    _ => {}
                });
            }
            Operation::Trace(place, amount, labels) => self.trace(place, amount.value(), labels),
            Operation::Say(place, what) => self.say(place, what),
            Operation::Set(place, amount) => {
                let amount = amount.value();
                let takes = |handle: &Handle| matches!(handle, Handle::Gauge(_));
                self.update(place, takes, |handle, value, _| {
                    if let Handle::Gauge(gauge) = handle {
                        gauge.set(amount);
                        change_gauge(value, |_| amount);
                    }
                });
            }
            Operation::Remove(ref metric) => {
                let definition = metric.definition();
                let values = metric.values(definition.labels.len());
                let expected = self.model.remove(&definition, &values);
                same(
                    end(&self.board, &definition, Some(&values)),
                    expected.map(u64::from),
                );
            }
            Operation::Clear(ref metric) => {
                let definition = metric.definition();
                let expected = self.model.clear(&definition);
                same(end(&self.board, &definition, None), expected);
            }
            Operation::Reap => {
                self.board.reap();
                self.model.sweep();
            }
            Operation::Expire => {
                if self.model.knows_what_expires() {
                    assert_eq!(self.board.expire(Duration::ZERO), self.model.expire());
                }
            }
            Operation::Leave => {
                self.board.leave();
                self.model.leave();
            }
            Operation::Reattach => {
                self.board = options().attach(&self.at).expect("the board is there");
            }
            Operation::Refresh { writable } => {
                compare(&mut self.readers[usize::from(!writable)], &self.model);
            }
            Operation::Fork => {
                if self.forks < MAX_FORKS {
                    self.forks += 1;
                    child::go_on_in_child();
                    self.model.fork();
                }
            }
        }
    }

    /// Updates through a handle, if it `takes` such an update, and in the model; then compares.
    fn update(
        &mut self,
        place: u8,
        takes: impl Fn(&Handle) -> bool,
        update: impl Fn(&Handle, &mut Value, &[f64]),
    ) {
        if self.handles.is_empty() {
            return;
        }
        let place = usize::from(place) % self.handles.len();
        let (bound, handle) = &mut self.handles[place];
        if !takes(handle) {
            // Not even a series that has ended begins again.
            update(handle, &mut Value::nothing(handle.kind()), &[]);
            return assert_own_value(handle, bound, &mut self.model);
        }
        let mut was_made = false;
        self.model.update(bound, |value, bounds| {
            was_made = true;
            update(handle, value, bounds);
        });
        if !was_made {
            // Nothing says which update it is that goes nowhere.
            update(handle, &mut Value::nothing(handle.kind()), &[]);
        }
        assert_own_value(handle, bound, &mut self.model);
    }

    fn trace(&mut self, place: u8, amount: f64, labels: u8) {
        if self.handles.is_empty() {
            return;
        }
        let labels = of(&PAIRS, labels);
        let at = usize::from(place) % self.handles.len();
        // It is the same update with or without an exemplar, which comes behind it.
        let takes = |handle: &Handle| match handle {
            Handle::Counter(_) => (0.0..=f64::MAX).contains(&amount),
            handle => matches!(handle, Handle::Histogram(_)),
        };
        let is_taken = takes(&self.handles[at].1);
        self.update(place, takes, |handle, value, bounds| match handle {
            Handle::Counter(counter) => {
                let taken = counter.add_f64_with_exemplar(amount, labels);
                assert_eq!(taken, value.add_f64(amount));
            }
            Handle::Histogram(histogram) => {
                histogram.observe_with_exemplar(amount, labels);
                value.observe(bounds, amount);
            }
            _ => {}
        });
        if is_taken {
            self.model.exemplify(&self.handles[at].0, amount, labels);
        }
    }

    fn say(&mut self, place: u8, what: u8) {
        if self.handles.is_empty() {
            return;
        }
        let at = usize::from(place) % self.handles.len();
        let (bound, handle) = &mut self.handles[at];
        match handle {
            Handle::Info(info) => {
                let pairs = of(&PAIRS, what);
                agree(&info.set(pairs), &self.model.say(bound, pairs));
            }
            Handle::StateSet(_) => {
                let state = usize::from(what % 4);
                let states = self.model.states(bound);
                let takes = |_: &Handle| state < states;
                self.update(place, takes, |handle, value, _| {
                    if let Handle::StateSet(set) = handle {
                        assert_eq!(set.set_place(state), state < states);
                        if let Value::State(now) = value {
                            *now = state;
                        }
                    }
                });
            }
            _ => {}
        }
    }

    fn finish(mut self) {
        let stats = self.board.stats();
        assert_eq!(stats.slots_used as usize, self.model.used());
        for (reason, count) in stats.refused {
            assert_eq!(count, self.model.refused(reason), "{reason}");
        }
        assert_eq!(stats.overflowed, self.model.overflowed());
        assert_eq!(stats.expired, self.model.expired());
        assert!(stats.processes_used as usize <= 1 + self.forks);
        // A full board is told of as soon as it has refused something.
        let faults = self.board.check().into_iter();
        let faults: Vec<_> = faults.filter(|fault| fault.place != "board").collect();
        assert_eq!(faults, []);
        for reader in &mut self.readers {
            compare(reader, &self.model);
        }
    }
}

fn change_gauge(value: &mut Value, change: impl FnOnce(f64) -> f64) {
    if let Value::Gauge(value) = value {
        *value = change(*value);
    }
}
