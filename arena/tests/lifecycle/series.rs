//! Series that end and begin again.

use tallyboard::{Number, Reader, RefusedReason};

use super::{Scratch, assert_sound, counters, small};

fn created_of(reader: &Reader, label: &str) -> u64 {
    let mut series = reader.families()[0].series.iter();
    let found = series.find(|series| reader.label_values(*series).unwrap() == [label]);
    reader.created_unix_nanos(found.unwrap()).unwrap()
}

#[test]
fn a_removed_series_begins_again_from_zero_at_its_next_update() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let family = board.counter("c", "").labels(&["k"]).family().unwrap();
    let (a, b) = (family.with(&["a"]), family.with(&["b"]));
    a.add(7);
    b.add(5);
    let mut reader = Reader::new(&board);
    reader.refresh();
    let created = created_of(&reader, "a");
    assert_eq!(family.remove(&["a"]), Ok(true));
    assert_eq!(family.remove(&["a"]), Ok(false));
    assert_eq!(counters(&board, "c"), [(vec!["b".into()], 5)]);
    assert_eq!(a.get(), Number::Int(0));
    a.clone().inc();
    a.inc();
    assert_eq!(
        counters(&board, "c"),
        [(vec!["a".into()], 2), (vec!["b".into()], 5)]
    );
    reader.refresh();
    assert!(created_of(&reader, "a") > created);
    assert_eq!(family.clear(), Ok(2));
    assert_eq!(counters(&board, "c"), []);
    b.inc();
    assert_eq!(counters(&board, "c"), [(vec!["b".into()], 1)]);
    assert!(family.remove(&[]).is_err());
    assert_sound(&board);
}

#[test]
fn a_removed_histogram_finds_all_its_buckets_again() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    for buckets in [12, 40] {
        let bounds: Vec<f64> = (0..buckets).map(f64::from).collect();
        let name = format!("h{buckets}");
        let family = board
            .histogram(&name, "")
            .buckets(&bounds)
            .labels(&["k"])
            .family()
            .unwrap();
        let histogram = family.with(&["a"]);
        histogram.observe(3.0);
        assert_eq!(family.remove(&["a"]), Ok(true));
        // Its slots go to another, so that the chain is another one.
        let other = board
            .counter(&format!("other{buckets}"), "")
            .register()
            .unwrap();
        other.inc();
        for bucket in 0..=buckets {
            for _ in 0..=bucket {
                histogram.observe(f64::from(bucket));
            }
        }
        let mut reader = Reader::new(&board);
        reader.refresh();
        let family = reader.families().iter().find(|f| f.name == name).unwrap();
        let mut counts = vec![0; bounds.len() + 1];
        reader
            .histogram(family.series.first().unwrap(), &mut counts)
            .unwrap();
        assert_eq!(counts, (1..=bounds.len() as u64 + 1).collect::<Vec<_>>());
    }
    assert_sound(&board);
}

#[test]
fn a_board_has_room_for_the_living_not_for_those_that_were() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let family = board.counter("c", "").labels(&["k"]).family().unwrap();
    for round in 0..10_000 {
        let value = round.to_string();
        family.try_with(&[&value]).unwrap().inc();
        assert_eq!(family.remove(&[&value]), Ok(true));
    }
    assert_eq!(board.stats().slots_used, 1);
    assert_sound(&board);
}

#[test]
fn a_full_board_takes_series_again_when_others_are_gone() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let family = board.counter("c", "").labels(&["k"]).family().unwrap();
    for series in 0..63 {
        family.try_with(&[&series.to_string()]).unwrap();
    }
    for _ in 0..200 {
        assert!(family.try_with(&["more"]).is_err());
    }
    let refused = board.stats().refused[0];
    assert_eq!(refused, (RefusedReason::BoardFull, 200));
    assert!(board.check()[0].to_string().contains("no free slot"));
    let handle = family.with(&["0"]);
    family.remove(&["0"]).unwrap();
    family.try_with(&["more"]).unwrap();
    // Nothing is left for it; when there is, it goes on.
    handle.inc();
    family.remove(&["1"]).unwrap();
    handle.add(2);
    assert!(counters(&board, "c").contains(&(vec!["0".into()], 2)));
}

#[test]
fn a_busy_board_has_no_faults() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let family = board.counter("c", "").labels(&["k"]).family().unwrap();
    for series in 0..57 {
        family.try_with(&[&format!("full {series}")]).unwrap();
    }
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (family, over) = (&family, &over);
            scope.spawn(move || {
                let name = thread.to_string();
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    if let Ok(counter) = family.try_with(&[&name]) {
                        counter.inc();
                    }
                    family.remove(&[&name]).unwrap();
                }
            });
        }
        for _ in 0..3 {
            let mut faults = board.check();
            faults.retain(|fault| fault.place != "board");
            assert_eq!(faults, []);
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
