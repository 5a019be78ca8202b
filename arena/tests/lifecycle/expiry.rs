//! Series that do not change for long.

use std::time::Duration;

use tallyboard::Aggregation;

use super::{Scratch, counters, gauge, small};

#[test]
fn series_that_do_not_change_expire() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let family = board.counter("c", "").labels(&["k"]).family().unwrap();
    let (busy, idle) = (family.with(&["busy"]), family.with(&["idle"]));
    busy.inc();
    idle.inc();
    let ttl = Duration::from_secs(1);
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while counters(&board, "c").len() == 2 {
        assert!(std::time::Instant::now() < until);
        busy.inc();
        board.expire(ttl);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(counters(&board, "c")[0].0, ["busy"]);
    assert_eq!(board.stats().expired, 1);
    idle.inc();
    assert_eq!(counters(&board, "c")[1], (vec!["idle".into()], 1));
}

/// Whatever its type, and whichever bits of a number a change is in.
#[test]
fn each_change_is_one_for_expiry() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let gauge = board.gauge("g", "").register().unwrap();
    let integers = board.counter("c", "").register().unwrap();
    let floats = board.counter("f", "").register().unwrap();
    let histogram = board.histogram("h", "").register().unwrap();
    let summary = board.summary("s", "").register().unwrap();
    let sum = board.gauge("gs", "").aggregation(Aggregation::Sum);
    let sum = sum.register().unwrap();
    for round in 0..200 {
        gauge.set(f64::from(round % 2));
        integers.inc();
        assert!(floats.add_f64(2_f64.powi(round)));
        histogram.observe(1e9);
        summary.observe(0.0);
        sum.set(-f64::from(round % 2));
        assert_eq!(board.expire(Duration::ZERO), 0, "in round {round}");
    }
    assert_eq!(board.expire(Duration::ZERO), 6);
}

/// What a dead process contributed stands in the series' accumulator, under another tag than its.
#[test]
fn a_gauge_that_the_dead_change_does_not_expire() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let gauges = board.gauge("g", "").aggregation(Aggregation::Sum);
    let sum = gauges.register().unwrap();
    let idle = board.counter("c", "").register().unwrap();
    idle.inc();
    let until = std::time::Instant::now() + Duration::from_secs(20);
    let mut added = 0.0;
    // As long as a series that does not change takes to go, and a round more.
    while !counters(&board, "c").is_empty() {
        assert!(std::time::Instant::now() < until);
        sum.add(1.0);
        added += 1.0;
        board.leave();
        board.expire(Duration::from_secs(1));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(gauge(&board, "g"), Some(added));
}
