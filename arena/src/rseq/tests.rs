//! The sequences' outcomes one by one, on planes of this test's own; and that no add is lost
//! where signals come all the time.

use super::{Addresses, Outcome, Target, add_float, add_int, begin, cpu, discover, observe};
use crate::layout::{MAX_PLANES, UNIT_CELLS_OFFSET, UNIT_STRIDE};
use crate::sync::plain::AtomicPtr;
use crate::sync::{AtomicU64, Ordering};
use core::ptr::{self, NonNull};

const TAG: u64 = 0x4000_0000_0040_0000;
const OLDER: u64 = 0x4000_0000_0000_0001;
/// The slot whose unit the tests use, so that offsets that are forgotten are found.
const SLOT: u64 = 2;
/// Where it is in a plane, in words.
const UNIT: u64 = SLOT * UNIT_STRIDE / 8;
/// The slot after it in the chain.
const NEXT: u64 = UNIT + UNIT_STRIDE / 8;
const CELLS: u64 = UNIT_CELLS_OFFSET / 8;

/// One plane that stands for those of all CPUs: only one thread uses it.
struct Field {
    addresses: Addresses,
    planes: Box<[AtomicPtr<u8>]>,
    plane: Box<[AtomicU64; 16]>,
    states: Box<[AtomicU64; 4]>,
}

impl Field {
    /// `None`, and a word about it, where there are no restartable sequences.
    fn new() -> Option<Field> {
        let Some(area) = discover() else {
            println!("skipped: no restartable sequences here");
            return None;
        };
        let plane = Box::new([const { AtomicU64::new(0) }; 16]);
        let states = Box::new([const { AtomicU64::new(0) }; 4]);
        states[SLOT as usize].store(TAG, Ordering::Relaxed);
        let address = plane.as_ptr().cast::<u8>().cast_mut();
        let planes: Box<[_]> = (0..MAX_PLANES).map(|_| AtomicPtr::new(address)).collect();
        Some(Field {
            addresses: Addresses {
                area,
                planes: NonNull::from(&*planes).cast(),
                plane_count: planes.len() as u32,
                states: NonNull::from(&*states).cast(),
            },
            planes,
            plane,
            states,
        })
    }

    fn target(&self) -> Target<'_> {
        target(&self.addresses)
    }

    /// Sets tag and cells.
    fn set(&self, unit: [u64; 4]) {
        self.set_at(UNIT, unit);
    }

    fn set_at(&self, at: u64, unit: [u64; 4]) {
        for (place, value) in unit.into_iter().enumerate() {
            self.plane[at as usize + place].store(value, Ordering::Relaxed);
        }
    }

    fn unit(&self) -> [u64; 4] {
        self.unit_at(UNIT)
    }

    fn unit_at(&self, at: u64) -> [u64; 4] {
        core::array::from_fn(|place| {
            let word = &self.plane[at as usize + place];
            word.load(Ordering::Relaxed)
        })
    }

    /// Whether every word outside the unit is as it was made.
    fn is_clean_elsewhere(&self) -> bool {
        let unit = UNIT as usize..UNIT as usize + 4;
        let mut words = self.plane.iter().enumerate();
        words.all(|(place, word)| unit.contains(&place) || word.load(Ordering::Relaxed) == 0)
    }

    fn add_int(&self, target: &Target, cell: u64, amount: u64) -> Outcome {
        // SAFETY: the table leads to this field's plane or to none, and the plane and the
        // state words have the slot.
        settled(|| unsafe { add_int(target, UNIT, UNIT + CELLS + cell, amount) })
    }

    fn add_float(&self, target: &Target, cell: u64, amount: f64) -> Outcome {
        // SAFETY: as in `add_int`.
        settled(|| unsafe { add_float(target, UNIT, UNIT + CELLS + cell, amount) })
    }

    /// One in the middle cell of the next unit, `amount` in the first of the head's.
    fn observe(&self, target: &Target, amount: f64) -> Outcome {
        let cell = NEXT + CELLS + 1;
        // SAFETY: as in `add_int`; the plane has the next unit too.
        settled(|| unsafe { observe(target, NEXT, cell, UNIT, amount) })
    }

    fn begin(&self, target: &Target, own_word: u64) -> Outcome {
        let own_state = self.states[SLOT as usize].as_ptr();
        // SAFETY: as in `add_int`; `own_state` is a word of this field.
        unsafe { begin(target, UNIT, own_state, own_word) }
    }
}

