//! Families: what all series of one name share, and its canonical bytes.
//!
//! The bytes of a definition (type, aggregation, name, label names, bounds) are the key that
//! a family is found by; unit and help follow behind and are said, not compared. Families
//! are hashed by name alone, so that all definitions of one name stand side by side in one
//! list: a clash of types cannot slip past two registrations that race.

pub(crate) use crate::aggregation::Aggregation;
use crate::error::RegisterError;
use crate::record::{Cap, Draft, FAMILY, Key};
use crate::segment::Segment;
use core::fmt;

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations in classic buckets.
    Histogram,
    /// Count and sum of observations.
    Summary,
}

impl Kind {
    pub(crate) fn code(self) -> u8 {
        match self {
            Kind::Counter => 1,
            Kind::Gauge => 2,
            Kind::Histogram => 3,
            Kind::Summary => 4,
        }
    }

    pub(crate) fn of(code: u8) -> Option<Kind> {
        match code {
            1 => Some(Kind::Counter),
            2 => Some(Kind::Gauge),
            3 => Some(Kind::Histogram),
            4 => Some(Kind::Summary),
            _ => None,
        }
    }

    /// The label that series of this type may not have, because the exposition makes it.
    pub(crate) fn reserved_label(self, aggregation: Aggregation) -> Option<&'static str> {
        match self {
            Kind::Histogram => Some("le"),
            Kind::Summary => Some("quantile"),
            Kind::Gauge if aggregation.is_by_process() => Some("pid"),
            Kind::Counter | Kind::Gauge => None,
        }
    }
}

/// The type as Prometheus writes it: `counter`, `gauge`, `histogram`, `summary`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        })
    }
}

/// A family's definition, checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    pub name: String,
    pub help: String,
    pub unit: String,
    pub kind: Kind,
    pub aggregation: Aggregation,
    /// Sorted.
    pub label_names: Vec<String>,
    /// Ascending, without +Inf.
    pub bounds: Vec<f64>,
}

impl Definition {
    /// Checks names and bounds as Prometheus does: names are any UTF-8 that is not empty.
    pub(crate) fn check(&self) -> Result<(), RegisterError> {
        if self.name.is_empty() {
            return Err(RegisterError::EmptyName);
        }
        let metric = || self.name.clone();
        for (place, label) in self.label_names.iter().enumerate() {
            if label.is_empty() || label.starts_with("__") {
                return Err(RegisterError::LabelName {
                    metric: metric(),
                    label: label.clone(),
                });
            }
            if self.kind.reserved_label(self.aggregation) == Some(label) {
                return Err(RegisterError::ReservedLabel {
                    metric: metric(),
                    label: label.clone(),
                });
            }
            // Sorted, so that twins are neighbours; what a board says may be neither.
            if place > 0 && self.label_names[place - 1] >= *label {
                return Err(RegisterError::DuplicateLabel {
                    metric: metric(),
                    label: label.clone(),
                });
            }
        }
        let ascends = |at: &usize| {
            let before = at
                .checked_sub(1)
                .map_or(f64::NEG_INFINITY, |at| self.bounds[at]);
            self.bounds[*at] > before && self.bounds[*at].is_finite()
        };
        match (0..self.bounds.len()).find(|at| !ascends(at)) {
            Some(at) => Err(RegisterError::Bounds {
                metric: metric(),
                at,
            }),
            None => Ok(()),
        }
    }

    /// Whether the two are the same family on a board: unit and help may differ.
    pub(crate) fn is_same(&self, other: &Definition) -> bool {
        (self.kind, self.aggregation) == (other.kind, other.aggregation)
            && self.name == other.name
            && self.label_names == other.label_names
            && self.bounds == other.bounds
    }

    /// Cells of one series of this family: see `LAYOUT.md` §10.
    pub(crate) fn cells(&self) -> u16 {
        match self.kind {
            Kind::Counter | Kind::Summary => 2,
            Kind::Gauge => 1,
            // The sum, the buckets, and the one up to +Inf. Too many are refused by the
            // length of the chain.
            Kind::Histogram => u16::try_from(self.bounds.len() + 2).unwrap_or(u16::MAX),
        }
    }

    /// The canonical bytes, and how many of them are the key. `None`: longer than the
    /// 16-bit lengths can say.
    pub(crate) fn encode(&self) -> Option<(Vec<u8>, usize)> {
        let mut text = vec![self.kind.code(), self.aggregation.code()];
        put_len(&mut text, self.label_names.len())?;
        put_len(&mut text, self.bounds.len())?;
        put_text(&mut text, &self.name)?;
        for label in &self.label_names {
            put_text(&mut text, label)?;
        }
        for bound in &self.bounds {
            text.extend_from_slice(&bound.to_bits().to_le_bytes());
        }
        let key_len = text.len();
        put_text(&mut text, &self.unit)?;
        put_text(&mut text, &self.help)?;
        Some((text, key_len))
    }

