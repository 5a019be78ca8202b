//! Exemplars: in OpenMetrics behind a sample's value, in protobuf as a field of a counter or of a
//! bucket.

use tallyboard::{BoardView, Exemplar, FamilyView, Kind, SeriesView};

use super::number::write_f64;
use super::{Escaping, escape, name, protobuf, wire};

/// Of all names and values: a longer one fails the whole scrape.
const MAX_CHARS: usize = 128;

const COUNTER_EXEMPLAR: u8 = 2;
const BUCKET_EXEMPLAR: u8 = 3;
/// Of a native histogram itself, field 16, which takes two bytes.
const NATIVE_EXEMPLAR: [u8; 2] = [0x82, 0x01];
/// How many of those client_golang keeps unless it is told otherwise.
const MOST_NATIVE: usize = 10;
const EXEMPLAR_VALUE: u8 = 2;
const EXEMPLAR_TIMESTAMP: u8 = 3;

/// Names as they are written, and values; `None` if names that had to become others have made
/// them too long.
fn labels(exemplar: &Exemplar) -> Option<impl Iterator<Item = (String, &str)>> {
    let (names, values): (Vec<String>, Vec<&str>) = (exemplar
        .labels
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str())))
    .unzip();
    // Whatever was agreed upon for other names: OpenMetrics has no quoted ones here.
    let names = name::label_names(&names, &[], Escaping::Underscores);
    let texts = names
        .iter()
        .map(String::as_str)
        .chain(values.iter().copied());
    let chars: usize = texts.map(|text| text.chars().count()).sum();
    (chars <= MAX_CHARS).then(|| names.into_iter().zip(values))
}

/// Appends ` # {trace_id="x"} 1.0 1700000000.123`; nothing if the labels are too long, or if there
/// is a NUL in one: in a sample's labels Prometheus reads that, in an exemplar's it refuses all of
/// the body.
pub(super) fn write(exemplar: &Exemplar, out: &mut Vec<u8>) {
    if (exemplar.labels.iter()).any(|(_, value)| value.contains('\0')) {
        return;
    }
    let Some(labels) = labels(exemplar) else {
        return;
    };
    out.extend_from_slice(b" # {");
    for (place, (name, value)) in labels.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        name::write_label_open(&name, out);
        escape::write_quoted(value, out);
        out.push(b'"');
    }
    out.extend_from_slice(b"} ");
    write_f64(exemplar.value, out);
    let millis = exemplar.unix_nanos / 1_000_000;
    out.extend_from_slice(format!(" {}.{:03}", millis / 1000, millis % 1000).as_bytes());
}

/// The field `field`, an exemplar.
fn message(field: u8, exemplar: &Exemplar) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    for (name, value) in labels(exemplar)? {
        protobuf::write_label(name.as_bytes(), value, &mut message);
    }
    wire::write_double(EXEMPLAR_VALUE, exemplar.value, &mut message);
    protobuf::write_timestamp(EXEMPLAR_TIMESTAMP, exemplar.unix_nanos, &mut message);
    let mut written = Vec::new();
    wire::write_bytes(field, &message, &mut written);
    Some(written)
}

/// Appends a native histogram's own exemplars, beside those of its classic buckets, as
/// client_golang does: ascending by value, which the buckets are; without NaN, which no native
/// bucket is for; the newest, where there are more.
pub(super) fn write_native(
    view: &BoardView,
    family: &FamilyView,
    series: SeriesView<'_>,
    out: &mut Vec<u8>,
) {
    if !view.may_have_exemplar(series) {
        return;
    }
    let mut exemplars: Vec<&Exemplar> = (0..=family.bounds.len())
        .filter_map(|place| view.exemplar(series, place))
        .filter(|exemplar| !exemplar.value.is_nan())
        .collect();
    while exemplars.len() > MOST_NATIVE {
        let ages = exemplars.iter().enumerate();
        let oldest = ages.min_by_key(|(_, exemplar)| exemplar.unix_nanos);
        let oldest = oldest.map_or(0, |(place, _)| place);
        exemplars.remove(oldest);
    }
    for exemplar in exemplars {
        let Some(field) = message(BUCKET_EXEMPLAR, exemplar) else {
            continue;
        };
        // With the other key, and otherwise the same.
        out.extend_from_slice(&NATIVE_EXEMPLAR);
        out.extend_from_slice(&field[1..]);
    }
}

/// The exemplars of one series as protobuf has them. They are the view's: as many and as long,
/// however often it is asked.
#[derive(Default)]
pub(super) struct Exemplars {
    /// The place of each among the buckets, and its field; ascending.
    fields: Vec<(usize, Vec<u8>)>,
}

impl Exemplars {
    pub(super) fn new(view: &BoardView, family: &FamilyView, series: SeriesView<'_>) -> Self {
        let (field, places) = match family.kind {
            Kind::Counter => (COUNTER_EXEMPLAR, 1),
            Kind::Histogram => (BUCKET_EXEMPLAR, family.bounds.len() + 1),
            _ => return Self::default(),
        };
        if !view.may_have_exemplar(series) {
            return Self::default();
        }
        let fields = (0..places).filter_map(|place| {
            let exemplar = view.exemplar(series, place)?;
            Some((place, message(field, exemplar)?))
        });
        Self {
            fields: fields.collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The field of the one at `place`; no bytes if there is none.
    pub(super) fn at(&self, place: usize) -> &[u8] {
        let mut fields = self.fields.iter();
        let found = fields.find(|(at, _)| *at == place);
        found.map_or(&[], |(_, field)| field)
    }

    /// The place and the length of each.
    pub(super) fn lens(&self) -> impl Iterator<Item = (usize, usize)> {
        let fields = self.fields.iter();
        fields.map(|(place, field)| (*place, field.len()))
    }
}
