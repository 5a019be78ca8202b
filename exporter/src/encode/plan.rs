//! Which families stand where in the body, and which do not.
//!
//! Names that differ on the boards can meet in the body: two boards have the same family,
//! OpenMetrics takes `_total` away, underscores replace other characters, a histogram's
//! `_count` is another counter's name. A body in which a name has two types, or a series
//! stands twice, fails the whole scrape. So families are admitted one by one, the earlier
//! board first and on one board the older family first; who meets a name that is taken is
//! left out, and counted. Only families of the same type on different boards share a block.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tallyboard::{Aggregation, BoardView, FamilyView, Kind};

use super::rendered::Rendered;
use super::{Source, Style, labels};

/// One family in the body.
#[derive(Clone)]
pub(super) struct Block {
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
    /// The metadata lines.
    pub(super) head: Arc<[u8]>,
    pub(super) parts: Vec<Part>,
}

/// One board's share of a block.
#[derive(Clone)]
pub(super) struct Part {
    /// Index into the sources.
    pub(super) source: usize,
    /// Index into that source's families.
    pub(super) family: usize,
    pub(super) rendered: Rendered,
}

/// A family on a board, for as long as both last. Its tag says it all, but on a damaged board
/// a tag may come back with another family: what is kept of the one would not fit the other.
pub(super) struct Identity {
    /// The source's id and the family's tag.
    key: (u64, u64),
    name: String,
    kind: Kind,
    label_names: Vec<String>,
    bounds: Vec<f64>,
    states: Vec<String>,
    aggregation: Aggregation,
    words_tag: u64,
}

