//! Families: declared, given up by a reaper, and made anew.

use super::Model;
use super::buckets::Buckets;
use super::definition::{Definition, Outcome, is_allowed};
use super::room::{slots_for, text_len};
use super::series::Series;
use std::collections::HashMap;
use tallyboard::{Aggregation, Kind};

/// One definition of a name.
#[derive(Clone, Debug)]
pub struct Family {
    /// The type.
    pub kind: Kind,
    /// Of a gauge.
    pub aggregation: Aggregation,
    /// Sorted.
    pub labels: Vec<String>,
    /// Ascending.
    pub bounds: Vec<f64>,
    /// Of a native histogram.
    pub native: Option<&'static Buckets>,
    /// Of a state set.
    pub states: Vec<&'static str>,
    /// By the values in the order of `labels`.
    pub series: HashMap<Vec<String>, Series>,
    /// Registrations beyond the cap.
    pub overflows: u64,
    /// As the last declaration says.
    pub(super) cap: u64,
    /// What its record says, and what a record of its own says instead.
    help: &'static str,
    pub(super) newer_help: Option<&'static str>,
    /// It may have been given up, and come back.
    pub(super) is_there: bool,
}

impl Family {
    /// The help that is shown.
    pub fn shown_help(&self) -> &'static str {
        self.newer_help.unwrap_or(self.help)
    }

    /// Of its record, and of that of newer words.
    pub(super) fn all_slots(&self, name: &str) -> usize {
        slots_for(self.text_len(name), 0) + self.newer_help.map_or(0, help_slots)
    }

    /// Of its own record: LAYOUT.md §9.
    fn text_len(&self, name: &str) -> usize {
        let texts = self.labels.iter().map(String::as_str);
        let texts = texts.chain(self.states.iter().copied());
        let numbers = self.native.map_or(self.bounds.len(), |_| 1);
        6 + text_len(texts.chain([name, "", self.help])) + 8 * numbers
    }
}

impl Model {
    /// Finds or makes the family: where it stands.
    pub fn family(&mut self, definition: &Definition<'_>) -> Result<usize, Outcome> {
        let mut labels: Vec<String> = definition.labels.iter().map(|l| (*l).into()).collect();
        labels.sort();
        if !is_allowed(definition, &labels) {
            return Err(Outcome::Invalid);
        }
        let name = definition.name;
        let known = self.families.get(name).map_or(&[][..], Vec::as_slice);
        if let Some(other) = known.iter().find(|family| family.kind != definition.kind) {
            return Err(Outcome::Clash(other.kind));
        }
        let bounds = definition
            .native
            .map_or(definition.bounds.to_vec(), |native| {
                native.bounds().collect()
            });
        let first =
            |native: Option<&Buckets>| native.map(|native| (native.first, native.is_signed));
        let same = |family: &Family| {
            (
                &family.labels,
                &family.bounds,
                family.aggregation,
                &family.states[..],
            ) == (&labels, &bounds, definition.aggregation, definition.states)
                && first(family.native) == first(definition.native)
        };
        let known_at = known.iter().position(same);
        let place = known_at.unwrap_or(known.len());
        if known_at.is_none() {
            let family = Family {
                kind: definition.kind,
                aggregation: definition.aggregation,
                labels,
                bounds,
                native: definition.native,
                states: definition.states.to_vec(),
                series: HashMap::new(),
                overflows: 0,
                cap: 0,
                help: definition.help,
                newer_help: None,
                is_there: false,
            };
            // First, because what it makes room by does not count it.
            self.take(family.text_len(name), 0)?;
            let families = self.families.entry(name.into()).or_default();
            families.push(family);
            families[place].is_there = true;
        }
        self.begin(name, place)?;
        if definition.cap != 0 {
            self.at(name, place).cap = definition.cap;
        }
        self.declare_help(name, place, definition.help);
        Ok(place)
    }

    /// Makes a family anew that was given up.
    pub(super) fn begin(&mut self, name: &str, place: usize) -> Result<(), Outcome> {
        let family = self.at(name, place);
        if !family.is_there {
            let len = family.text_len(name);
            self.take(len, 0)?;
            let family = self.at(name, place);
            family.is_there = true;
            family.newer_help = None;
            family.overflows = 0;
        }
        Ok(())
    }

    /// Words that the board has no room for are counted as refused, and nothing else.
    fn declare_help(&mut self, name: &str, place: usize, help: &'static str) {
        let family = self.at(name, place);
        match family.newer_help {
            Some(newer) if newer == help => return,
            Some(newer) => {
                family.newer_help = None;
                self.used -= help_slots(newer);
            }
            None => {}
        }
        if self.at(name, place).help == help {
            return;
        }
        let taken = self.take(help_len(help), 0);
        let family = self.at(name, place);
        if taken.is_ok() && family.is_there {
            family.newer_help = Some(help);
        } else if taken.is_ok() {
            // The room was made by giving the family itself up.
            self.used -= help_slots(help);
        }
    }
}

/// Of the record of newer words: LAYOUT.md §9.
fn help_len(help: &str) -> usize {
    text_len(["", help])
}

fn help_slots(help: &str) -> usize {
    slots_for(help_len(help), 0)
}
