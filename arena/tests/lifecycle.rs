//! Series that come and go, gauges over processes, definitions that change, caps.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tallyboard::{Aggregation, Board, BoardOptions, Location, Number, Reader, RefusedReason};

struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Scratch {
        Scratch {
            directory: tempfile::tempdir_in("/dev/shm").unwrap(),
        }
    }

    fn at(&self) -> Location {
        Location::Path(self.directory.path().join("t.board"))
    }

    fn board(&self, options: BoardOptions) -> Board {
        options.create(&self.at()).unwrap()
    }
}

fn small() -> BoardOptions {
    Board::options().slots(64).processes(16)
}

/// The values of a counter, by label values.
fn counters(board: &Board, name: &str) -> Vec<(Vec<String>, u64)> {
    let mut reader = Reader::new(board);
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    let Some(family) = reader.families().iter().find(|family| family.name == name) else {
        return Vec::new();
    };
    let value = |series| match reader.counter(series) {
        Some(Number::Int(value)) => value,
        other => panic!("{other:?}"),
    };
    let series = family.series.iter();
    let mut counters: Vec<_> = series
        .map(|series| (reader.label_values(series).unwrap(), value(series)))
        .collect();
    counters.sort();
    counters
}

fn gauge(board: &Board, name: &str) -> Option<f64> {
    let mut reader = Reader::new(board);
    reader.refresh();
    assert_eq!(reader.damaged(), 0);
    let family = reader
        .families()
        .iter()
        .find(|family| family.name == name)?;
    reader.gauge(family.series.first()?)
}

fn by_process(board: &Board, name: &str) -> Vec<(String, f64)> {
    let mut reader = Reader::new(board);
    reader.refresh();
    let family = reader.families().iter().find(|family| family.name == name);
    family.map_or(Vec::new(), |family| {
        reader.by_process(family.series.first().unwrap())
    })
}

fn created_of(reader: &Reader, label: &str) -> u64 {
    let mut series = reader.families()[0].series.iter();
    let found = series.find(|series| reader.label_values(*series).unwrap() == [label]);
    reader.created_unix_nanos(found.unwrap()).unwrap()
}

