//! Any names, label values and numbers: what protobuf says is what was counted, and the text
//! formats say the same.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::messages::{PROTOBUF, decode};
use super::*;

/// Characters that formats trip over, and any others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_:.]{1,6}",
        "[\\\\\"\n\r\t{},=# éü漢🦀]{0,5}",
        "\\PC{0,8}",
    ]
}

fn name() -> impl Strategy<Value = String> {
    text().prop_filter("a name that may be registered", |name| {
        !name.is_empty() && !name.starts_with("__") && name != "board" && !name.contains('\0')
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counted_is_what_is_read(
        series in prop::collection::vec((name(), name(), text(), any::<u32>(), any::<f64>()), 1..6),
        escaping in prop_oneof![
            Just(Escaping::Underscores),
            Just(Escaping::Dots),
            Just(Escaping::Values),
            Just(Escaping::AllowUtf8),
        ],
    ) {
        let board = board();
        let mut counted = BTreeMap::new();
        for (name, label, value, count, level) in &series {
            let counter = board.counter(name, "").label(label, value);
            if let Ok(counter) = counter.register() {
                counter.add(u64::from(*count));
                *counted.entry((name.clone(), label.clone(), value.clone())).or_insert(0.0)
                    += f64::from(*count);
            }
            let _ = board.gauge(&format!("{name}:level"), "").register().map(|gauge| gauge.set(*level));
        }
        let (body, encoded) = bytes_with(&mut Encoder::new(PROTOBUF), &[(&board, None)]);
        let mut read = BTreeMap::new();
        let mut metrics = 0;
        for family in decode(&body) {
            metrics += family.metrics.len() as u64;
            for metric in family.metrics {
                if let (Some(counter), [label]) = (metric.counter, &metric.labels[..]) {
                    let key = (family.name.clone(), label.name.clone(), label.value.clone());
                    prop_assert!(read.insert(key, counter.value.unwrap()).is_none());
                }
            }
        }
        prop_assert_eq!(metrics, encoded.series);
        // What another definition of the name hides was counted and is not shown.
        for (key, value) in &read {
            prop_assert_eq!(counted.get(key), Some(value));
        }
        prop_assert!(!read.is_empty() || counted.is_empty());

        for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
            let style = Style { format, escaping, created: true };
            let (body, encoded) = bytes_with(&mut Encoder::new(style), &[(&board, None)]);
            if format == Format::Protobuf {
                let families = decode(&body);
                let metrics: usize = families.iter().map(|family| family.metrics.len()).sum();
                prop_assert_eq!(metrics as u64, encoded.series);
                let is_readable = |name: &str, of| {
                    escaping == Escaping::AllowUtf8 || name::is_legacy(name, of)
                };
                for family in &families {
                    prop_assert!(is_readable(&family.name, name::Of::Metric), "{}", family.name);
                    for label in family.metrics.iter().flat_map(|metric| &metric.labels) {
                        prop_assert!(is_readable(&label.name, name::Of::Label), "{}", label.name);
                    }
                }
            } else {
                let body = String::from_utf8(body).unwrap();
                let samples = body.lines().filter(|line| !line.starts_with('#')).count() as u64;
                // Each counter has a second line in OpenMetrics.
                let lines = encoded.series..=2 * encoded.series;
                prop_assert!(lines.contains(&samples), "{}", body);
            }
        }
    }
}