fn target(addresses: &Addresses) -> Target<'_> {
    Target {
        addresses,
        head: SLOT,
        tag: TAG,
    }
}

/// Again while the kernel aborts.
fn settled(sequence: impl Fn() -> Outcome) -> Outcome {
    loop {
        match sequence() {
            Outcome::Aborted => {}
            outcome => return outcome,
        }
    }
}

#[test]
fn an_add_of_a_begun_unit_is_done_in_its_cell_alone() {
    let Some(field) = Field::new() else { return };
    let target = field.target();
    field.set([TAG, 10, 20, 2.5_f64.to_bits()]);
    assert_eq!(field.add_int(&target, 0, 5), Outcome::Done);
    assert_eq!(field.add_int(&target, 1, u64::MAX), Outcome::Done);
    assert_eq!(field.add_float(&target, 2, -0.25), Outcome::Done);
    assert_eq!(field.unit(), [TAG, 15, 19, 2.25_f64.to_bits()]);
    assert!(field.is_clean_elsewhere());
}

#[test]
fn without_a_plane_nothing_is_written() {
    let Some(mut field) = Field::new() else {
        return;
    };
    field.set([TAG, 1, 1, 1]);
    field.addresses.plane_count = 0;
    let none = field.target();
    assert_eq!(field.add_int(&none, 0, 5), Outcome::NoPlane);
    assert_eq!(field.add_float(&none, 0, 5.0), Outcome::NoPlane);
    assert_eq!(field.begin(&none, TAG), Outcome::NoPlane);
    field.addresses.plane_count = field.planes.len() as u32;
    for plane in &field.planes {
        plane.store(ptr::null_mut(), Ordering::Relaxed);
    }
    let null = field.target();
    assert_eq!(field.add_int(&null, 0, 5), Outcome::NoPlane);
    assert_eq!(field.add_float(&null, 0, 5.0), Outcome::NoPlane);
    assert_eq!(field.begin(&null, TAG), Outcome::NoPlane);
    assert_eq!(field.unit(), [TAG, 1, 1, 1]);
}

#[test]
fn a_series_that_has_ended_takes_nothing() {
    let Some(field) = Field::new() else { return };
    let target = field.target();
    field.set([TAG, 1, 1, 1]);
    field.states[SLOT as usize].store(0, Ordering::Relaxed);
    assert_eq!(field.add_int(&target, 0, 5), Outcome::Ended);
    assert_eq!(field.add_float(&target, 0, 5.0), Outcome::Ended);
    assert_eq!(field.unit(), [TAG, 1, 1, 1]);
    field.set([OLDER, 1, 1, 1]);
    assert_eq!(field.begin(&target, TAG), Outcome::Ended);
    assert_eq!(field.unit(), [OLDER, 1, 1, 1]);
}

#[test]
fn a_unit_of_another_life_is_begun_once() {
    let Some(field) = Field::new() else { return };
    let target = field.target();
    field.set([OLDER, 7, 8, 9]);
    assert_eq!(field.add_int(&target, 0, 5), Outcome::OtherTag);
    assert_eq!(field.add_float(&target, 0, 5.0), Outcome::OtherTag);
    assert_eq!(field.unit(), [OLDER, 7, 8, 9]);
    while field.begin(&target, TAG) != Outcome::Done {}
    assert_eq!(field.unit(), [TAG, 0, 0, 0]);
    assert_eq!(field.add_int(&target, 2, 3), Outcome::Done);
    // Begun again, by one who was interrupted before: what was counted stays.
    for _ in 0..3 {
        assert_eq!(field.begin(&target, TAG), Outcome::Aborted);
    }
    assert_eq!(field.unit(), [TAG, 0, 0, 3]);
    assert!(field.is_clean_elsewhere());
}

#[test]
fn a_unit_is_not_begun_for_a_chain_that_its_slot_has_left() {
    let Some(field) = Field::new() else { return };
    let target = field.target();
    field.set([OLDER, 7, 8, 9]);
    assert_eq!(settled(|| field.begin(&target, OLDER)), Outcome::Ended);
    assert_eq!(field.unit(), [OLDER, 7, 8, 9]);
}

