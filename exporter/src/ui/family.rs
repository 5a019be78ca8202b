//! One family, and the answer to `/api/family`.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use tallyboard::{FamilyView, Kind, Reader, SeriesView};

use super::question::{FamilyQuestion, Search, choose};
use super::reading::{Reading, float, write_processes};
use crate::boards::BoardSet;
use crate::said;

/// What a family is, without its values.
pub(super) fn describe(reader: &Reader, family: &FamilyView) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("name", family.name.as_str().into());
    put("type", family.kind.to_string().into());
    put("aggregation", family.aggregation.to_string().into());
    put("help", family.help.as_str().into());
    put("unit", family.unit.as_str().into());
    put("labels", family.label_names.as_slice().into());
    // A script's numbers end at 2^53.
    put("id", format!("{:x}", family.tag).into());
    put("series", family.series.len().into());
    put("hidden_series", family.hidden_series.into());
    put("overflows", reader.overflows(family).into());
    if family.kind == Kind::Histogram {
        let bounds = match family.native {
            Some(window) => window.cell_bounds(),
            None => family.bounds.clone(),
        };
        put("bounds", bounds.into_iter().map(float).collect());
        if let Some(window) = family.native {
            // By which buckets are put together: the place of the zero bucket, and which index
            // the first one above it has.
            let (schema, first, zero) = (window.schema(), window.first_index(), window.zero());
            put(
                "native",
                json!({"schema": schema, "first": first, "zero": zero}),
            );
        }
    }
    if family.kind == Kind::StateSet {
        put("states", family.states.as_slice().into());
    }
    object
}

/// `None`: no such board, or no such family on it.
pub(super) fn answer(boards: &BoardSet, question: &FamilyQuestion) -> Option<Value> {
    let target = choose(boards, question.board.as_deref())?;
    let (_, reader) = target.mapped()?;
    let families = reader.families();
    let family = families
        .iter()
        .find(|family| family.name == question.name)?;
    let mut object = describe(reader, family);
    if let Some(reading) = Reading::of_all(reader, family) {
        reading.write(&mut object);
    }
    let series = family.series.iter();
    let matching = series.filter(|series| is_found(&question.search, reader, family, *series));
    let mut ranked: Vec<(f64, SeriesView<'_>)> = matching
        .map(|series| {
            let reading = Reading::of(reader, family, series);
            (reading.map_or(f64::NAN, |reading| reading.rank()), series)
        })
        .collect();
    object.insert("matched".to_owned(), ranked.len().into());
    keep_greatest(&mut ranked, question.limit);
    let shown = ranked
        .iter()
        .filter_map(|(_, series)| one(reader, family, *series));
    object.insert("shown".to_owned(), shown.collect());
    Some(Value::Object(object))
}

/// Sorts by rank, the greatest first, and drops what goes beyond the limit. Without a rank: last.
/// Of equals, in the order in which they are exposed.
fn keep_greatest(ranked: &mut Vec<(f64, SeriesView<'_>)>, limit: usize) {
    let place = |rank: f64| {
        if rank.is_nan() {
            f64::NEG_INFINITY
        } else {
            rank
        }
    };
    let order = |a: &(f64, SeriesView<'_>), b: &(f64, SeriesView<'_>)| {
        place(b.0)
            .total_cmp(&place(a.0))
            .then(a.1.slot.cmp(&b.1.slot))
    };
    if ranked.len() > limit {
        ranked.select_nth_unstable_by(limit, order);
        ranked.truncate(limit);
    }
    ranked.sort_by(order);
}

/// In its labels, and in what it says.
fn is_found(search: &Search, reader: &Reader, family: &FamilyView, series: SeriesView<'_>) -> bool {
    search.finds(|| {
        let text = |(name, value): (&str, &str)| Cow::Owned(format!("{name}={value}"));
        let values = reader.label_values(series).unwrap_or_default();
        let names = family.label_names.iter().map(String::as_str);
        let labels = names.zip(values.iter().map(String::as_str));
        let mut texts: Vec<Cow<'_, str>> = labels.map(text).collect();
        match family.kind {
            Kind::Info => {
                let pairs = said::pairs(reader, family, series);
                texts.extend(pairs.into_iter().flatten().map(text));
            }
            Kind::StateSet => {
                let place = reader.state(family, series);
                texts.extend(place.map(|place| Cow::Borrowed(family.states[place].as_str())));
            }
            _ => {}
        }
        texts
    })
}

/// `None`: it has ended.
fn one(reader: &Reader, family: &FamilyView, series: SeriesView<'_>) -> Option<Value> {
    let object = json!({
        "id": format!("{:x}.{:x}", series.slot, series.tag),
        "labels": reader.label_values(series)?,
        "created_unix_millis": reader.created_unix_nanos(series)? / 1_000_000,
    });
    let Value::Object(mut object) = object else {
        return None;
    };
    match Reading::of(reader, family, series) {
        Some(Reading::Info(said)) => {
            let pairs = said.names().flat_map(|(name, values)| {
                let values = values.into_iter();
                values.map(move |(value, _)| (name.to_owned(), Value::from(value)))
            });
            object.insert("info".to_owned(), Value::Object(pairs.collect()));
        }
        Some(reading) => reading.write(&mut object),
        None => {}
    }
    write_processes(reader, family, series, &mut object);
    Some(Value::Object(object))
}
