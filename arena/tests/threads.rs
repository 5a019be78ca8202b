//! Threads of one process that do everything at once, with handles that they share.

use tallyboard::{Aggregation, Board, Location, Number, Reader};

const THREADS: u64 = 4;
const ROUNDS: u64 = 300;

#[test]
fn threads_that_register_update_remove_and_read_at_once_lose_nothing() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let at = Location::Path(directory.path().join("threads.board"));
    let board = Board::options().slots(1_024).create(&at).unwrap();
    let passing = board.counter("passing_total", "").labels(&["k"]);
    let passing = passing.family().unwrap();
    let handles: Vec<_> = (0..4)
        .map(|key| passing.with(&[&key.to_string()]))
        .collect();
    let counter = board.counter("kept_total", "").register().unwrap();
    let histogram = board.histogram("kept_seconds", "").register().unwrap();
    let sum = board.gauge("kept", "").aggregation(Aggregation::Sum);
    let sum = sum.register().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (board, passing, handles) = (&board, &passing, &handles);
            let (counter, histogram, sum) = (&counter, &histogram, &sum);
            scope.spawn(move || {
                let mut reader = Reader::new(board);
                for round in 0..ROUNDS {
                    let key = (round + thread) % 4;
                    handles[key as usize].inc();
                    handles[key as usize].clone().inc();
                    counter.add(1);
                    histogram.observe(0.5);
                    sum.inc();
                    match round % 16 {
                        0 => drop(passing.remove(&[&key.to_string()])),
                        5 => drop(passing.clear()),
                        10 => board.reap(),
                        // A definition of its own each time, found by others.
                        15 => board
                            .counter("late_total", "")
                            .label("round", &round.to_string())
                            .register()
                            .unwrap()
                            .inc(),
                        _ => {}
                    }
                    if round % 8 == 0 {
                        reader.refresh();
                        assert_eq!(reader.damaged(), 0);
                        for family in reader.families() {
                            for series in &family.series {
                                let _ = reader.counter(series);
                                let _ = reader.gauge(series);
                            }
                        }
                    }
                }
            });
        }
    });
    let all = THREADS * ROUNDS;
    assert_eq!(counter.get(), Number::Int(all));
    assert_eq!(sum.get(), all as f64);
    let mut reader = Reader::new(&board);
    reader.refresh();
    let family = |name| {
        let mut families = reader.families().iter();
        families.find(|family| family.name == name).unwrap()
    };
    let observed = family("kept_seconds").series.first().unwrap();
    let mut buckets = vec![0; family("kept_seconds").bounds.len() + 1];
    assert_eq!(
        reader.histogram(observed, &mut buckets),
        Some(all as f64 / 2.0)
    );
    assert_eq!(buckets.iter().sum::<u64>(), all);
    let late = family("late_total").series.iter();
    let late = late.map(|series| match reader.counter(series) {
        Some(Number::Int(count)) => count,
        other => panic!("{other:?}"),
    });
    assert_eq!(
        late.sum::<u64>(),
        THREADS * (0..ROUNDS).filter(|round| round % 16 == 15).count() as u64
    );
    assert_eq!(board.check(), []);
}
