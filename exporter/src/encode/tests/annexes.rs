//! Exemplars, infos and state sets, in text and as a decoder of Protocol buffers has them.

use super::messages::{Bucket, Exemplar, Family, PROTOBUF, decode, label};
use super::*;

/// Without its time, which must be one.
fn timeless(exemplar: &Option<Exemplar>) -> Option<Exemplar> {
    exemplar.clone().map(|exemplar| {
        assert!(exemplar.time.unwrap().seconds > 1_700_000_000);
        Exemplar {
            time: None,
            ..exemplar
        }
    })
}

fn exemplar(labels: &[(&str, &str)], value: f64) -> Option<Exemplar> {
    let labels = labels.iter().map(|(name, value)| label(name, value));
    Some(Exemplar {
        labels: labels.collect(),
        value: Some(value),
        time: None,
    })
}

fn names(family: &Family) -> Vec<Vec<(&str, &str)>> {
    let metrics = family.metrics.iter();
    let labels = metrics.map(|metric| {
        let labels = metric.labels.iter();
        labels.map(|label| (&*label.name, &*label.value)).collect()
    });
    labels.collect()
}

fn gauges(family: &Family) -> Vec<f64> {
    assert_eq!(family.kind, 1, "a gauge");
    let metrics = family.metrics.iter();
    let values = metrics.map(|metric| metric.gauge.as_ref().unwrap().value.unwrap());
    values.collect()
}

#[test]
fn exemplars_stand_on_counters_and_buckets_in_protobuf() {
    let board = board();
    let jobs = board.counter("jobs_total", "").label("q", "a");
    let jobs = jobs.register().unwrap();
    jobs.add_with_exemplar(2, &[("trace.id", "a\"b"), ("trace_id", "")]);
    let plain = board.counter("jobs_total", "").label("q", "b");
    plain.register().unwrap().inc();
    let waits = board.histogram("wait", "").buckets(&[0.5, 1.0]);
    let waits = waits.label("q", "x").register().unwrap();
    waits.observe_with_exemplar(0.25, &[("trace_id", "c")]);
    waits.observe(0.75);
    let sizes = board.histogram("size", "").buckets(&[0.5]);
    let sizes = sizes.register().unwrap();
    // Longer than a length of one byte can tell.
    let long = "ü".repeat(100);
    sizes.observe_with_exemplar(4.0, &[("trace_id", &long)]);
    // Told apart by an underscore more, these are 129 characters.
    let full = board.counter("full_total", "").register().unwrap();
    full.inc_with_exemplar(&[("a.b", &"x".repeat(122)), ("a-b", "")]);

    let (body, encoded) = bytes_with(&mut Encoder::new(PROTOBUF), &[(&board, None)]);
    let families = decode(&body);
    assert_eq!((families.len(), encoded.series), (4, 5));
    let counters = |family: &Family| {
        let metrics = family.metrics.iter();
        let counters = metrics.map(|metric| {
            let counter = metric.counter.as_ref().unwrap();
            assert!(counter.created.is_some());
            (counter.value.unwrap(), timeless(&counter.exemplar))
        });
        counters.collect::<Vec<_>>()
    };
    let buckets = |family: &Family| {
        let histogram = family.metrics[0].histogram.as_ref().unwrap();
        let buckets = histogram.buckets.iter();
        let buckets = buckets.map(|bucket: &Bucket| {
            let (count, bound) = (bucket.cumulative.unwrap(), bucket.bound.unwrap());
            (count, bound, timeless(&bucket.exemplar))
        });
        buckets.collect::<Vec<_>>()
    };
    assert_eq!(counters(&families[0]), [(1.0, None)]);
    let told_apart = exemplar(&[("trace_id_", "a\"b"), ("trace_id", "")], 2.0);
    assert_eq!(counters(&families[1]), [(2.0, told_apart), (1.0, None)]);
    let far = exemplar(&[("trace_id", &long)], 4.0);
    let expected = [(0, 0.5, None), (1, f64::INFINITY, far)];
    assert_eq!(buckets(&families[2]), expected);
    let near = exemplar(&[("trace_id", "c")], 0.25);
    assert_eq!(buckets(&families[3]), [(1, 0.5, near), (2, 1.0, None)]);
}

