//! Series that go, words and definitions that change, a family that is full; exemplars, infos and
//! state sets.

use std::error::Error;

use tallyboard::Board;

/// Leaves one of each on the board, and settles what the dead have left.
pub(crate) fn run(board: &Board) -> Result<(), Box<dyn Error>> {
    let removed = board.counter("removed_total", "").labels(&["k"]).family()?;
    let kept = ["a", "b", "c"].map(|value| removed.with(&[value]));
    kept.iter().for_each(|counter| counter.add(5));
    removed.remove(&["a"])?;
    removed.remove(&["b"])?;
    kept[1].inc();
    let cleared = board.summary("cleared", "").labels(&["k"]).family()?;
    cleared.with(&["a"]).observe(1.0);
    cleared.clear()?;

    let capped = board.counter("capped_total", "").labels(&["k", "l"]);
    let capped = capped.series_cap(3).family()?;
    for value in 0..10_u64 {
        capped.with(&[&value.to_string(), "x"]).add(value);
    }

    for (help, unit) in [("One.", ""), ("Two\nlines.", "s"), ("Three.", "seconds")] {
        board.counter("worded", help).unit(unit).register()?.inc();
    }

    let traced = board.counter("traced_total", "").register()?;
    let timed = board.histogram("traced_seconds", "").buckets(&[1.0, 2.0]);
    let timed = timed.register()?;
    for (amount, trace) in [(1, "a"), (2, "b")] {
        traced.add_with_exemplar(amount, &[("trace_id", trace)]);
    }
    for value in [0.25, 0.5, f64::NAN] {
        timed.observe_with_exemplar(value, &[("trace_id", "c"), ("of", "ß")]);
    }
    let described = board.info("described", "").labels(&["k"]).family()?;
    described.with(&["silent"]);
    for version in ["1", "2"] {
        let wide = "w".repeat(1000);
        let pairs = [("wide", wide.as_str()), ("version", version)];
        described.with(&["said"]).set(&pairs)?;
    }
    let phase = board.state_set("phase", "", &["loading", "linking"]);
    let phase = phase.labels(&["k"]).family()?;
    phase.with(&["first"]);
    phase.with(&["set"]).set("linking");

    // The older definition is given up, and made again by a handle that is left: it is no newer for that.
    let histogram = || board.histogram("versions", "").labels(&["k"]);
    let older = histogram().buckets(&[1.0]).family()?;
    let handle = older.with(&["older"]);
    handle.observe(0.5);
    histogram()
        .buckets(&[1.0, 2.0])
        .family()?
        .with(&["newer"])
        .observe(1.5);
    older.clear()?;
    board.reap();
    handle.observe(0.5);
    super::wait_for_start(board)
}
