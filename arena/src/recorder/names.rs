//! The metrics of one type by name, each with its definitions, of which the newest counts.

use super::builder::{Settings, Settled};
use super::chain::{Chain, Link};
use super::table::Table;
use crate::board::Board;
use crate::builder::{Builder, Family};
use metrics::{Key, Unit};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

pub(super) struct Names<M> {
    board: Board,
    settings: Arc<Settings>,
    names: Table<Name<M>>,
}

pub(super) struct Name<M> {
    /// As the program says it.
    said: String,
    /// As it is on the board.
    name: String,
    /// What it was described as; the last holds.
    words: Chain<Words>,
    /// Each has all label names of the one before, and more.
    definitions: Chain<Definition<M>>,
}

#[derive(Clone, Default, PartialEq)]
struct Words {
    unit: String,
    help: String,
}

pub(super) struct Definition<M> {
    /// Sorted, as they are on the board.
    label_names: BTreeSet<String>,
    /// Declared when it is first used.
    family: OnceLock<Family<M>>,
}

impl<M: Settled> Names<M> {
    pub(super) fn new(board: Board, settings: Arc<Settings>) -> Names<M> {
        Names {
            board,
            settings,
            names: Table::default(),
        }
    }

    fn name(&self, said: &str) -> &Name<M> {
        self.names.find_or_add(
            said,
            |name| name.said == said,
            || Name {
                said: said.to_owned(),
                name: self.settings.metric_name(said).into_owned(),
                words: Chain::default(),
                definitions: Chain::default(),
            },
        )
    }

    /// What the name means from now on, for everybody.
    pub(super) fn describe(&self, said: &str, unit: Option<Unit>, help: &str) {
        let name = self.name(said);
        let unit = match unit {
            None | Some(Unit::Count) => "",
            Some(unit) => unit.as_str(),
        };
        let words = Words {
            unit: unit.to_owned(),
            help: help.to_owned(),
        };
        if name.words.iter().last() != Some(&words) {
            // Also where an older description was the same.
            name.words.find_or_add(|_| false, || words);
            // Only to say it on the board; handles have the family already.
            if let Some(last) = name.definitions.last()
                && last.value.family.get().is_some()
            {
                let _ = self.declare(name, &last.value.label_names);
            }
        }
    }

    /// The series of a key, and its definition; a handle that goes nowhere if there can be none.
    ///
    /// Of several definitions the board shows the one that was declared last. So each has all
    /// label names of the one before, it is declared after it was added, and used only if it
    /// still is the last then: whoever adds a wider one after that also declares it after this.
    pub(super) fn find(&self, key: &Key) -> (M, Option<&Link<Definition<M>>>) {
        let name = self.name(key.name());
        loop {
            let last = name.definitions.last();
            if let Some(link) = last
                && self.covers(&link.value, key)
            {
                let Some(family) = self.declared(name, &link.value) else {
                    return (M::sink(), None);
                };
                if link.is_last() {
                    return (self.series(&link.value, family, key), Some(link));
                }
                continue;
            }
            let mut label_names = last.map_or_else(
                || self.known_label_names(name),
                |last| last.value.label_names.clone(),
            );
            label_names.extend(self.label_names(key).map(Cow::into_owned));
            // A name that cannot be must not spoil the metric for calls without it.
            let reserved =
                M::KIND.reserved_label(&name.said, M::aggregation(&self.settings, &name.said));
            let cannot_be = |label: &String| {
                label.is_empty() || label.starts_with("__") || reserved == Some(label.as_str())
            };
            if label_names.iter().any(cannot_be) {
                return (M::sink(), None);
            }
            let family = OnceLock::new();
            let wider = Definition {
                label_names,
                family,
            };
            // Of threads that come here at once one adds its own; all look again.
            name.definitions.add_after(last, wider);
        }
    }

    fn covers(&self, definition: &Definition<M>, key: &Key) -> bool {
        self.label_names(key)
            .all(|label| definition.label_names.contains(&*label))
    }

    fn declared<'d>(&self, name: &Name<M>, definition: &'d Definition<M>) -> Option<&'d Family<M>> {
        if let Some(family) = definition.family.get() {
            return Some(family);
        }
        // Outside the cell, which is taken for no longer than storing takes.
        let family = self.declare(name, &definition.label_names)?;
        Some(definition.family.get_or_init(|| family))
    }

    fn series(&self, definition: &Definition<M>, family: &Family<M>, key: &Key) -> M {
        let value = |name: &String| {
            // Of a label that is there twice, the last.
            let mut labels = key.labels().rev();
            let label = labels.find(|label| *self.settings.label_name(label.key()) == **name);
            label.map_or("", |label| label.value())
        };
        let values: Vec<&str> = definition.label_names.iter().map(value).collect();
        family.with(&values)
    }

    fn label_names<'k>(&self, key: &'k Key) -> impl Iterator<Item = Cow<'k, str>> {
        key.labels()
            .map(|label| self.settings.label_name(label.key()))
    }

    /// What the program and other processes have said before.
    fn known_label_names(&self, name: &Name<M>) -> BTreeSet<String> {
        let mut known: BTreeSet<String> = self.settings.labels(&name.said).collect();
        let on_board = self.board.attached();
        if let Some(on_board) = on_board.and_then(|on| on.segment.newest_definition(&name.name))
            && on_board.kind == M::KIND
        {
            known.extend(on_board.label_names);
        }
        known
    }

    fn declare(&self, name: &Name<M>, label_names: &BTreeSet<String>) -> Option<Family<M>> {
        let words = name.words.iter().last().cloned().unwrap_or_default();
        let label_names: Vec<&str> = label_names.iter().map(String::as_str).collect();
        let builder: Builder<M> = Builder::new(&self.board, &name.name, &words.help)
            .unit(&words.unit)
            .labels(&label_names);
        M::settle(builder, &self.settings, &name.said).family().ok()
    }
}