    /// The inverse of [`encode`](Self::encode); `None` for bytes that it does not make.
    pub(crate) fn decode(text: &[u8]) -> Option<Definition> {
        let mut rest = Cursor(text);
        let kind = Kind::of(rest.byte()?)?;
        let aggregation = Aggregation::of(rest.byte()?)?;
        let labels = rest.len()?;
        let bounds = rest.len()?;
        let name = rest.text()?;
        let definition = Definition {
            name: name.to_owned(),
            kind,
            aggregation,
            label_names: (0..labels)
                .map(|_| rest.text().map(str::to_owned))
                .collect::<Option<_>>()?,
            bounds: (0..bounds).map(|_| rest.float()).collect::<Option<_>>()?,
            unit: rest.text()?.to_owned(),
            help: rest.text()?.to_owned(),
        };
        (rest.0.is_empty() && definition.check().is_ok()).then_some(definition)
    }
}

/// The name and the type at the beginning of a definition's bytes.
pub(crate) fn name_and_kind(text: &[u8]) -> Option<(&str, Kind)> {
    let mut rest = Cursor(text);
    let kind = Kind::of(rest.byte()?)?;
    rest.byte()?;
    rest.len()?;
    rest.len()?;
    Some((rest.text()?, kind))
}

impl Segment {
    /// The hash of all families of this name.
    pub(crate) fn family_hash(&self, name: &str) -> u64 {
        self.hash_of(FAMILY, 0, name.as_bytes())
    }

    /// What `register` needs to find or make a family of these bytes. `first_life` is the tag
    /// that the caller knew it by before it ended, or 0.
    pub(crate) fn family_draft<'a>(
        &self,
        definition: &Definition,
        text: &'a [u8],
        key_len: usize,
        first_life: u64,
    ) -> Draft<'a> {
        Draft {
            key: Key {
                hash: self.family_hash(&definition.name),
                kind: FAMILY,
                parent: 0,
                text: &text[..key_len],
            },
            text,
            metric: definition.kind.code(),
            aggregation: definition.aggregation.code(),
            cells: 0,
            parent_slot: 0,
            note: first_life,
            cap: Cap::None,
        }
    }
}

fn put_len(into: &mut Vec<u8>, len: usize) -> Option<()> {
    into.extend_from_slice(&u16::try_from(len).ok()?.to_le_bytes());
    Some(())
}

/// A text field: its length in two bytes, little-endian, and its UTF-8.
pub(crate) fn put_text(into: &mut Vec<u8>, text: &str) -> Option<()> {
    put_len(into, text.len())?;
    into.extend_from_slice(text.as_bytes());
    Some(())
}

/// Reads the fields of canonical bytes, whatever they are.
pub(crate) struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn len(&mut self) -> Option<usize> {
        self.take()
            .map(|bytes| usize::from(u16::from_le_bytes(bytes)))
    }

    fn float(&mut self) -> Option<f64> {
        self.take()
            .map(|bytes| f64::from_bits(u64::from_le_bytes(bytes)))
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let len = self.len()?;
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        core::str::from_utf8(text).ok()
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;

    fn definition() -> Definition {
        Definition {
            name: "phase_seconds".into(),
            help: "How long a phase took.\n\u{1f600}".into(),
            unit: "seconds".into(),
            kind: Kind::Histogram,
            aggregation: Aggregation::Last,
            label_names: vec!["a".into(), "b c".into()],
            bounds: vec![-1.0, 0.5, 10.0],
        }
    }

    #[test]
    fn a_definition_survives_its_bytes_and_cut_bytes_are_refused() {
        let (text, key_len) = definition().encode().unwrap();
        assert!(key_len < text.len());
        assert_eq!(Definition::decode(&text), Some(definition()));
        for len in 0..text.len() {
            assert_eq!(Definition::decode(&text[..len]), None);
        }
        assert_eq!(
            name_and_kind(&text),
            Some(("phase_seconds", Kind::Histogram))
        );
    }

    #[test]
    fn names_and_bounds_are_checked_as_prometheus_does() {
        let with = |change: fn(&mut Definition)| {
            let mut definition = definition();
            change(&mut definition);
            definition.check()
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(with(|d| d.name.clear()), Err(RegisterError::EmptyName));
        let text = |result: Result<(), RegisterError>| result.unwrap_err().to_string();
        assert!(text(with(|d| d.label_names[1] = "__x".into())).contains("__x"));
        assert!(text(with(|d| d.label_names[1] = "a".into())).contains("twice"));
        assert!(text(with(|d| d.label_names[1] = "le".into())).contains("le"));
        assert!(text(with(|d| d.bounds[1] = -1.0)).contains("number 1"));
        assert!(text(with(|d| d.bounds[0] = f64::NAN)).contains("number 0"));
    }
}
