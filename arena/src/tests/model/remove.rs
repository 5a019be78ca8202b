//! `remove` and what follows it: the slot is used again at once, by whoever comes. A link
//! behind a removed slot is not lost (2), a stale link changes nothing (4), nobody takes one
//! life for another (3), and a remover's death loses no slot.

use super::fixture::{Board, Name, PAIR, TRIO, breaks, explore, live, lives, verify};
use crate::index::{Lost, Walk};
use crate::mutation::Mutation;
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::State;
use crate::step::Step;
use crate::sync::Ordering;
use loom::thread;

const A: Name = Name::new(1, "a");
/// A's hash and another key.
const TWIN: Name = Name::new(1, "t");
const B: Name = Name::new(2, "b");
const C: Name = Name::new(3, "c");
const D: Name = Name::new(4, "d");

/// Where a removal can die.
const DEATHS: [Step; 3] = [Step::Removed, Step::Marked, Step::Unlinked];

fn registered(process: &Segment, name: Name) -> Bound {
    process
        .register(&name.draft())
        .expect("invariant 9: refused")
}

fn removed(process: &Segment, bound: Bound) -> Result<bool, Lost> {
    Ok(process.remove(bound)?)
}

/// One process removes A, another links B behind it, and a third one walks by.
fn link_behind(death: Option<Step>) {
    let board = Board::new(2, 1);
    let (mortal, passer, builder) = (board.attach(), board.attach(), board.attach_with_row());
    let a = registered(&builder, A);
    let remover = thread::spawn(move || {
        let _alive = live(mortal, death, |process| removed(process, a));
        passer.find(&C.key()).expect("invariant 9: lost");
    });
    let b = registered(&builder, B);
    remover.join().unwrap();
    assert!(
        lives(&builder, b),
        "invariant 5: a live builder lost its slot"
    );
    verify(&builder, &[B]);
}

/// Two processes remove the same life: it ends once.
fn remove_twice(death: Option<Step>) {
    let board = Board::new(2, 1);
    let (mortal, survivor) = (board.attach(), board.attach_with_row());
    let a = registered(&survivor, A);
    let b = registered(&survivor, B);
    let theirs = thread::spawn(move || live(mortal, death, |process| removed(process, a)));
    let mine = survivor.remove(a).unwrap();
    if let Some((theirs, _process)) = theirs.join().unwrap() {
        assert!(
            theirs != mine,
            "invariant 4: one life ended twice, or never"
        );
    }
    assert!(lives(&survivor, b));
    verify(&survivor, &[B]);
}

/// A key is removed by one process and registered by another.
fn remove_and_register(death: Option<Step>) {
    let board = Board::new(2, 1);
    let (mortal, builder) = (board.attach(), board.attach_with_row());
    let old = registered(&builder, A);
    let remover = thread::spawn(move || drop(live(mortal, death, |process| removed(process, old))));
    let new = registered(&builder, A);
    remover.join().unwrap();
    assert_eq!(
        lives(&builder, new),
        new != old,
        "invariant 4: only the removed life has ended"
    );
    verify(&builder, if new == old { &[] } else { &[A] });
}

/// The only slot is removed and used again for a key of the same hash, while a walk
/// or a reader of records stands on it.
fn reuse(
    look: fn(&Segment, Bound) -> Option<Bound>,
) -> impl Fn(Option<Step>) + Clone + Send + Sync {
    move |_| {
        let board = Board::new(1, 1);
        let (writer, reader) = (board.attach_with_row(), board.attach());
        let old = registered(&writer, A);
        let writing = thread::spawn(move || {
            writer.remove(old).unwrap();
            registered(&writer, TWIN)
        });
        let found = look(&reader, old);
        let new = writing.join().unwrap();
        assert!(
            found.is_none_or(|found| found == new),
            "invariant 3: one life was taken for another"
        );
        verify(&reader, &[TWIN]);
    }
}

