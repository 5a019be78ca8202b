//! How many series a metric may have.

use tallyboard::Reader;

use super::{Scratch, assert_sound, counters, small};

#[test]
fn what_goes_beyond_a_cap_is_counted_in_one_series() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let capped = |cap| {
        let builder = board.counter("c", "").labels(&["k", "l"]);
        builder.series_cap(cap).family().unwrap()
    };
    let family = capped(3);
    for series in 0..10 {
        family.with(&[&series.to_string(), "x"]).inc();
        family.with(&["0", "x"]).inc();
    }
    let overflow = vec!["overflow".to_owned(), "overflow".to_owned()];
    let values = counters(&board, "c");
    assert_eq!(values.len(), 4);
    assert_eq!(values[0].1, 11);
    assert!(values.contains(&(overflow.clone(), 7)));
    let mut reader = Reader::new(&board);
    reader.refresh();
    assert_eq!(reader.overflows(&reader.families()[0]), 7);
    assert_eq!(board.stats().overflowed, 7);
    // A place becomes free.
    family.remove(&["1", "x"]).unwrap();
    family.with(&["new", "x"]).inc();
    assert!(counters(&board, "c").contains(&(vec!["new".into(), "x".into()], 1)));
    // A gauge is refused.
    let gauges = board
        .gauge("g", "")
        .labels(&["k"])
        .series_cap(1)
        .family()
        .unwrap();
    gauges.with(&["a"]).set(1.0);
    let error = gauges.try_with(&["b"]).unwrap_err().to_string();
    assert!(error.contains("as many series as it may have"), "{error}");
    gauges.with(&["b"]).set(2.0);
    assert_eq!(board.stats().overflowed, 9);
    assert_sound(&board);
}

#[test]
fn who_declares_no_cap_leaves_it_as_it_is() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let declare = |cap| {
        let builder = board.counter("c", "").labels(&["k"]);
        builder.series_cap(cap).family().unwrap()
    };
    let (capped, other) = (declare(2), declare(0));
    for series in 0..6 {
        other.with(&[&series.to_string()]).inc();
    }
    assert_eq!(counters(&board, "c").len(), 3);
    // Nor is it higher when what went beyond it is gone.
    assert_eq!(capped.clear(), Ok(3));
    for series in 10..16 {
        capped.with(&[&series.to_string()]).inc();
    }
    let values = counters(&board, "c");
    assert_eq!(values.len(), 3, "{values:?}");
    assert_eq!(values[2], (vec!["overflow".into()], 4));
}
