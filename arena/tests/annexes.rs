//! Exemplars, infos and state sets, as a program uses them and a reader sees them.

use std::sync::Barrier;
use tallyboard::{Board, Exemplar, Kind, Location, Reader, RefusedReason, RegisterError};

fn board(slots: u32) -> (tempfile::TempDir, Board) {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let at = Location::Path(directory.path().join("annexes.board"));
    let board = Board::options().slots(slots).create(&at).unwrap();
    (directory, board)
}

/// What a new reader says of the exemplar at `place` of the first series of `name`.
fn exemplar(board: &Board, name: &str, place: usize) -> Option<Exemplar> {
    let mut reader = Reader::new(board);
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    let families = reader.families().iter();
    let series = families.filter(|family| family.name == name);
    let series = series.flat_map(|family| &family.series).next()?;
    reader.exemplar(series, place).cloned()
}

fn refused(board: &Board, reason: RefusedReason) -> u64 {
    let refused = board.stats().refused;
    refused.iter().find(|(of, _)| *of == reason).unwrap().1
}

#[test]
fn the_last_exemplar_of_a_counter_stays() {
    let (_directory, board) = board(64);
    let counter = board.counter("c_total", "").register().unwrap();
    counter.inc();
    assert_eq!(exemplar(&board, "c_total", 0), None);
    counter.add_with_exemplar(3, &[("trace_id", "a"), ("span", "1")]);
    let before = exemplar(&board, "c_total", 0).unwrap();
    assert_eq!(before.value, 3.0);
    let labels = [("trace_id", "a"), ("span", "1")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(before.labels, labels);
    assert!(counter.add_f64_with_exemplar(0.5, &[("trace_id", "b")]));
    assert!(!counter.add_f64_with_exemplar(-1.0, &[("trace_id", "c")]));
    let after = exemplar(&board, "c_total", 0).unwrap();
    assert_eq!((after.value, &*after.labels[0].1), (0.5, "b"));
    assert!(after.unix_nanos >= before.unix_nanos);
    assert_eq!(counter.get().as_f64(), 4.5);
    assert_eq!(board.check(), []);
}

#[test]
fn each_bucket_has_its_own() {
    let (_directory, board) = board(64);
    let histogram = board.histogram("h", "").buckets(&[1.0, 2.0]);
    let histogram = histogram.register().unwrap();
    for (value, trace) in [(0.5, "a"), (1.5, "b"), (0.7, "c"), (f64::NAN, "d")] {
        histogram.observe_with_exemplar(value, &[("trace_id", trace)]);
    }
    let shown =
        [0, 1, 2, 3].map(|place| exemplar(&board, "h", place).map(|e| e.labels[0].1.clone()));
    let expected = [Some("c"), Some("b"), Some("d"), None].map(|t| t.map(str::to_owned));
    assert_eq!(shown, expected);
    let mut reader = Reader::new(&board);
    reader.refresh();
    let mut buckets = [0; 3];
    reader.histogram(reader.families()[0].series.first().unwrap(), &mut buckets);
    assert_eq!(buckets, [2, 1, 1]);
}

#[test]
fn what_is_refused_is_counted_by_its_reason_and_the_update_is_made() {
    let (_directory, board) = board(64);
    let counter = board.counter("c_total", "").register().unwrap();
    let long = "x".repeat(121);
    for labels in [
        &[("trace_id", &*long)][..],
        &[("", "x")],
        &[("__name__", "x")],
        &[("a", "x"), ("a", "y")],
    ] {
        counter.inc_with_exemplar(labels);
    }
    assert_eq!(refused(&board, RefusedReason::BadExemplar), 4);
    counter.inc_with_exemplar(&[("trace_id", &long[1..])]);
    assert_eq!(
        exemplar(&board, "c_total", 0).unwrap().labels[0].1.len(),
        120
    );
    let fill = board
        .counter("f_total", "")
        .labels(&["n"])
        .family()
        .unwrap();
    let full = (0..64).find(|n| fill.try_with(&[&n.to_string()]).is_err());
    assert!(full.is_some());
    let before = refused(&board, RefusedReason::BoardFull);
    fill.with(&["0"]).inc_with_exemplar(&[("trace_id", "x")]);
    counter.inc_with_exemplar(&[("trace_id", "x")]);
    assert_eq!(refused(&board, RefusedReason::BoardFull), before + 2);
    // The one that was there stays.
    assert_eq!(
        exemplar(&board, "c_total", 0).unwrap().labels[0].1.len(),
        120
    );
    assert_eq!(counter.get().as_f64(), 6.0);
    assert_eq!(fill.with(&["0"]).get().as_f64(), 1.0);
    counter_off();
}

fn counter_off() {
    let off = Board::open(&Location::Off).unwrap();
    off.counter("c", "")
        .register()
        .unwrap()
        .inc_with_exemplar(&[("a", "b")]);
    off.info("i", "")
        .register()
        .unwrap()
        .set(&[("a", "b")])
        .unwrap();
    let states = off.state_set("s", "", &["a"]).register().unwrap();
    assert!(states.set("b") && states.get().is_none());
}

#[test]
fn an_exemplar_goes_with_its_series_and_its_slots_are_free_again() {
    let (_directory, board) = board(64);
    let family = board
        .counter("c_total", "")
        .labels(&["n"])
        .family()
        .unwrap();
    let histograms = board.histogram("h", "").labels(&["n"]).family().unwrap();
    let used = board.stats().slots_used;
    for ends in 0..3 {
        for turn in 0..2 {
            family
                .with(&["1"])
                .inc_with_exemplar(&[("turn", &turn.to_string())]);
            histograms
                .with(&["1"])
                .observe_with_exemplar(0.3, &[("a", "b")]);
        }
        assert!(board.stats().slots_used > used + 2);
        match ends {
            0 => assert!(family.remove(&["1"]).unwrap() && histograms.remove(&["1"]).unwrap()),
            1 => assert_eq!((family.clear(), histograms.clear()), (Ok(1), Ok(1))),
            _ => {
                board.expire(std::time::Duration::ZERO);
                assert_eq!(board.expire(std::time::Duration::ZERO), 2);
            }
        }
        assert_eq!(board.stats().slots_used, used);
        assert_eq!(board.check(), []);
    }
    // A handle begins again, exemplar and all.
    let counter = family.with(&["1"]);
    counter.inc_with_exemplar(&[("turn", "x")]);
    assert!(family.remove(&["1"]).unwrap());
    counter.inc_with_exemplar(&[("turn", "y")]);
    assert_eq!(exemplar(&board, "c_total", 0).unwrap().labels[0].1, "y");
    assert_eq!(counter.get().as_f64(), 1.0);
}

/// Two slots at most belong to a place when nobody works, and one of the last written holds.
#[test]
fn threads_that_replace_one_exemplar_at_once_leave_one_of_theirs() {
    const THREADS: u64 = 4;
    const EACH: u64 = 2_000;
    let (_directory, board) = board(256);
    let counter = board.counter("c_total", "").register().unwrap();
    let used = board.stats().slots_used;
    let barrier = Barrier::new(THREADS as usize + 1);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (counter, barrier) = (&counter, &barrier);
            scope.spawn(move || {
                let thread = thread.to_string();
                barrier.wait();
                for n in 0..EACH {
                    let n = n.to_string();
                    counter.inc_with_exemplar(&[("thread", &*thread), ("n", &*n)]);
                }
            });
        }
        barrier.wait();
        let mut reader = Reader::new(&board);
        for _ in 0..500 {
            reader.refresh();
            assert_eq!(reader.damaged(), 0);
            let series = reader.families()[0].series.first().unwrap();
            if let Some(exemplar) = reader.exemplar(series, 0) {
                assert_eq!((exemplar.value, exemplar.labels.len()), (1.0, 2));
            }
        }
    });
    let last = exemplar(&board, "c_total", 0).unwrap();
    assert_eq!(last.labels[1].1, (EACH - 1).to_string());
    assert_eq!(counter.get().as_f64(), (THREADS * EACH) as f64);
    assert!(board.stats().slots_used <= used + 2);
    assert_eq!(refused(&board, RefusedReason::Overrun), 0);
    assert_eq!(board.check(), []);
}