fn by_walk(reader: &Segment, _: Bound) -> Option<Bound> {
    match reader.find(&TWIN.key()).expect("invariant 9: lost") {
        Walk::Live { slot, serial } => Some(Bound { slot, serial }),
        Walk::Absent { .. } => None,
    }
}

/// What a reader believes that the record of its state word says: TWIN's, or nothing.
fn by_state(reader: &Segment, old: Bound) -> Option<Bound> {
    let State::Ready { serial } = State::of(reader.state(old.slot).load(Ordering::Acquire)) else {
        return None;
    };
    let bound = Bound {
        slot: old.slot,
        serial,
    };
    (TWIN.key().is_of(reader, bound.slot) && reader.still_lives(bound)).then_some(bound)
}

/// A process stands before its CAS of B's link, while B is removed and its slot becomes D's.
fn stale_link(_: Option<Step>) {
    let board = Board::new(2, 2);
    let (other, builder) = (board.attach_with_row(), board.attach_with_row());
    let b = registered(&builder, B);
    let changing = thread::spawn(move || {
        other.remove(b).unwrap();
        // There may be no room yet: that is not what this model is about.
        other.register(&D.draft()).is_ok()
    });
    registered(&builder, C);
    if changing.join().unwrap() {
        verify(&builder, &[C, D]);
    } else {
        verify(&builder, &[C]);
    }
}

/// A reaper looks for a dead builder's slot behind A and B. Whoever removed A died before A
/// was taken out; meanwhile B is removed, and its slot becomes D's, the last of the list.
fn reap_behind(_: Option<Step>) {
    let board = Board::new(3, 3);
    let (builder, reaper) = (board.attach(), board.attach());
    let row = builder.own().unwrap().row;
    let other = board.attach_with_row();
    // Slot 0, so that it is the next to be used.
    let b = registered(&other, B);
    let a = registered(&other, A);
    drop(live(builder, Some(Step::Linked), |process| {
        process.register(&C.draft())
    }));
    drop(live(board.attach(), Some(Step::Marked), |process| {
        removed(process, a)
    }));
    let changing = thread::spawn(move || {
        other.remove(b).unwrap();
        registered(&other, D);
        other
    });
    let locks = reaper.process.locks().unwrap();
    reaper.reap(row, &locks).expect("invariant 9: no sweep");
    let other = changing.join().unwrap();
    verify(&other, &[C, D]);
}

#[test]
fn a_link_behind_a_removed_slot_is_not_lost() {
    explore(TRIO, &DEATHS, link_behind);
}

#[test]
fn a_life_ends_once() {
    explore(PAIR, &DEATHS, remove_twice);
}

#[test]
fn a_removed_key_can_be_registered_at_once() {
    explore(PAIR, &DEATHS, remove_and_register);
}

#[test]
fn a_slot_that_is_used_again_is_not_taken_for_what_it_was() {
    explore(TRIO, &[], reuse(by_walk));
    explore(TRIO, &[], reuse(by_state));
}

#[test]
fn a_stale_link_changes_nothing() {
    explore(TRIO, &[], stale_link);
}

#[test]
fn a_reaper_finds_what_stands_behind_removed_slots() {
    explore(TRIO, &[], reap_behind);
}

#[test]
fn faults_of_remove_are_seen() {
    breaks(Mutation::UnlinkUnmarked, TRIO, &DEATHS, link_behind);
    breaks(Mutation::SweepOnlyLinked, TRIO, &DEATHS, remove_twice);
    breaks(Mutation::NoRecheck, TRIO, &[], reuse(by_walk));
    breaks(Mutation::NoWalkFence, TRIO, &[], reuse(by_walk));
    breaks(Mutation::NoBuilderFence, TRIO, &[], reuse(by_state));
    breaks(Mutation::NoReaderFence, TRIO, &[], reuse(by_state));
    breaks(Mutation::CountStands, TRIO, &[], stale_link);
    breaks(
        Mutation::ReaperFollowsMark,
        TRIO,
        &[Step::Unlinked],
        reap_behind,
    );
}