#[test]
fn an_exemplar_that_comes_while_it_is_sent_waits_for_the_next_scrape() {
    let board = board();
    let counters = ["a", "b", "c"].map(|queue| {
        let jobs = board.counter("jobs_total", "").label("queue", queue);
        let jobs = jobs.register().unwrap();
        jobs.inc_with_exemplar(&[("trace_id", queue)]);
        jobs
    });
    let mut reader = Reader::new(&board);
    reader.refresh();
    let mut encoder = Encoder::new(PROTOBUF);
    let source = Source {
        id: 0,
        label: None,
        reader: &reader,
    };
    let mut pass = Pass::new(Arc::new(encoder.expose(&[source])), Arc::default());
    let mut body = Vec::new();
    assert!(pass.fill(1, &mut body), "one series was written");
    counters[2].inc_with_exemplar(&[("trace_id", "much longer than before")]);
    let jobs = board.counter("jobs_total", "").label("queue", "");
    assert_eq!(jobs.family().unwrap().remove(&["b"]), Ok(true));
    // The exporter looks again for another scraper.
    reader.refresh();
    while pass.fill(body.len() + 1, &mut body) {}
    let families = decode(&body);
    let metrics = families[0].metrics.iter();
    let traces = metrics.map(|metric| {
        let counter = metric.counter.as_ref().unwrap();
        &*counter.exemplar.as_ref().unwrap().labels[0].value
    });
    assert_eq!(traces.collect::<Vec<_>>(), ["a", "c"]);
}

#[test]
fn an_info_is_a_gauge_in_protobuf_and_says_what_it_says_now() {
    let board = board();
    let build = board.info("build", "Of what.").label("a.b", "l");
    let build = build.register().unwrap();
    let mut encoder = Encoder::new(PROTOBUF);
    let mut say = |board: &Board| {
        let (body, encoded) = bytes_with(&mut encoder, &[(board, Some("B"))]);
        let families = decode(&body);
        assert_eq!((families.len(), encoded.series), (1, 1));
        assert_eq!(gauges(&families[0]), [1.0]);
        assert_eq!(families[0].name, "build_info");
        families
    };
    let own = [("board", "B"), ("a.b", "l")];
    assert_eq!(names(&say(&board)[0]), [own]);
    build.set(&[("version", "1.2"), ("board", "\n")]).unwrap();
    let said = [("exported_board", "\n"), ("version", "1.2")];
    assert_eq!(names(&say(&board)[0]), [[own, said].concat()]);
}

#[test]
fn a_state_set_is_a_gauge_for_each_state_in_protobuf() {
    let board = board();
    let phase = board.state_set("phase", "Of it.", &["loading", "lin\"king"]);
    let phase = phase.label("job", "a").register().unwrap();
    phase.set("lin\"king");
    let (body, encoded) = bytes_with(&mut Encoder::new(PROTOBUF), &[(&board, None)]);
    let families = decode(&body);
    assert_eq!(encoded.series, 1);
    assert_eq!(gauges(&families[0]), [0.0, 1.0]);
    let states = ["loading", "lin\"king"].map(|state| [("job", "a"), ("phase", state)]);
    assert_eq!(names(&families[0]), states);
}

#[test]
fn an_exemplar_that_prometheus_would_refuse_is_not_written() {
    let board = board();
    let jobs = board.counter("jobs_total", "").register().unwrap();
    jobs.inc_with_exemplar(&[("trace_id", "a\0b")]);
    assert_eq!(
        encode(&board, OPEN_METRICS),
        "# TYPE jobs counter\njobs_total 1\n# EOF\n"
    );
}

/// What stands where the time of an exemplar stood, which is another in each run.
fn without_times(body: &str) -> String {
    let line = |line: &str| match line.split_once(" # {") {
        Some((_, exemplar)) => {
            let (rest, time) = line.rsplit_once(' ').unwrap();
            let seconds: f64 = time.parse().unwrap();
            assert!(seconds > 1.7e9 && exemplar.contains("} "), "{line}");
            format!("{rest} TIME\n")
        }
        None => format!("{line}\n"),
    };
    body.lines().map(line).collect()
}

