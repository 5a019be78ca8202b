//! What the infos of one family say together, and which states of a state set hold.

use std::collections::BTreeMap;

use tallyboard::{FamilyView, Reader, SeriesView};

/// How many series say each value of each name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    names: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Said {
    /// Takes in what one series says.
    pub(crate) fn note<'a>(&mut self, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
        for (name, value) in pairs {
            if !self.names.contains_key(name) {
                self.names.insert(name.to_owned(), BTreeMap::new());
            }
            let Some(values) = self.names.get_mut(name) else {
                continue;
            };
            match values.get_mut(value) {
                Some(count) => *count += 1,
                None => drop(values.insert(value.to_owned(), 1)),
            }
        }
    }

    /// Takes in what others say.
    pub(crate) fn add(&mut self, other: Self) {
        for (name, values) in other.names {
            let own = self.names.entry(name).or_default();
            for (value, count) in values {
                *own.entry(value).or_default() += count;
            }
        }
    }

    /// Each name with what is said of it and by how many series: first what most say.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, Vec<(&str, u64)>)> {
        self.names.iter().map(|(name, values)| {
            let values = values.iter().map(|(value, count)| (value.as_str(), *count));
            let mut values: Vec<(&str, u64)> = values.collect();
            values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            (name.as_str(), values)
        })
    }
}

/// What an info says; `None`: it has ended. What bears the name of a label is left out, as no
/// program that goes by the rules can say it.
pub(crate) fn pairs<'a>(
    reader: &'a Reader,
    family: &'a FamilyView,
    series: SeriesView<'_>,
) -> Option<impl Iterator<Item = (&'a str, &'a str)> + use<'a>> {
    let pairs = reader.info(series)?.iter();
    let pairs = pairs.filter(|(name, _)| !family.label_names.contains(name));
    Some(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
}

/// In how many series each state of a state set holds, in the order of its states.
pub(crate) fn held(reader: &Reader, family: &FamilyView) -> Vec<u64> {
    let mut held = vec![0; family.states.len()];
    for series in &family.series {
        if let Some(place) = reader.state(family, series) {
            held[place] += 1;
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_most_say_comes_first() {
        let mut said = Said::default();
        for version in ["1.1", "1.2", "1.2"] {
            said.note([("version", version), ("os", "linux")].into_iter());
        }
        let mut other = Said::default();
        other.note([("version", "1.0")].into_iter());
        said.add(other);
        let names: Vec<_> = said.names().collect();
        assert_eq!(
            names,
            [
                ("os", vec![("linux", 3)]),
                ("version", vec![("1.2", 2), ("1.0", 1), ("1.1", 1)]),
            ]
        );
    }
}
