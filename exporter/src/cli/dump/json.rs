//! A board as JSON.
//!
//! ```json
//! {
//!   "board": {"location": "…", "uuid": "32 hex digits", "created_unix_nanos": 0, "layout_version": 1},
//!   "damaged": 0,
//!   "families": [{
//!     "name": "…", "type": "counter", "aggregation": "last", "help": "…", "unit": "…",
//!     "series": [
//!       {"labels": {"…": "…"}, "created_unix_nanos": 0, "value": 1}
//!     ]
//!   }]
//! }
//! ```
//!
//! `aggregation` means something in a gauge only. In place of `value`, a summary's series has
//! `count` and `sum`, a histogram's `buckets` (cumulative,
//! `[{"le": "0.005", "count": 1}, …, {"le": "+Inf", "count": 2}]`), `count` and `sum`, an info's
//! `info` (its pairs), a state set's `state`. A counter's series and a bucket have an `exemplar`
//! where there is one. A gauge that is put together from several processes has `processes` besides
//! its value: what each contributes now. Where each process has a value of its own, there is
//! nothing else.
//!
//! A native histogram's has `native` besides: its schema, and what its buckets hold, each by its
//! index. `above` and `below` say how many observations were outside of them, which the highest
//! and the lowest have taken.
//!
//! ```json
//! {"schema": 3, "zero_threshold": 0.0009765625, "zero": 1, "below": 0, "above": 0,
//!  "positive": [{"index": -5, "count": 2}], "negative": []}
//! ```

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use tallyboard::{
    Aggregation, Board, Exemplar, FamilyView, Kind, LAYOUT_VERSION, NativeCounts, Number, Reader,
    SeriesView, Window,
};

use crate::encode::canonical_float;

pub(super) fn write(board: &Board, reader: &Reader, out: &mut Vec<u8>) -> io::Result<()> {
    let families: Vec<Value> = reader
        .families()
        .iter()
        .map(|view| family(reader, view))
        .collect();
    let uuid: Option<String> = board
        .uuid()
        .map(|uuid| uuid.iter().map(|byte| format!("{byte:02x}")).collect());
    let dump = json!({
        "board": {
            "location": board.location().to_string(),
            "uuid": uuid,
            "created_unix_nanos": board.created_unix_nanos(),
            "layout_version": LAYOUT_VERSION,
        },
        "damaged": reader.damaged(),
        "families": families,
    });
    serde_json::to_writer_pretty(&mut *out, &dump)?;
    writeln!(out)
}

fn family(reader: &Reader, family: &FamilyView) -> Value {
    let series = family.series.iter();
    let series = series.filter_map(|view| one_series(reader, family, view));
    json!({
        "name": family.name,
        "type": family.kind.to_string(),
        "aggregation": family.aggregation.to_string(),
        "help": family.help,
        "unit": family.unit,
        "series": series.collect::<Vec<Value>>(),
    })
}

/// `None` if the series has gone away.
fn one_series(reader: &Reader, family: &FamilyView, series: SeriesView<'_>) -> Option<Value> {
    let labels = family.label_names.iter().cloned();
    let labels = labels.zip(reader.label_values(series)?.into_iter().map(Value::from));
    let labels: Map<String, Value> = labels.collect();
    let mut object = json!({
        "labels": labels,
        "created_unix_nanos": reader.created_unix_nanos(series)?,
    });
    match family.kind {
        Kind::Counter => {
            object["value"] = match reader.counter(series)? {
                Number::Int(value) => value.into(),
                Number::Float(value) => float(value),
            };
            add_exemplar(reader.exemplar(series, 0), &mut object);
        }
        Kind::Gauge if family.aggregation.is_by_process() => {
            object["processes"] = by_process(reader.by_process(series));
        }
        Kind::Gauge => {
            object["value"] = float(reader.gauge(series)?);
            if family.aggregation != Aggregation::Last {
                object["processes"] = by_process(reader.contributions(series));
            }
        }
        Kind::Summary => {
            let (count, sum) = reader.summary(series)?;
            object["count"] = count.into();
            object["sum"] = float(sum);
        }
        Kind::Histogram => {
            let mut counts = vec![0; family.bounds.len() + 1];
            object["sum"] = match family.native {
                None => float(reader.histogram(series, &mut counts)?),
                Some(window) => {
                    let mut own = NativeCounts::default();
                    let sum = reader.native(series, &mut own)?;
                    own.classic(&mut counts);
                    object["native"] = native(&window, &own);
                    float(sum)
                }
            };
            let bounds = family.bounds.iter().copied().chain([f64::INFINITY]);
            let mut count = 0_u64;
            let buckets = bounds
                .zip(&counts)
                .enumerate()
                .map(|(place, (bound, events))| {
                    count = count.wrapping_add(*events);
                    let mut bucket = json!({"le": canonical_float(bound), "count": count});
                    add_exemplar(reader.exemplar(series, place), &mut bucket);
                    bucket
                });
            object["buckets"] = buckets.collect();
            object["count"] = count.into();
        }
        Kind::Info => {
            let names = &family.label_names;
            let pairs = reader.info(series)?.iter();
            let pairs = pairs.filter(|(name, _)| !names.contains(name));
            object["info"] = pairs
                .map(|(name, value)| (name.clone(), value.as_str().into()))
                .collect::<Map<String, Value>>()
                .into();
        }
        Kind::StateSet => {
            let state = reader.state(family, series)?;
            object["state"] = family.states[state].as_str().into();
        }
        // A type that a newer library has put there.
        _ => return None,
    }
    Some(object)
}

fn by_process(values: Vec<(String, f64)>) -> Value {
    let values = values.into_iter();
    let values = values.map(|(pid, value)| json!({"pid": pid, "value": float(value)}));
    values.collect()
}

fn native(window: &Window, counts: &NativeCounts) -> Value {
    let bucket = |(index, count)| json!({"index": index, "count": count});
    json!({
        "schema": window.schema(),
        "zero_threshold": window.zero_threshold(),
        "zero": counts.zero(),
        "below": counts.below(),
        "above": counts.above(),
        "positive": counts.positive().map(bucket).collect::<Vec<Value>>(),
        "negative": counts.negative().map(bucket).collect::<Vec<Value>>(),
    })
}

fn add_exemplar(exemplar: Option<&Exemplar>, to: &mut Value) {
    if let Some(exemplar) = exemplar {
        let labels = exemplar.labels.iter();
        let labels = labels.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        to["exemplar"] = json!({
            "labels": labels.collect::<Map<String, Value>>(),
            "value": float(exemplar.value),
            "unix_nanos": exemplar.unix_nanos,
        });
    }
}

/// JSON has no word for what is not finite.
fn float(value: f64) -> Value {
    if value.is_finite() {
        value.into()
    } else {
        canonical_float(value).into()
    }
}
