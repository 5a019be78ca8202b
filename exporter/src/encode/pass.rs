//! One body's way through an exposition, a piece at a time.

use std::sync::Arc;

use super::plan::{Block, Part};
use super::rendered::Walk;
use super::{Exposition, Format, Selection, wire};

/// Where a scrape is. Between two pieces it holds a few words, and the exposition; in protobuf also
/// such families of the block it is in as had to be written to know the block's length.
pub struct Pass {
    exposition: Arc<Exposition>,
    selection: Arc<Selection>,
    block: usize,
    part: usize,
    walk: Walk,
    /// Whether the block's head stands in the body.
    is_begun: bool,
    /// In protobuf, what depends on values by its length and so was written before its turn: for
    /// each part of the block, or nothing.
    ahead: Vec<Option<Vec<u8>>>,
}

impl Pass {
    /// At the beginning.
    pub fn new(exposition: Arc<Exposition>, selection: Arc<Selection>) -> Self {
        Self {
            exposition,
            selection,
            block: 0,
            part: 0,
            walk: Walk::default(),
            is_begun: false,
            ahead: Vec::new(),
        }
    }

    /// What it goes through.
    pub fn exposition(&self) -> &Exposition {
        &self.exposition
    }

    /// Series written so far. A histogram counts once.
    pub fn series(&self) -> u64 {
        self.walk.written
    }

    /// Appends what comes next, until `out` has `until` bytes or a little more; whether there is
    /// more to come. A series that has ended is left out. Renders the names that no body has come
    /// to before. Never blocks.
    pub fn fill(&mut self, until: usize, out: &mut Vec<u8>) -> bool {
        let exposition = self.exposition.clone();
        while let Some(block) = exposition.blocks().get(self.block) {
            if out.len() >= until {
                return true;
            }
            let is_wanted = self.is_begun || self.selection.wants(block, exposition.style());
            if is_wanted && self.write_block(&exposition, block, until, out) {
                return true;
            }
            self.block += 1;
            self.part = 0;
            self.walk.restart();
            self.is_begun = false;
            self.ahead.clear();
        }
        false
    }

    /// Whether there is more of the block.
    fn write_block(
        &mut self,
        exposition: &Exposition,
        block: &Block,
        until: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let is_message = exposition.style().format == Format::Protobuf;
        if is_message && !self.is_begun && !self.begin_message(exposition, block, out) {
            return false;
        }
        let start = out.len();
        if !self.is_begun {
            out.extend_from_slice(&block.head);
        }
        let before = self.walk.written;
        while let Some(part) = block.parts.get(self.part) {
            if let Some(written) = self.ahead.get(self.part).and_then(Option::as_ref) {
                out.extend_from_slice(written);
            } else if self.write_part(exposition, part, until, out) {
                break;
            }
            self.part += 1;
            self.walk.restart();
        }
        // A head without a series would be a family that says nothing. A message has one: its
        // length was said already.
        if self.is_begun || self.walk.written > before || is_message {
            self.is_begun = true;
        } else {
            out.truncate(start);
        }
        self.part < block.parts.len()
    }

    fn write_part(
        &mut self,
        exposition: &Exposition,
        part: &Part,
        until: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let view = exposition.view(part.source);
        let family = &view.families()[part.family];
        part.rendered
            .write(view, family, &mut self.walk, until, out)
    }

    /// Appends the length of the block's message; not if there is no series in it.
    fn begin_message(&mut self, exposition: &Exposition, block: &Block, out: &mut Vec<u8>) -> bool {
        let mut len = 0;
        for part in &block.parts {
            let view = exposition.view(part.source);
            let known = (part.rendered).message_len(view, &view.families()[part.family]);
            let ahead = known.is_none().then(|| {
                let mut written = Vec::new();
                self.write_part(exposition, part, usize::MAX, &mut written);
                self.walk.restart();
                written
            });
            len += known.unwrap_or_else(|| ahead.as_ref().map_or(0, Vec::len));
            self.ahead.push(ahead);
        }
        if len > 0 {
            wire::write_varint((block.head.len() + len) as u64, out);
        }
        len > 0
    }
}
