//! What is kept between scrapes, as series and values change.

use std::collections::BTreeSet;

use super::messages::{PROTOBUF, decode};
use super::*;

#[test]
fn kept_text_follows_series_and_values() {
    let board = board();
    let mut encoder = Encoder::new(Style::PLAIN);
    let jobs = |queue| {
        let jobs = board.counter("jobs_total", "").label("queue", queue);
        jobs.register().unwrap()
    };
    let middle = jobs("m");
    middle.inc();
    let mut body = || encode_with(&mut encoder, &[(&board, None)]).0;
    assert_eq!(
        body(),
        "# TYPE jobs_total counter\njobs_total{queue=\"m\"} 1\n"
    );
    middle.inc();
    jobs("z").add(26);
    jobs("a").add(1);
    board.gauge("depth", "").register().unwrap().set(4.0);
    assert_eq!(
        body(),
        r#"# TYPE depth gauge
depth 4.0
# TYPE jobs_total counter
jobs_total{queue="m"} 2
jobs_total{queue="z"} 26
jobs_total{queue="a"} 1
"#
    );
}

/// What is kept is made anew in batches, and what is left of one batch is not mixed up with another.
#[test]
fn kept_text_follows_series_that_come_and_go_in_the_middle() {
    let board = board_of(4096);
    let mut encoder = Encoder::new(Style::PLAIN);
    let mut messages = Encoder::new(PROTOBUF);
    let family = board.counter("jobs_total", "").labels(&["n"]);
    let family = family.family().unwrap();
    let mut reader = Reader::new(&board);
    let mut expected: BTreeSet<u64> = (0..2000).collect();
    for n in &expected {
        family.with(&[&n.to_string()]).add(*n);
    }
    for turn in 0..20 {
        reader.refresh();
        let source = || Source {
            id: 0,
            label: None,
            reader: &reader,
        };
        let mut body = Vec::new();
        encoder.encode(&[source()], &mut body);
        let body = String::from_utf8(body).unwrap();
        let lines = body.lines().skip(1).map(|line| {
            let (name, value) = line.split_once(' ').unwrap();
            assert_eq!(name, format!("jobs_total{{n=\"{value}\"}}"));
            value.parse().unwrap()
        });
        assert_eq!(lines.collect::<BTreeSet<u64>>(), expected, "{turn}");
        // Here some lengths are told before anything is rendered, and some cannot be.
        let [kept, anew] = [&mut messages, &mut Encoder::new(PROTOBUF)].map(|encoder| {
            let mut body = Vec::new();
            encoder.encode(&[source()], &mut body);
            body
        });
        assert!(kept == anew, "{turn}");
        let families = decode(&kept);
        let metrics = families.iter().flat_map(|family| &family.metrics);
        let names = metrics.map(|metric| metric.labels[0].value.parse().unwrap());
        assert_eq!(names.collect::<BTreeSet<u64>>(), expected, "{turn}");
        for n in 0..100 {
            let (gone, new) = (turn * 100 + n * 7 % 100, 10_000 + turn * 100 + n);
            assert_eq!(family.remove(&[&gone.to_string()]), Ok(true));
            expected.remove(&gone);
            family.with(&[&new.to_string()]).add(new);
            expected.insert(new);
        }
    }
}

/// On a sound board a tag never comes back; on a damaged one another family may bear it.
#[test]
fn a_tag_that_comes_back_with_another_family_is_rendered_anew() {
    let board = board();
    for (name, label) in [("a_total", "l"), ("b_total", "m")] {
        let counter = board.counter(name, "").label(label, name);
        counter.register().unwrap();
    }
    let mut encoder = Encoder::new(Style::PLAIN);
    encode_with(&mut encoder, &[(&board, None)]);

    let mut reader = Reader::new(&board);
    reader.refresh();
    let [a, b] = reader.families() else {
        panic!("two families");
    };
    let file = BoardFile::of(&board);
    let (a, b) = (file.record(a.tag), file.record(b.tag));
    // Its shape, its lengths, its text.
    file.swap(a, b, (8..24).chain(64..256).step_by(8));
    let (text, encoded) = encode_with(&mut encoder, &[(&board, None)]);
    assert_eq!(
        text,
        r#"# TYPE a_total counter
a_total{l="b_total"} 0
# TYPE b_total counter
b_total{m="a_total"} 0
"#
    );
    assert_eq!(encoded.series, 2);
}