#[test]
fn exemplars_stand_on_counters_and_buckets_in_open_metrics_alone() {
    let board = board();
    let jobs = board.counter("jobs_total", "").register().unwrap();
    jobs.add_with_exemplar(2, &[("trace.id", "a\"b"), ("trace_id", "")]);
    let waits = board.histogram("wait_seconds", "").buckets(&[0.5]);
    let waits = waits.label("q", "x").register().unwrap();
    waits.observe_with_exemplar(0.25, &[("trace_id", "c")]);
    waits.observe(0.25);
    waits.observe_with_exemplar(f64::NAN, &[]);
    // Told apart by an underscore more, these are 129 characters.
    let full = board.counter("full_total", "").register().unwrap();
    full.inc_with_exemplar(&[("a.b", &"x".repeat(122)), ("a-b", "")]);
    let text = encode(&board, Style::PLAIN);
    assert!(!text.contains(" # "), "{text}");
    assert_eq!(
        without_times(&encode(&board, OPEN_METRICS)),
        "# TYPE full counter\n\
         full_total 1\n\
         # TYPE jobs counter\n\
         jobs_total 2 # {trace_id_=\"a\\\"b\",trace_id=\"\"} 2.0 TIME\n\
         # TYPE wait_seconds histogram\n\
         wait_seconds_bucket{q=\"x\",le=\"0.5\"} 2 # {trace_id=\"c\"} 0.25 TIME\n\
         wait_seconds_bucket{q=\"x\",le=\"+Inf\"} 3 # {} NaN TIME\n\
         # EOF\n"
    );
}

#[test]
fn an_info_is_a_gauge_in_text_and_has_its_own_type_in_open_metrics() {
    let board = board();
    let build = board.info("build", "Of what.").register().unwrap();
    let text = "# HELP build_info Of what.\n# TYPE build_info gauge\n";
    let open_metrics = "# TYPE build info\n# HELP build Of what.\n";
    assert_eq!(
        encode(&board, Style::PLAIN),
        format!("{text}build_info 1\n")
    );
    build.set(&[("version", "1.2"), ("a.b", "\n")]).unwrap();
    let line = "build_info{a_b=\"\\n\",version=\"1.2\"} 1\n";
    assert_eq!(encode(&board, Style::PLAIN), format!("{text}{line}"));
    assert_eq!(
        encode(&board, OPEN_METRICS),
        format!("{open_metrics}{line}# EOF\n")
    );
}

#[test]
fn labels_of_an_info_stay_apart_whatever_it_says() {
    let board = board();
    let side = board.info("side_info", "").label("a.b", "left");
    let side = side.register().unwrap();
    side.set(&[("a-b", "x"), ("board", "y"), ("exported_board", "z")])
        .unwrap();
    let (body, _) = encode_with(&mut Encoder::new(OPEN_METRICS), &[(&board, Some("B"))]);
    assert_eq!(
        body,
        "# TYPE side info\nside_info{board=\"B\",a_b=\"left\",a_b_=\"x\",exported_board_=\"y\",exported_board=\"z\"} 1\n# EOF\n"
    );
}

#[test]
fn a_state_set_is_a_line_for_each_state() {
    let board = board();
    let phase = board.state_set("phase", "Of it.", &["loading", "lin\"king"]);
    let phase = phase.label("job", "a").register().unwrap();
    phase.set("lin\"king");
    let lines = "phase{job=\"a\",phase=\"loading\"} 0\nphase{job=\"a\",phase=\"lin\\\"king\"} 1\n";
    assert_eq!(
        encode(&board, Style::PLAIN),
        format!("# HELP phase Of it.\n# TYPE phase gauge\n{lines}")
    );
    assert_eq!(
        encode(&board, OPEN_METRICS),
        format!("# TYPE phase stateset\n# HELP phase Of it.\n{lines}# EOF\n")
    );
}

/// Its parsers look for a label that is called as the family is, and refuse the body without it.
#[test]
fn a_state_set_whose_label_cannot_have_its_name_is_a_gauge_in_open_metrics() {
    let board = board();
    board.state_set("a:b", "", &["on"]).register().unwrap();
    assert_eq!(
        encode(&board, OPEN_METRICS),
        "# TYPE a:b gauge\na:b{a_b=\"on\"} 1\n# EOF\n"
    );
}
