//! Gauges of the dead: what a process contributed is in the sum exactly once, whoever folds it
//! and whoever dies over it, and readers see the whole sum at every moment (11). And parents
//! and children: nothing outlives what it belongs to (12).

use super::fixture::{Board, PAIR, TRIO, breaks, explore, live, trio_of_minutes};
use crate::aggregation::Aggregation;
use crate::fold::{Part, VALUE};
use crate::index::Lost;
use crate::mutation::Mutation;
use crate::planes::Cell;
use crate::process::Own;
use crate::record::{Cap, Draft, Key, SERIES};
use crate::register::Bound;
use crate::segment::Segment;
use crate::slot::State;
use crate::step::Step;
use crate::sync::Ordering;
use loom::thread;

/// Where a fold can die.
const DEATHS: [Step; 5] = [
    Step::Frozen,
    Step::Folded,
    Step::Removed,
    Step::Marked,
    Step::Unlinked,
];

/// A gauge that is summed up.
fn draft(text: &'static str) -> Draft<'static> {
    Draft {
        key: Key {
            hash: 1 << 32,
            kind: SERIES,
            parent: 0,
            text: text.as_bytes(),
        },
        text: text.as_bytes(),
        metric: crate::Kind::Gauge.code(),
        aggregation: Aggregation::Sum.code(),
        cells: 1,
        parent_slot: 0,
        note: 0,
        cap: Cap::None,
    }
}

fn series(process: &Segment, text: &'static str) -> Bound {
    process
        .register(&draft(text))
        .expect("invariant 9: refused")
}

/// A process that contributed `value` and died.
fn dead(board: &Board, series: Bound, value: u64) -> Part {
    let process = board.attach();
    let (bound, owner) = process
        .register_part(series, Aggregation::Sum)
        .expect("invariant 9: refused");
    let cell = Cell::of_head(bound.slot, VALUE, bound.tag());
    process.add_shared(cell, |before| before + value).unwrap();
    Part {
        bound,
        owner,
        pid: 0,
        pid_namespace: 0,
    }
}

fn sum(process: &Segment, series: Bound, parts: &[Part]) -> Option<Option<u64>> {
    process.read_split(series, Aggregation::Sum, parts, |_| true)
}

fn settle(process: &Segment, owner: Own) -> Result<(), Lost> {
    process.settle(owner)
}

/// Finishes what is left, and looks whether all of it is in the sum and the parts are gone.
fn verify(process: &Segment, series: Bound, parts: &[Part], expected: u64) {
    for part in parts {
        settle(process, part.owner).expect("invariant 9: no end");
    }
    process.reap_dead().expect("invariant 9: the sweep ends");
    assert_eq!(
        sum(process, series, &[]),
        Some(Some(expected)),
        "invariant 11: not everything is in the sum once"
    );
    for part in parts {
        let state = process.state(part.bound.slot).load(Ordering::Acquire);
        assert_eq!(State::of(state), State::Free, "invariant 5: a part is lost");
    }
}

/// Two reapers fold one part.
fn one_part(death: Option<Step>) {
    let board = Board::new(2, 2);
    let (mortal, survivor) = (board.attach(), board.attach_with_row());
    let series = series(&survivor, "s");
    let part = dead(&board, series, 5);
    let theirs = thread::spawn(move || {
        drop(live(mortal, death, |process| settle(process, part.owner)));
    });
    settle(&survivor, part.owner).unwrap();
    theirs.join().unwrap();
    verify(&survivor, series, &[part], 5);
}

/// Two reapers fold one part, and one of them another part after it.
fn two_parts(death: Option<Step>) {
    let board = Board::new(3, 3);
    let (mortal, survivor) = (board.attach(), board.attach_with_row());
    let series = series(&survivor, "s");
    let parts = [5, 7].map(|value| dead(&board, series, value));
    let [first, second] = parts.map(|part| part.owner);
    let theirs = thread::spawn(move || {
        drop(live(mortal, death, |process| settle(process, first)));
    });
    settle(&survivor, first).unwrap();
    settle(&survivor, second).unwrap();
    theirs.join().unwrap();
    verify(&survivor, series, &parts, 12);
}

/// A reader adds up while two parts are folded, the second by whoever comes after a death.
fn read(death: Option<Step>) {
    let board = Board::new(3, 3);
    let (mortal, survivor) = (board.attach(), board.attach_with_row());
    let series = series(&survivor, "s");
    let parts = [5, 7].map(|value| dead(&board, series, value));
    let folding = thread::spawn(move || {
        let alive = live(mortal, death, |process| settle(process, parts[0].owner));
        let next = match alive {
            Some((_, process)) => process,
            None => board.attach(),
        };
        settle(&next, parts[1].owner).unwrap();
    });
    if let Some(seen) = sum(&survivor, series, &parts) {
        assert_eq!(seen, Some(12), "invariant 11: a reader saw another sum");
    }
    folding.join().unwrap();
    verify(&survivor, series, &parts, 12);
}

/// A series ends while a part is folded into it, and another takes its slot.
fn reuse(death: Option<Step>) {
    let board = Board::new(2, 2);
    let (mortal, survivor) = (board.attach(), board.attach_with_row());
    let old = series(&survivor, "s");
    let part = dead(&board, old, 5);
    let folding = thread::spawn(move || {
        drop(live(mortal, death, |process| settle(process, part.owner)));
    });
    survivor.remove(old).unwrap();
    // There may be no room yet: that is not what this model is about.
    let new = survivor.register(&draft("t"));
    folding.join().unwrap();
    settle(&survivor, part.owner).unwrap();
    if let Ok(new) = new {
        assert_eq!(
            sum(&survivor, new, &[]),
            Some(None),
            "invariant 7: a part was folded into another life"
        );
    }
}

/// A part is registered while its series ends.
fn orphan(death: Option<Step>) {
    let board = Board::new(2, 2);
    let (mortal, builder) = (board.attach(), board.attach_with_row());
    let parent = series(&builder, "s");
    let removing = thread::spawn(move || {
        drop(live(mortal, death, |process| Ok(process.remove(parent)?)));
    });
    let part = builder.register_part(parent, Aggregation::Sum);
    removing.join().unwrap();
    if death.is_some() {
        builder.reap_dead().unwrap();
    }
    let ended = builder.state(parent.slot).load(Ordering::Acquire) != parent.tag();
    assert!(ended, "invariant 4: nothing was removed");
    if let Ok((part, _)) = part {
        let state = builder.state(part.slot).load(Ordering::Acquire);
        assert_ne!(
            state,
            part.tag(),
            "invariant 12: a child outlived its parent"
        );
    }
}

#[test]
fn a_part_is_folded_once_by_whoever_comes() {
    explore(TRIO, &DEATHS, one_part);
}

#[test]
fn parts_of_several_dead_are_all_folded() {
    explore(trio_of_minutes(), &[Step::Folded], two_parts);
}

#[test]
fn a_reader_sees_the_whole_sum_at_every_moment() {
    explore(TRIO, &DEATHS, read);
}

#[test]
fn nothing_is_folded_into_another_life() {
    explore(TRIO, &DEATHS, reuse);
}

#[test]
fn a_child_does_not_outlive_its_parent() {
    explore(PAIR, &[Step::Removed, Step::Marked], orphan);
}

#[test]
fn faults_of_fold_are_seen() {
    breaks(Mutation::FoldTwice, trio_of_minutes(), &[], two_parts);
    breaks(Mutation::FoldOverNamed, TRIO, &DEATHS, read);
    breaks(Mutation::ReadOnce, TRIO, &[], read);
    breaks(Mutation::ParentLoaded, PAIR, &[], orphan);
    breaks(Mutation::AccumulatorKept, TRIO, &[], reuse);
}