impl Identity {
    fn new(source: u64, family: &FamilyView) -> Self {
        Self {
            key: (source, family.tag),
            name: family.name.clone(),
            kind: family.kind,
            label_names: family.label_names.clone(),
            bounds: family.bounds.clone(),
            states: family.states.clone(),
            aggregation: family.aggregation,
            words_tag: family.words_tag,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn bounds(&self) -> &[f64] {
        &self.bounds
    }

    fn is_of(&self, source: u64, family: &FamilyView) -> bool {
        self.key == (source, family.tag)
            && self.kind == family.kind
            && self.name == family.name
            && self.label_names == family.label_names
            && self.bounds == family.bounds
            && self.states == family.states
            && self.aggregation == family.aggregation
            && self.words_tag == family.words_tag
    }
}

/// The blocks of the last scrape, which hold for the next one if no family came or went.
#[derive(Default)]
pub(super) struct Plan {
    /// The ids of all sources, in their order: one without a family is counted by `Part::source`
    /// too.
    sources: Vec<u64>,
    /// All families of all sources, in their order. Indices in `blocks` refer to it.
    families: Vec<Identity>,
    blocks: Vec<Block>,
    left_out: BTreeSet<String>,
    clashes: u64,
}

impl Plan {
    /// The blocks, which know all series there are.
    pub(super) fn blocks(&mut self, sources: &[Source<'_>]) -> &[Block] {
        for part in self.blocks.iter_mut().flat_map(|block| &mut block.parts) {
            let view: &BoardView = sources[part.source].reader;
            part.rendered.follow(view, &view.families()[part.family]);
        }
        &self.blocks
    }

    /// Families that are left out.
    pub(super) fn clashes(&self) -> u64 {
        self.clashes
    }

    /// Follows the sources. O(families) when nothing changed; otherwise the blocks are laid
    /// out again, and what was rendered for families that are still there is kept.
    pub(super) fn update(
        &mut self,
        sources: &[Source<'_>],
        style: Style,
        reserved: &[(&'static str, Kind)],
    ) {
        let families = || {
            sources.iter().flat_map(|source| {
                let families = source.reader.families().iter();
                families.map(|family| (source.id, family))
            })
        };
        let same = |known: &Identity, (source, family)| known.is_of(source, family);
        let ids = || sources.iter().map(|source| source.id);
        if self.sources.iter().copied().eq(ids())
            && self.families.len() == families().count()
            && self
                .families
                .iter()
                .zip(families())
                .all(|(known, now)| same(known, now))
        {
            return;
        }
        let mut kept: HashMap<(u64, u64), Rendered> = HashMap::new();
        for part in self.blocks.drain(..).flat_map(|block| block.parts) {
            kept.insert(part.rendered.identity().key, part.rendered);
        }
        self.sources = ids().collect();
        self.families = families()
            .map(|(source, family)| Identity::new(source, family))
            .collect();

        let mut admission = Admission::new(style, reserved);
        for (source_index, source) in sources.iter().enumerate() {
            let families = source.reader.families();
            let mut by_age: Vec<usize> = (0..families.len()).collect();
            by_age.sort_unstable_by_key(|&index| families[index].tag);
            for family_index in by_age {
                let family = &families[family_index];
                let known = kept.remove(&(source.id, family.tag));
                let known = known.filter(|kept| kept.identity().is_of(source.id, family));
                admission.admit(source_index, family, source.label.is_some(), |name| Part {
                    source: source_index,
                    family: family_index,
                    rendered: known.unwrap_or_else(|| {
                        let identity = Identity::new(source.id, family);
                        Rendered::new(identity, family, name, source.label, style)
                    }),
                });
            }
        }
        self.blocks = admission.blocks;
        // By the first series of a histogram Prometheus decides whether all are native. Classic
        // ones would then have lost their buckets; native ones have classic buckets, too.
        for block in &mut self.blocks {
            let is_native = |part: &Part| {
                let families = sources[part.source].reader.families();
                families[part.family].native.is_some()
            };
            block.parts.sort_by_key(is_native);
        }
        self.blocks.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        self.clashes = admission.clashes;
        for name in admission.left_out.difference(&self.left_out) {
            tracing::warn!(
                family = name,
                "left out: its name is taken by an earlier family; rename one of the two"
            );
        }
        self.left_out = admission.left_out;
    }
}

/// The door: who has which name.
struct Admission {
    style: Style,
    blocks: Vec<Block>,
    /// Sample and family names that are taken; the number is the block's, or none for reserved ones.
    owners: HashMap<String, Option<usize>>,
    left_out: BTreeSet<String>,
    clashes: u64,
}

impl Admission {
    fn new(style: Style, reserved: &[(&'static str, Kind)]) -> Self {
        let mut owners = HashMap::new();
        for &(name, kind) in reserved {
            let name = style.family_name(kind, name);
            for suffix in style.owned_suffixes(kind) {
                owners.insert(format!("{name}{suffix}"), None);
            }
        }
        Self {
            style,
            blocks: Vec::new(),
            owners,
            left_out: BTreeSet::new(),
            clashes: 0,
        }
    }

    fn admit(
        &mut self,
        source: usize,
        family: &FamilyView,
        has_board: bool,
        part: impl FnOnce(&str) -> Part,
    ) {
        let name = self.style.family_name(family.kind, &family.name);
        if let Some(Some(index)) = self.owners.get(&name) {
            let block = &mut self.blocks[*index];
            let joins = *block.name == *name
                && block.kind == family.kind
                && block.parts.iter().all(|part| part.source != source);
            if joins {
                block.parts.push(part(&name));
                return;
            }
        }
        let suffixes = self.style.owned_suffixes(family.kind);
        let mut owned = suffixes.iter().map(|suffix| format!("{name}{suffix}"));
        if suffixes.is_empty() || owned.any(|name| self.owners.contains_key(&name)) {
            self.left_out.insert(family.name.clone());
            self.clashes += 1;
            return;
        }
        for suffix in suffixes {
            self.owners
                .insert(format!("{name}{suffix}"), Some(self.blocks.len()));
        }
        // OpenMetrics wants the states told apart by a label that is called as the family is.
        let told_apart = labels::label_names(family, has_board, self.style).1;
        let kind = match family.kind {
            Kind::StateSet if told_apart.as_deref() != Some(&*name) => Kind::Gauge,
            kind => kind,
        };
        let mut head = Vec::new();
        self.style
            .write_head(&name, kind, &family.help, &family.unit, &mut head);
        self.blocks.push(Block {
            head: head.into(),
            kind: family.kind,
            parts: vec![part(&name)],
            name: name.into(),
        });
    }
}
