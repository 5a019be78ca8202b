//! Definitions that change while a board lives.

use std::process::{Command, Stdio};

use tallyboard::{Board, Reader};

use super::{Scratch, assert_sound, counters, small};

#[test]
fn newer_words_are_shown() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let shown = || {
        let mut reader = Reader::new(&board);
        reader.refresh();
        (
            reader.families()[0].help.clone(),
            reader.families()[0].unit.clone(),
        )
    };
    let declare = |help, unit| {
        board
            .counter("c", help)
            .unit(unit)
            .register()
            .unwrap()
            .inc();
        shown()
    };
    for (help, unit) in [
        ("one", ""),
        ("two", "s"),
        ("three", "s"),
        ("one", ""),
        ("two", ""),
    ] {
        assert_eq!(declare(help, unit), (help.into(), unit.into()));
    }
    assert!(board.stats().slots_used <= 3);
    assert_eq!(counters(&board, "c"), [(vec![], 5)]);
    assert_sound(&board);
}

#[test]
fn the_newest_definition_is_shown_and_an_old_one_is_reclaimed() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let old = board
        .histogram("h", "")
        .buckets(&[1.0])
        .labels(&["k"])
        .family()
        .unwrap();
    let old_series = old.with(&["a"]);
    old_series.observe(0.5);
    let new = board
        .histogram("h", "")
        .buckets(&[1.0, 2.0])
        .labels(&["k"])
        .family()
        .unwrap();
    new.with(&["a"]).observe(0.5);
    let shown = || {
        let mut reader = Reader::new(&board);
        reader.refresh();
        assert_eq!(reader.families().len(), 1);
        (
            reader.families()[0].bounds.len(),
            reader.families()[0].hidden_series,
        )
    };
    assert_eq!(shown(), (2, 1));
    // A process of the old version registers again: it counts, and does not win.
    old.with(&["b"]).observe(0.5);
    assert_eq!(shown(), (2, 2));
    assert_eq!(old.clear(), Ok(2));
    assert_eq!(board.stats().families, 2);
    board.reap();
    assert_eq!(board.stats().families, 1);
    // Not even when it has to make its definition anew.
    old_series.observe(0.5);
    assert_eq!(board.stats().families, 2);
    assert_eq!(shown(), (2, 1));
    // What is counted is shown, as after a rollback, when the newer one has nothing to show.
    assert_eq!(new.clear(), Ok(1));
    assert_eq!(shown(), (1, 0));
    new.with(&["a"]).observe(0.5);
    assert_eq!(shown(), (2, 1));
    let clash = board.counter("h", "").register().unwrap_err().to_string();
    assert!(
        clash.contains("histogram") && clash.contains("counter"),
        "{clash}"
    );
    assert_sound(&board);
}

/// Registers a histogram with one bucket, ends it, has it reclaimed, and counts with what is left.
fn give_up_the_older(board: &Board) {
    let older = board.histogram("h", "").buckets(&[1.0]).family().unwrap();
    let handle = older.with(&[]);
    assert_eq!(older.clear(), Ok(1));
    board.reap();
    handle.observe(0.5);
}

/// Not a test: the process of the next one.
#[test]
#[ignore = "run by the next"]
fn giver_up() {
    give_up_the_older(&Board::open_default().unwrap());
}

#[test]
fn a_definition_made_anew_is_no_newer_for_a_process_that_never_saw_its_first_life() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let older = board.histogram("h", "").buckets(&[1.0]);
    older.register().unwrap().observe(0.5);
    let newer = board.histogram("h", "").buckets(&[1.0, 2.0]);
    newer.register().unwrap().observe(0.5);
    give_up_the_older(&board);
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "definitions::giver_up", "--ignored"])
        .env("TALLYBOARD", scratch.directory.path().join("t.board"))
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let mut reader = Reader::new(&board);
    reader.refresh();
    assert_eq!(reader.families()[0].bounds.len(), 2);
    assert_eq!(reader.families()[0].hidden_series, 1);
}

/// What makes room for the words may be the end of the family itself: an old definition goes first.
#[test]
fn a_family_that_ends_to_make_room_for_its_words_is_no_refusal() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let declare = |help, bounds: &[f64]| {
        let histogram = board.histogram("h", help).buckets(bounds);
        histogram.labels(&["k"]).family().unwrap()
    };
    declare("Words.", &[1.0]);
    declare("", &[1.0, 2.0]);
    let other = board.counter("c", "").labels(&["k"]).family().unwrap();
    for series in board.stats().slots_used..64 {
        other.try_with(&[&series.to_string()]).unwrap();
    }
    declare("Better words.", &[1.0]);
    assert!(board.stats().refused.iter().all(|(_, times)| *times == 0));
}