/// A reader that is kept: replacing is registering elsewhere, and it must not miss both.
#[test]
fn a_reader_never_misses_what_an_info_says() {
    let (_directory, board) = board(64);
    let info = board.info("build", "Of what.").register().unwrap();
    info.set(&[("n", "0")]).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1..5_000 {
                info.set(&[("n", &n.to_string())]).unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let mut reader = Reader::new(&board);
        let mut last = 0;
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            reader.refresh();
            let said = reader
                .info(reader.families()[0].series.first().unwrap())
                .unwrap();
            let now: u32 = said.first().expect("it says something").1.parse().unwrap();
            assert!(now >= last);
            last = now;
        }
    });
    assert_eq!(board.check(), []);
}

#[test]
fn an_info_says_what_was_set_last() {
    let (_directory, board) = board(64);
    let info = board
        .info("build", "")
        .label("side", "left")
        .register()
        .unwrap();
    let says = |reader: &mut Reader| {
        reader.refresh();
        assert_eq!(reader.families()[0].kind, Kind::Info);
        let said = reader
            .info(reader.families()[0].series.first().unwrap())
            .unwrap();
        said.iter()
            .map(|(a, b)| format!("{a}={b}"))
            .collect::<Vec<_>>()
    };
    let mut reader = Reader::new(&board);
    assert!(says(&mut reader).is_empty());
    info.set(&[("version", "1"), ("commit", "a")]).unwrap();
    assert_eq!(says(&mut reader), ["commit=a", "version=1"]);
    // The same again takes no serial.
    let reclaimed = board.stats().reclaimed;
    info.set(&[("commit", "a"), ("version", "1")]).unwrap();
    assert_eq!(board.stats().reclaimed, reclaimed);
    let long = "x".repeat(10_000);
    info.set(&[("version", &long)]).unwrap();
    assert_eq!(says(&mut reader), [format!("version={long}")]);
    info.set(&[]).unwrap();
    assert!(says(&mut reader).is_empty());
    // It does not change, and is not to go for that.
    board.expire(std::time::Duration::ZERO);
    assert_eq!(board.expire(std::time::Duration::ZERO), 0);
    assert_eq!(board.check(), []);

    let text = |result: Result<(), RegisterError>| result.unwrap_err().to_string();
    assert!(text(info.set(&[("side", "right")])).contains("side"));
    assert!(text(info.set(&[("a", "1"), ("a", "2")])).contains("twice"));
    assert!(text(info.set(&[("__a", "1")])).contains("__a"));
    assert!(text(info.set(&[("a", &"x".repeat(16_000))])).contains("too long"));
    assert!(says(&mut reader).is_empty());
    let with_unit = board.info("i", "").unit("seconds").register();
    assert!(
        with_unit
            .unwrap_err()
            .to_string()
            .contains("leave the unit out")
    );
}

