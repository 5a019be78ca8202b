//! Families, put together from what was found on the board.

use super::decode::Parent;
use super::family::{FamilyView, continuations};
use super::reader::{Other, Reader};
use super::series::SeriesList;
use crate::family::Definition;
use crate::fold::Part;
use crate::process::Own;
use crate::segment::Segment;
use crate::sync::Ordering;
use std::collections::{HashMap, HashSet};

/// What a view is made of.
pub(super) struct Assembled {
    pub(super) families: Vec<FamilyView>,
    /// Of each gauge that is split, by its slot and tag as one.
    pub(super) parts: HashMap<u64, Vec<Part>>,
    /// Owners of parts that count only as long as they live, or are shown a while longer.
    pub(super) probed: HashSet<Own>,
    /// Records that make no sense.
    pub(super) damaged: u64,
}

/// A definition of a name: whether it has series, its rank, its tag; its slot; what it says.
type Candidate<'r> = ((bool, u64, u64), u32, &'r Definition);

impl Reader {
    /// Puts the families together, and counts what makes no sense.
    pub(super) fn assemble(&self, segment: &Segment) -> Assembled {
        let mut damaged = self.hidden.len() as u64;
        let mut helps: HashMap<u64, (u64, &str, &str)> = HashMap::new();
        // Who has series goes before who has none; then the newer.
        let mut newest: HashMap<&str, Candidate<'_>> = HashMap::new();
        for (at, other) in &self.others {
            match other {
                Other::Damaged => damaged += 1,
                Other::Family { definition, rank } => {
                    let Some(tag) = self.seen.tag(*at) else {
                        continue;
                    };
                    let is_in_use = self
                        .groups
                        .get(*at, tag)
                        .is_some_and(|group| group.len() > 0);
                    let order = (is_in_use, *rank, tag);
                    let this = (order, *at, &**definition);
                    let entry = newest.entry(&definition.name).or_insert(this);
                    if entry.0 < order {
                        *entry = this;
                    }
                }
                Other::Help { parent, unit, help } => {
                    if let Some(tag) = self.seen.tag(*at) {
                        helps.insert(parent.tag, (tag, unit, help));
                    }
                }
                Other::Part { .. } => {}
            }
        }
        let mut families: Vec<FamilyView> = newest
            .into_values()
            .filter_map(|((_, _, tag), at, definition)| {
                let own = (tag, definition.unit.as_str(), definition.help.as_str());
                let (words_tag, unit, help) = helps.get(&tag).copied().unwrap_or(own);
                Some(FamilyView {
                    name: definition.name.clone(),
                    help: help.to_owned(),
                    unit: unit.to_owned(),
                    kind: definition.kind,
                    aggregation: definition.aggregation,
                    label_names: definition.label_names.clone(),
                    bounds: definition.bounds.clone(),
                    native: definition.native,
                    states: definition.states.clone(),
                    tag,
                    words_tag,
                    series: self.series_of(at, tag, definition),
                    hidden_series: 0,
                    slot: segment.slot(at)?,
                })
            })
            .collect();
        families.sort_by(|a, b| a.name.cmp(&b.name));
        // A tag is one family's. On a board whose serials were set back it may be two's.
        let mut tags = HashSet::new();
        families.retain(|family| {
            let is_alone = tags.insert(family.tag);
            damaged += u64::from(!is_alone);
            is_alone
        });
        damaged += self.hide(segment, &mut families);
        let (parts, probed) = self.parts(&families);
        Assembled {
            families,
            parts,
            probed,
            damaged,
        }
    }

    fn series_of(&self, at: u32, tag: u64, definition: &Definition) -> SeriesList {
        let group = self.groups.get(at, tag);
        let none = || continuations(definition);
        SeriesList {
            batches: group
                .map(|group| group.batches().clone())
                .unwrap_or_default(),
            len: group.map_or(0, |group| group.len()),
            stride: group.map_or_else(none, |group| group.stride()),
            labels: definition.label_names.len(),
            how: definition.aggregation,
            native: definition.native,
        }
    }

    /// Counts the series of definitions that are not shown with the one of their name that is, and
    /// returns how many belong to something alive that is no family.
    fn hide(&self, segment: &Segment, families: &mut [FamilyView]) -> u64 {
        let mut damaged = 0;
        for ((at, tag), group) in self.groups.iter() {
            let series = group.len() as u64;
            match self.others.get(&at) {
                Some(Other::Family { definition, .. }) if self.seen.is(at, tag) => {
                    let name = &definition.name;
                    let place = families.binary_search_by(|family| family.name.cmp(name));
                    if let Ok(place) = place
                        && (families[place].slot.index(), families[place].tag) != (at, tag)
                    {
                        families[place].hidden_series += series;
                    }
                }
                // What belongs to something that has ended is passed over; that it belongs to
                // something that never was of that kind is damage.
                _ => {
                    // Relaxed: as good now as a moment later.
                    let state = |slot| segment.state(slot).load(Ordering::Relaxed);
                    let is_there = segment.slot(at).is_some_and(|slot| state(slot) == tag);
                    damaged += if is_there { series } else { 0 };
                }
            }
        }
        damaged
    }

    fn parts(&self, families: &[FamilyView]) -> (HashMap<u64, Vec<Part>>, HashSet<Own>) {
        let shown: HashMap<u32, &FamilyView> = families
            .iter()
            .map(|family| (family.slot.index(), family))
            .collect();
        let of_series = |parent: &Parent| {
            let slot = u32::try_from(parent.slot).ok()?;
            let (tag, family) = self.seen.series(slot)?;
            let family = shown.get(&family)?;
            (tag == parent.tag).then_some((tag | u64::from(slot), family.aggregation))
        };
        let mut parts: HashMap<u64, Vec<Part>> = HashMap::new();
        let mut probed = HashSet::new();
        for other in self.others.values() {
            if let Other::Part { parent, part } = other
                && let Some((series, how)) = of_series(parent)
            {
                parts.entry(series).or_default().push(*part);
                if how.is_live() || how.is_by_process() {
                    probed.insert(part.owner);
                }
            }
        }
        (parts, probed)
    }
}
