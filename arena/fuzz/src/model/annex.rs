//! What is said of a series and said anew: exemplars, and what an info says.

use super::Model;
use super::definition::Outcome;
use super::register::Bound;
use super::room::{slots_for, text_len};
use super::value::classic_bucket;
use std::collections::BTreeMap;
use tallyboard::{Kind, RefusedReason};

/// Names and values.
pub type Pairs = Vec<(String, String)>;

/// What is said of a series, by the place where: of a bucket, else 0.
pub type Annexes = BTreeMap<usize, (Option<f64>, Pairs)>;

impl Model {
    /// Makes an update that was just made, and went where `bound` says, the exemplar of its bucket.
    pub fn exemplify(&mut self, bound: &Bound, x: f64, labels: &[(&str, &str)]) {
        let chars = labels
            .iter()
            .map(|(name, value)| name.chars().count() + value.chars().count());
        let is_bad = |(at, (name, _)): (usize, &(&str, &str))| {
            name.is_empty()
                || name.starts_with("__")
                || labels[..at].iter().any(|(before, _)| before == name)
        };
        if chars.sum::<usize>() > 128 || labels.iter().enumerate().any(is_bad) {
            self.refuse(RefusedReason::BadExemplar);
            return;
        }
        let family = self.at(&bound.name, bound.place);
        let place = match family.kind {
            Kind::Histogram => classic_bucket(&family.bounds, x),
            _ => 0,
        };
        let _ = self.annex(bound, place, Some(x), owned(labels));
    }

    /// What an info says from now on.
    pub fn say(&mut self, bound: &mut Bound, pairs: &[(&str, &str)]) -> Result<(), Outcome> {
        let mut pairs = owned(pairs);
        pairs.sort();
        let labels = &self.at(&bound.name, bound.place).labels;
        let is_bad = |(at, (name, _)): (usize, &(String, String))| {
            name.is_empty()
                || name.starts_with("__")
                || labels.contains(name)
                || at > 0 && pairs[at - 1].0 == *name
        };
        if pairs.iter().enumerate().any(is_bad) {
            return Err(Outcome::Invalid);
        }
        // A series that has ended is told so by what it is to say.
        while !self.annex(bound, 0, None, pairs.clone())? {
            self.bind(bound)
                .map_err(|_| Outcome::Refused(RefusedReason::Overrun))?;
        }
        Ok(())
    }

    /// Puts this in place of what is said there; whether the series lives. Both are there for a moment.
    fn annex(
        &mut self,
        bound: &Bound,
        place: usize,
        value: Option<f64>,
        pairs: Pairs,
    ) -> Result<bool, Outcome> {
        let said = (value, pairs);
        if let Some(series) = self.series(bound)
            && value.is_none()
            && series.said.get(&place) == Some(&said)
        {
            return Ok(true);
        }
        let len = annex_len(&said);
        self.take(len, 0)?;
        let taken = slots_for(len, 0);
        let freed = match self.series(bound) {
            Some(series) => (series.said.insert(place, said))
                .map_or(0, |before| slots_for(annex_len(&before), 0)),
            None => taken,
        };
        self.used -= freed;
        Ok(self.series(bound).is_some())
    }
}

fn owned(pairs: &[(&str, &str)]) -> Pairs {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

/// LAYOUT.md §9: its key, an exemplar's value, and fields of text.
pub(super) fn annex_len((value, pairs): &(Option<f64>, Pairs)) -> usize {
    let texts = pairs
        .iter()
        .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    8 + value.map_or(0, |_| 8) + text_len(texts)
}
