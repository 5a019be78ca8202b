//! `register`: at most one READY slot a key (1), READY means linked and complete (2), a live
//! builder's slot is never taken from it (5), continuations belong to one chain (3).

use super::fixture::{
    Board, Name, PAIR, TRIO, breaks, explore, live, lives, trio_of_minutes, verify,
};
use crate::error::RefusedReason;
use crate::index::{Lost, Walk};
use crate::mutation::Mutation;
use crate::register::Bound;
use crate::slot::State;
use crate::step::Step;
use crate::sync::Ordering;
use loom::thread;

const A: Name = Name::new(1, "a");
const B: Name = Name::new(2, "b");
/// Hashes may be equal where keys are not.
const TWIN: Name = Name::new(1, "t");
const LONG_A: Name = Name::long(1, "a");
const LONG_B: Name = Name::long(2, "b");

/// Where a registration can die.
const DEATHS: [Step; 4] = [Step::Claimed, Step::Chained, Step::Written, Step::Linked];

/// Two processes register these keys at once; the first may die.
fn race(one: Name, two: Name) -> impl Fn(Option<Step>) + Clone + Send + Sync + 'static {
    move |death| {
        let board = Board::new(2, 2);
        let (mortal, survivor) = (board.attach_with_row(), board.attach_with_row());
        let theirs =
            thread::spawn(move || live(mortal, death, |process| process.register(&one.draft())));
        let mine = survivor
            .register(&two.draft())
            .expect("invariant 9: refused");
        assert!(
            lives(&survivor, mine),
            "invariant 5: a live builder lost its slot"
        );
        let names = [one, two];
        let both = if one == two { &names[1..] } else { &names };
        match theirs.join().unwrap() {
            Some((theirs, _process)) => {
                assert!(
                    lives(&survivor, theirs),
                    "invariant 5: a live builder lost its slot"
                );
                assert_eq!(
                    theirs == mine,
                    one == two,
                    "invariant 1: {one:?} and {two:?}"
                );
                verify(&survivor, both);
            }
            // A death after the link has published the key.
            None if death == Some(Step::Linked) => verify(&survivor, both),
            None => verify(&survivor, &names[1..]),
        }
    }
}

/// One process registers a key, a second one sweeps up after the dead, and the first may
/// have died; a third registers the same key meanwhile.
fn sweep(death: Option<Step>) {
    let board = Board::new(2, 3);
    let mortal = board.attach_with_row();
    let (sweeper, survivor) = (board.attach_with_row(), board.attach_with_row());
    let theirs = thread::spawn(move || live(mortal, death, |process| process.register(&A.draft())));
    let swept = thread::spawn(move || sweeper.reap_dead().expect("invariant 9: no sweep"));
    let mine = survivor.register(&A.draft()).expect("invariant 9: refused");
    assert!(
        lives(&survivor, mine),
        "invariant 5: a live builder lost its slot"
    );
    swept.join().unwrap();
    if let Some((theirs, _process)) = theirs.join().unwrap() {
        assert_eq!(theirs, mine, "invariant 1: two slots for one key");
        verify(&survivor, &[A]);
    } else {
        verify(&survivor, &[A]);
    }
}

/// A process died at `death`; two others sweep at once.
fn two_sweepers(death: Option<Step>) {
    let board = Board::new(2, 3);
    let mortal = board.attach_with_row();
    let (one, two) = (board.attach_with_row(), board.attach_with_row());
    let is_linked = matches!(death, None | Some(Step::Linked));
    drop(live(mortal, death, |process| process.register(&A.draft())));
    let other = thread::spawn(move || one.reap_dead().expect("invariant 9: no sweep"));
    two.reap_dead().expect("invariant 9: no sweep");
    other.join().unwrap();
    verify(&two, if is_linked { &[A] } else { &[] });
}

