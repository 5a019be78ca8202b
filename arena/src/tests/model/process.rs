//! Process rows: a row and incarnation never name two living processes (10), and what a
//! dead process was building is resolved by one who holds its row, never taken from one who
//! lives (5).

use super::fixture::{Board, Name, PAIR, TRIO, breaks, explore, live, lives, verify};
use crate::error::RefusedReason;
use crate::index::Lost;
use crate::layout::Row;
use crate::mutation::Mutation;
use crate::process::RowWord;
use crate::segment::Segment;
use crate::step::Step;
use crate::sync::Ordering;
use core::mem::offset_of;
use loom::thread;
use std::sync::Arc;

const A: Name = Name::new(1, "a");
const B: Name = Name::new(2, "b");
const C: Name = Name::new(3, "c");

/// Where a claim can die, with a row to reap before it.
const DEATHS: [Step; 4] = [
    Step::RowChanging,
    Step::Resolved,
    Step::RowLocked,
    Step::RowPublished,
];

fn word(segment: &Segment, row: u32) -> RowWord {
    let word = segment.row(row, offset_of!(Row, word));
    RowWord::of(word.load(Ordering::Acquire))
}

/// The row, or `None` where all of them belong to living processes.
fn claimed(process: &Segment) -> Result<Option<(u32, u64)>, Lost> {
    match process.own() {
        Ok(own) => Ok(Some((own.row, own.incarnation))),
        Err(Lost::Refused(RefusedReason::ProcessTableFull)) => Ok(None),
        Err(lost) => Err(lost),
    }
}

/// Two processes want the only row, whose last holder is dead if `used`.
fn one_row(used: bool) -> impl Fn(Option<Step>) + Clone + Send + Sync {
    move |death| {
        let board = Board::new(1, 1);
        if used {
            drop(board.attach_with_row());
        }
        let (mortal, survivor) = (board.attach(), board.attach());
        let theirs = thread::spawn(move || live(mortal, death, claimed));
        let mine = claimed(&survivor).unwrap();
        match (theirs.join().unwrap(), mine) {
            (Some((Some(theirs), _alive)), Some(mine)) => {
                panic!("invariant 10: {theirs:?} and {mine:?} live in one row")
            }
            (Some((None, _)), None) => {}
            // The dead hold nothing.
            (None, None) => assert!(
                claimed(&survivor).unwrap().is_some(),
                "invariant 10: a row is lost"
            ),
            _ => {}
        }
        // An incarnation is never used twice.
        if let Some((row, incarnation)) = claimed(&survivor).unwrap() {
            let now = word(&survivor, row);
            assert!(
                now.in_use && now.incarnation == incarnation,
                "invariant 10: the row was changed under its process"
            );
        }
    }
}

/// A process died while it built A, in the only row; two others want the row, and build.
fn reclaim(died_at: Step) -> impl Fn(Option<Step>) + Clone + Send + Sync {
    move |death| {
        let board = Board::new(3, 1);
        drop(live(board.attach(), Some(died_at), |process| {
            process.register(&A.draft())
        }));
        let build = |process: &Segment, name: Name| match process.register(&name.draft()) {
            Ok(bound) => Ok(Some(bound)),
            Err(Lost::Refused(RefusedReason::ProcessTableFull)) => Ok(None),
            Err(lost) => Err(lost),
        };
        let (mortal, survivor) = (board.attach(), board.attach());
        let theirs = thread::spawn(move || live(mortal, death, |process| build(process, B)));
        let mine = build(&survivor, C).expect("invariant 9: refused");
        let theirs = theirs.join().unwrap();
        let mut living = Vec::new();
        if died_at == Step::Linked {
            living.push(A);
        }
        if let Some((Some(bound), _alive)) = &theirs {
            assert!(
                lives(&survivor, *bound),
                "invariant 5: a live builder lost its slot"
            );
            living.push(B);
        }
        if let Some(bound) = mine {
            assert!(
                lives(&survivor, bound),
                "invariant 5: a live builder lost its slot"
            );
            living.push(C);
        }
        // The survivor's sweep reaps whoever is dead.
        drop(theirs);
        verify(&survivor, &living);
    }
}

/// A process died while it built A; one process sweeps while another takes the row over.
fn sweep(death: Option<Step>) {
    let board = Board::new(2, 1);
    drop(live(board.attach(), Some(Step::Claimed), |process| {
        process.register(&A.draft())
    }));
    let (mortal, builder) = (board.attach(), board.attach());
    let theirs =
        thread::spawn(move || live(mortal, death, |process| process.reap_dead()).is_some());
    let mine = builder.register(&B.draft());
    theirs.join().unwrap();
    match mine {
        Ok(bound) => {
            assert!(
                lives(&builder, bound),
                "invariant 5: a live builder lost its slot"
            );
            verify(&builder, &[B]);
        }
        // The reaper had the row's change lock.
        Err(Lost::Refused(RefusedReason::ProcessTableFull)) => verify(&builder, &[]),
        Err(lost) => panic!("invariant 9: {lost:?}"),
    }
}

/// Two threads of one process: they share one row, and a second one is given back.
fn siblings(_: Option<Step>) {
    let board = Board::new(1, 2);
    let process = Arc::new(board.attach());
    let sibling = process.clone();
    let theirs = thread::spawn(move || sibling.own().unwrap().row);
    let mine = process.own().unwrap().row;
    assert_eq!(
        theirs.join().unwrap(),
        mine,
        "invariant 10: two rows for one process"
    );
    assert!(word(&process, mine).in_use);
    assert!(
        !word(&process, 1 - mine).in_use,
        "invariant 10: a row is lost"
    );
}

#[test]
fn a_row_has_one_living_process() {
    explore(PAIR, &DEATHS, one_row(false));
    explore(PAIR, &DEATHS, one_row(true));
}

#[test]
fn a_dead_builders_row_is_resolved_and_claimed() {
    for died_at in [Step::Claimed, Step::Written, Step::Linked] {
        explore(PAIR, &DEATHS, reclaim(died_at));
    }
}

#[test]
fn a_sweep_and_a_claim_of_one_row_agree() {
    explore(PAIR, &[Step::RowChanging, Step::Resolved], sweep);
}

#[test]
fn threads_of_one_process_share_one_row() {
    explore(PAIR, &[], siblings);
}

#[test]
fn faults_of_rows_are_seen() {
    breaks(Mutation::NoSecondLook, TRIO, &[], reclaim(Step::Claimed));
    breaks(Mutation::NoSecondLook, PAIR, &[], sweep);
    breaks(Mutation::NoChangeLock, TRIO, &[], reclaim(Step::Claimed));
}