fn assert_sound(board: &Board) {
    let faults: Vec<String> = board.check().iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{faults:#?}");
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
        .args(["--exact", "giver_up", "--ignored"])
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

/// A gauge's life in other processes: `child` runs in one, which is then killed.
fn in_child(scratch: &Scratch, name: &str, how: Aggregation, value: f64) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program)
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env("TALLYBOARD", scratch.directory.path().join("t.board"))
        .env("GAUGE", format!("{name} {how} {value}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    use std::io::BufRead;
    let output = std::io::BufReader::new(child.stdout.take().unwrap());
    let said = output
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("set"));
    assert!(said.is_some(), "the child died");
    child
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Not a test: what [`in_child`] runs.
#[test]
#[ignore = "run by the others"]
fn child() {
    let asked = std::env::var("GAUGE").unwrap();
    let [name, how, value] = asked.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{asked}");
    };
    let board = Board::open_default().unwrap();
    let gauge = board
        .gauge(name, "")
        .aggregation(how.parse().unwrap())
        .register()
        .unwrap();
    if value != "NaN" {
        gauge.set(value.parse::<f64>().unwrap() - 1.0);
        gauge.inc();
    }
    println!("set");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

const UNSET: f64 = f64::NAN;

#[test]
fn each_way_of_aggregation_is_what_the_table_says() {
    // Values of processes that die, and of one that lives; what is shown before and after.
    let table = [
        (Aggregation::Sum, Some(10.0), Some(10.0)),
        (Aggregation::Min, Some(2.0), Some(2.0)),
        (Aggregation::Max, Some(5.0), Some(5.0)),
        (Aggregation::LiveSum, Some(10.0), Some(3.0)),
        (Aggregation::LiveMin, Some(2.0), Some(3.0)),
        (Aggregation::LiveMax, Some(5.0), Some(3.0)),
        (Aggregation::LiveLast, Some(5.0), Some(3.0)),
        (Aggregation::Last, Some(5.0), Some(5.0)),
    ];
    for (how, before, after) in table {
        let scratch = Scratch::new();
        let board = scratch.board(small());
        let staying = in_child(&scratch, "g", how, 3.0);
        let dying = [2.0, UNSET, 5.0].map(|value| in_child(&scratch, "g", how, value));
        assert_eq!(gauge(&board, "g"), before, "{how}");
        dying.into_iter().for_each(kill);
        assert_eq!(
            gauge(&board, "g"),
            after,
            "{how}, in the first look after the deaths"
        );
        board.reap();
        assert_eq!(gauge(&board, "g"), after, "{how}, after the reaper");
        assert_sound(&board);
        let parts = board.stats().parts;
        assert_eq!(parts, u32::from(how != Aggregation::Last), "{how}");
        kill(staying);
        board.reap();
        let nobody = match how {
            Aggregation::LiveSum => Some(0.0),
            _ if how.is_live() => None,
            _ => after,
        };
        assert_eq!(gauge(&board, "g"), nobody, "{how}, when all are dead");
        assert_eq!(board.stats().parts, 0);
        assert_eq!(board.stats().processes_used, 0);
        assert_sound(&board);
    }
}

#[test]
fn a_gauge_of_all_processes_has_a_series_for_each() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    for how in [Aggregation::All, Aggregation::LiveAll] {
        let name = how.to_string();
        let child = in_child(&scratch, &name, how, 2.0);
        let unset = in_child(&scratch, &name, how, UNSET);
        let pid = child.id().to_string();
        assert_eq!(by_process(&board, &name), [(pid.clone(), 2.0)]);
        assert_eq!(gauge(&board, &name), None);
        kill(child);
        kill(unset);
        let left = match how {
            Aggregation::All => vec![(pid, 2.0)],
            _ => vec![],
        };
        assert_eq!(by_process(&board, &name), left);
        board.reap();
        assert_eq!(by_process(&board, &name), left);
    }
    let labelled = board
        .gauge("x", "")
        .aggregation(Aggregation::All)
        .labels(&["pid"]);
    assert!(labelled.family().unwrap_err().to_string().contains("pid"));
}

#[test]
fn dead_processes_are_shown_as_long_as_the_board_says() {
    let scratch = Scratch::new();
    let board = scratch.board(small().keep_dead(Duration::from_secs(1)));
    let child = in_child(&scratch, "g", Aggregation::All, 2.0);
    kill(child);
    board.reap();
    assert_eq!(by_process(&board, "g").len(), 1);
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while !by_process(&board, "g").is_empty() {
        assert!(std::time::Instant::now() < until);
        std::thread::sleep(Duration::from_millis(20));
    }
    board.reap();
    assert_eq!(board.stats().parts, 0);
}

#[test]
fn a_removed_gauge_takes_its_parts_along() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let builder = board
        .gauge("g", "")
        .aggregation(Aggregation::Sum)
        .labels(&["k"]);
    let family = builder.family().unwrap();
    let gauge = family.with(&["a"]);
    gauge.set(4.0);
    assert_eq!(gauge.get(), 4.0);
    assert_eq!(board.stats().parts, 1);
    assert_eq!(family.remove(&["a"]), Ok(true));
    assert_eq!((board.stats().parts, board.stats().series), (0, 0));
    assert_eq!(gauge.get(), 0.0);
    gauge.add(2.5);
    assert_eq!(gauge.get(), 2.5);
    assert_eq!((board.stats().parts, board.stats().series), (1, 1));
    assert_sound(&board);
}

#[test]
fn dead_sums_are_folded_in_constant_space() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    for _ in 0..40 {
        kill(in_child(&scratch, "g", Aggregation::Sum, 1.0));
    }
    assert_eq!(gauge(&board, "g"), Some(40.0));
    board.reap();
    assert_eq!(gauge(&board, "g"), Some(40.0));
    let stats = board.stats();
    assert_eq!((stats.folded, stats.parts, stats.slots_used), (40, 0, 2));
}

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

#[test]
fn who_leaves_is_off_the_list_and_its_gauges_are_settled() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    assert_eq!(board.processes(), []);
    let sum = board.gauge("g", "").aggregation(Aggregation::Sum);
    let sum = sum.register().unwrap();
    sum.set(3.0);
    let processes = board.processes();
    assert_eq!(processes.len(), 1);
    assert!(processes[0].is_alive);
    assert_eq!(
        (processes[0].pid, processes[0].gauges),
        (std::process::id().into(), 1)
    );
    board.leave();
    assert_eq!(board.processes(), []);
    assert_eq!((board.stats().parts, gauge(&board, "g")), (0, Some(3.0)));
    // It may come back.
    sum.add(2.0);
    assert_eq!(gauge(&board, "g"), Some(5.0));
    assert_eq!(board.processes()[0].gauges, 1);
    assert_sound(&board);
}

#[test]
fn who_moved_to_another_board_leaves_that_one() {
    let scratch = Scratch::new();
    let board = scratch.board(small());
    let sum = board.gauge("g", "").aggregation(Aggregation::Sum);
    let sum = sum.register().unwrap();
    sum.set(3.0);
    tallyboard::remove(&scratch.at()).unwrap();
    sum.set(4.0);
    let next = Board::options().attach(&scratch.at()).unwrap();
    assert_eq!(next.processes().len(), 1);
    board.leave();
    assert_eq!(next.processes(), []);
    assert_eq!(gauge(&next, "g"), Some(4.0));
    board.enlist();
    assert_eq!(next.processes().len(), 1);
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