/// Chains of two slots, on a board that has room for one of them and a half.
fn chains(death: Option<Step>) {
    let board = Board::new(3, 2);
    let (mortal, survivor) = (board.attach_with_row(), board.attach_with_row());
    let attempt =
        |process: &crate::segment::Segment, name: Name| match process.register(&name.draft()) {
            Ok(bound) => Ok(Some(bound)),
            Err(Lost::Refused(RefusedReason::BoardFull)) => Ok(None),
            Err(lost) => Err(lost),
        };
    let theirs = thread::spawn(move || live(mortal, death, |process| attempt(process, LONG_A)));
    let mine = attempt(&survivor, LONG_B).expect("invariant 9: refused");
    let theirs = theirs.join().unwrap();
    let mut living = Vec::new();
    match &theirs {
        Some((Some(_), _process)) => living.push(LONG_A),
        None if death == Some(Step::Linked) => living.push(LONG_A),
        _ => {}
    }
    if mine.is_some() {
        living.push(LONG_B);
    }
    verify(&survivor, &living);
    // Whoever was refused gave back what he had.
    if living.is_empty() {
        survivor
            .register(&LONG_B.draft())
            .expect("invariant 4: slots were lost");
        verify(&survivor, &[LONG_B]);
    }
}

/// A reader that comes by the state words, as an exporter does.
fn scan(_: Option<Step>) {
    let board = Board::new(1, 1);
    let writer = board.attach_with_row();
    let reader = board.attach();
    let written = thread::spawn(move || writer.register(&A.draft()).unwrap());
    let slot = reader.slot(0).unwrap();
    let state = State::of(reader.state(slot).load(Ordering::Acquire));
    if let State::Ready { serial } = state {
        let is_whole = A.key().is_of(&reader, slot);
        assert!(
            is_whole && reader.still_lives(Bound { slot, serial }),
            "invariant 2: READY and not complete"
        );
    }
    written.join().unwrap();
}

/// A process looks a key up while another registers it.
fn lookup(death: Option<Step>) {
    let board = Board::new(2, 1);
    let writer = board.attach_with_row();
    let reader = board.attach();
    let written =
        thread::spawn(move || live(writer, death, |process| process.register(&A.draft())));
    let found = reader.find(&A.key()).expect("invariant 9: lost");
    if let Walk::Live { slot, serial } = found {
        assert!(
            lives(&reader, Bound { slot, serial }) && A.key().is_of(&reader, slot),
            "invariant 2: found what is not complete"
        );
    }
    written.join().unwrap();
}

#[test]
fn one_key_has_one_slot() {
    explore(PAIR, &DEATHS, race(A, A));
}

#[test]
fn neighbours_in_one_list_are_both_linked() {
    explore(PAIR, &DEATHS, race(A, B));
    explore(PAIR, &DEATHS, race(B, A));
}

#[test]
fn keys_of_equal_hash_are_both_linked() {
    explore(PAIR, &DEATHS, race(A, TWIN));
}

#[test]
fn a_sweep_takes_nothing_from_the_living() {
    explore(trio_of_minutes(), &DEATHS, sweep);
}

#[test]
fn two_sweeps_finish_what_the_dead_began() {
    explore(PAIR, &DEATHS, two_sweepers);
}

#[test]
fn a_chain_is_not_taken_apart() {
    explore(TRIO, &DEATHS, chains);
}

#[test]
fn a_state_word_leads_to_a_whole_record() {
    explore(PAIR, &[], scan);
}

#[test]
fn a_lookup_finds_whole_records() {
    explore(PAIR, &DEATHS, lookup);
}

#[test]
fn faults_of_register_are_seen() {
    breaks(Mutation::LinkRelaxed, PAIR, &[], race(A, A));
    breaks(Mutation::LinkFromAnything, PAIR, &[], race(A, A));
    breaks(Mutation::LinkFromAnything, PAIR, &[], race(A, B));
    breaks(Mutation::ReadyRelaxed, PAIR, &[], scan);
    breaks(Mutation::ReapLinked, PAIR, &[Step::Linked], two_sweepers);
    breaks(Mutation::ContinuationRelaxed, PAIR, &[], chains);
}