#[test]
fn a_state_set_begins_with_its_first_state_and_all_processes_share_it() {
    let (_directory, board) = board(64);
    let declare = || {
        board
            .state_set("phase", "", &["loading", "linking"])
            .register()
    };
    let phase = declare().unwrap();
    let mut reader = Reader::new(&board);
    let mut state = || {
        reader.refresh();
        let family = &reader.families()[0];
        assert_eq!((family.kind, family.states.len()), (Kind::StateSet, 2));
        reader
            .state(family, family.series.first().unwrap())
            .unwrap()
    };
    assert_eq!((state(), phase.get()), (0, Some("loading")));
    assert!(declare().unwrap().set("linking"));
    assert_eq!((state(), phase.get()), (1, Some("linking")));
    assert!(!phase.set("lunch") && !phase.set_place(2));
    assert_eq!(state(), 1);
    assert!(phase.set_place(0));
    assert_eq!(state(), 0);
    assert_eq!(board.check(), []);
    for states in [&[][..], &["a", "a"], &["a", ""]] {
        let error = board.state_set("s", "", states).register().unwrap_err();
        assert!(error.to_string().contains("a state set needs states"));
    }
    let own_name = board.state_set("s", "", &["a"]).label("s", "x").register();
    assert!(matches!(own_name, Err(RegisterError::ReservedLabel { .. })));
    // Other states are another definition, whose series are shown instead.
    let other = board
        .state_set("phase", "", &["on", "off"])
        .register()
        .unwrap();
    assert_eq!(other.get(), Some("on"));
    reader.refresh();
    assert_eq!(reader.families()[0].states, ["on", "off"]);
    assert!(matches!(
        board.gauge("phase", "").register(),
        Err(RegisterError::Clash { .. })
    ));
}