#[test]
fn an_observation_is_done_half_done_or_not_begun() {
    let Some(mut field) = Field::new() else {
        return;
    };
    let target = field.target();
    field.set([TAG, 0.5_f64.to_bits(), 0, 0]);
    field.set_at(NEXT, [TAG, 0, 0, 0]);
    // An interruption between the two commits leaves the second one to the caller.
    let mut sum = 0.5;
    for observed in 1..=100 {
        match field.observe(&target, 0.25) {
            Outcome::Done => sum += 0.25,
            outcome => assert_eq!(outcome, Outcome::Half),
        }
        assert_eq!(field.unit(), [TAG, f64::to_bits(sum), 0, 0]);
        assert_eq!(field.unit_at(NEXT), [TAG, 0, observed, 0]);
    }
    // The sum's unit has not begun.
    field.set([OLDER, 7, 8, 9]);
    assert_eq!(field.observe(&target, 0.25), Outcome::Half);
    assert_eq!(field.unit(), [OLDER, 7, 8, 9]);
    assert_eq!(field.unit_at(NEXT), [TAG, 0, 101, 0]);
    // The bucket's has not.
    field.set([TAG, 0, 0, 0]);
    field.set_at(NEXT, [OLDER, 7, 8, 9]);
    assert_eq!(field.observe(&target, 0.25), Outcome::OtherTag);
    field.states[SLOT as usize].store(0, Ordering::Relaxed);
    assert_eq!(field.observe(&target, 0.25), Outcome::Ended);
    field.addresses.plane_count = 0;
    let none = field.target();
    assert_eq!(field.observe(&none, 0.25), Outcome::NoPlane);
    assert_eq!(field.unit(), [TAG, 0, 0, 0]);
    assert_eq!(field.unit_at(NEXT), [OLDER, 7, 8, 9]);
}

#[test]
fn the_cpu_is_the_one_that_the_kernel_says() {
    let Some(field) = Field::new() else { return };
    // The thread may move between the two questions: one of several answers agrees.
    let agrees = |_| {
        // SAFETY: takes nothing.
        let kernel = unsafe { libc::sched_getcpu() };
        cpu(field.addresses.area) == u32::try_from(kernel).ok()
    };
    assert!((0..1_000).any(agrees));
}

/// What the handler adds to: set while the storm blows.
static STORM: AtomicPtr<Addresses> = AtomicPtr::new(ptr::null_mut());
static HANDLED: AtomicU64 = AtomicU64::new(0);

extern "C" fn add_in_handler(_: libc::c_int) {
    // SAFETY: null, or the addresses of a field that lives until the storm is over.
    let Some(addresses) = (unsafe { STORM.load(Ordering::Relaxed).as_ref() }) else {
        return;
    };
    let target = target(addresses);
    let cell = NEXT + CELLS + 1;
    // SAFETY: as in `Field::add_int`.
    if settled(|| unsafe { add_int(&target, NEXT, cell, 1) }) == Outcome::Done {
        HANDLED.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn no_add_is_lost_in_a_storm_of_signals() {
    const SIGNALS: u64 = 20_000;
    let Some(field) = Field::new() else { return };
    let target = field.target();
    field.set([TAG, 0, 0, 0]);
    field.set_at(NEXT, [TAG, 0, 0, 0]);
    STORM.store(
        ptr::from_ref(&field.addresses).cast_mut(),
        Ordering::Relaxed,
    );
    // SAFETY: all-zero is a valid `sigaction`.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = add_in_handler as *const () as usize;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the handler does what a handler may.
    unsafe { libc::sigaction(libc::SIGUSR2, &action, ptr::null_mut()) };
    // SAFETY: takes nothing.
    let counting = unsafe { libc::pthread_self() };
    let mut counted = 0;
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || {
            for sent in 0..SIGNALS {
                // One signal at a time can be pending: the next when this one was handled.
                // SAFETY: the thread that counts outlives this one.
                unsafe { libc::pthread_kill(counting, libc::SIGUSR2) };
                while HANDLED.load(Ordering::Relaxed) <= sent {
                    core::hint::spin_loop();
                }
            }
        });
        while !sender.is_finished() {
            for _ in 0..1_000 {
                if field.observe(&target, 0.5) == Outcome::Half {
                    assert_eq!(field.add_float(&target, 0, 0.5), Outcome::Done);
                }
                assert_eq!(field.add_int(&target, 1, 1), Outcome::Done);
                counted += 1;
            }
        }
    });
    STORM.store(ptr::null_mut(), Ordering::Relaxed);
    assert_eq!(HANDLED.load(Ordering::Relaxed), SIGNALS);
    let sum = counted as f64 / 2.0;
    assert_eq!(field.unit(), [TAG, sum.to_bits(), counted, 0]);
    assert_eq!(field.unit_at(NEXT), [TAG, 0, counted + SIGNALS, 0]);
}
