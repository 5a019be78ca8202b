//! Updates of the shared plane: every add is there once (6), in the life that it was meant
//! for (7), a unit's cells belong to its tag alone (3), and what a reader sees of one life
//! never goes down (8).

use super::fixture::{Board, Name, PAIR, TRIO, breaks, explore};
use crate::counter::Number;
use crate::mutation::Mutation;
use crate::planes::{Cell, Ended};
use crate::register::Bound;
use crate::segment::Segment;
use crate::step::Step;
use loom::thread;

const A: Name = Name::new(1, "a");
const B: Name = Name::new(2, "b");

fn registered(process: &Segment, name: Name) -> Bound {
    process
        .register(&name.draft())
        .expect("invariant 9: refused")
}

fn add(process: &Segment, bound: Bound, amount: u64) -> Result<(), Ended> {
    let cell = Cell::of_head(bound.slot, 0, bound.tag());
    // As a handle does: the quick way first.
    if process.try_add_shared(cell, |value| value + amount) {
        return Ok(());
    }
    process.add_int(cell, amount)
}

/// Three processes add to one counter.
fn sum(_: Option<Step>) {
    let board = Board::new(1, 1);
    let reader = board.attach_with_row();
    let bound = registered(&reader, A);
    let adders = [1, 10].map(|amount| {
        let process = board.attach();
        thread::spawn(move || add(&process, bound, amount).unwrap())
    });
    add(&reader, bound, 100).unwrap();
    for adder in adders {
        adder.join().unwrap();
    }
    let value = reader.read_counter(bound);
    assert_eq!(
        value,
        Some(Number::Int(111)),
        "invariant 6: a count was lost"
    );
}

/// A process adds to a life that ends meanwhile, and whose slot another life takes.
fn end(_: Option<Step>) {
    let board = Board::new(1, 1);
    let (writer, late) = (board.attach_with_row(), board.attach());
    let old = registered(&writer, A);
    add(&writer, old, 5).unwrap();
    let adding = thread::spawn(move || add(&late, old, 1));
    writer.remove(old).unwrap();
    let new = registered(&writer, B);
    add(&writer, new, 10).unwrap();
    let before = writer.read_counter(new);
    let _ended_or_done = adding.join().unwrap();
    for value in [before, writer.read_counter(new)] {
        assert_eq!(
            value,
            Some(Number::Int(10)),
            "invariant 7: another life's add landed here, or destroyed a count"
        );
    }
}

/// A reader looks at a counter twice while it is counted, ended, and its slot used again.
fn watch(_: Option<Step>) {
    let board = Board::new(1, 1);
    let (writer, reader) = (board.attach_with_row(), board.attach());
    let old = registered(&writer, A);
    add(&writer, old, 5).unwrap();
    let writing = thread::spawn(move || {
        add(&writer, old, 1).unwrap();
        writer.remove(old).unwrap();
        let new = registered(&writer, B);
        add(&writer, new, 100).unwrap();
    });
    let mut last = 5;
    for _ in 0..2 {
        match reader.read_counter(old) {
            None => break,
            Some(Number::Int(value)) => {
                assert!(value >= last, "invariant 8: {value} after {last}");
                assert!(value <= 6, "invariant 3: {value} is another life's");
                last = value;
            }
            Some(value) => panic!("invariant 3: {value:?} was never added"),
        }
    }
    writing.join().unwrap();
}

/// An update whose binding is torn: the slot was never part of the head's chain.
fn torn(_: Option<Step>) {
    let board = Board::new(2, 1);
    let process = board.attach_with_row();
    let (a, b) = (registered(&process, A), registered(&process, B));
    let cell = Cell {
        slot: b.slot,
        ..Cell::of_head(a.slot, 0, a.tag())
    };
    assert_eq!(
        process.add_int(cell, 1),
        Err(Ended),
        "invariant 3: it took it"
    );
    add(&process, b, 3).unwrap();
    let value = process.read_counter(b);
    assert_eq!(value, Some(Number::Int(3)), "invariant 3: a stranger's add");
}

#[test]
fn the_sum_is_the_sum_of_the_adds() {
    explore(TRIO, &[], sum);
}

#[test]
fn an_add_lands_in_its_own_life_or_nowhere() {
    explore(PAIR, &[], end);
}

#[test]
fn what_a_reader_sees_of_a_life_never_goes_down() {
    explore(PAIR, &[], watch);
}

#[test]
fn a_torn_binding_adds_nothing() {
    explore(PAIR, &[], torn);
}

#[test]
fn faults_of_update_are_seen() {
    breaks(Mutation::StateFirst, PAIR, &[], end);
    breaks(Mutation::NoChainCheck, PAIR, &[], torn);
    breaks(Mutation::AddWithoutCas, TRIO, &[], sum);
    breaks(Mutation::PairRelaxed, PAIR, &[], end);
}
