//! What all scrapes of one moment share.

use std::sync::Arc;

use tallyboard::BoardView;

use super::Style;
use super::plan::Block;

/// The families of some boards at one moment. Which they are does not change, and any number of
/// threads make a body of it at the same time, without a lock. Values are read as it is written,
/// and names are rendered, and kept, by the first body that comes to them.
pub struct Exposition {
    style: Style,
    blocks: Arc<[Block]>,
    /// One for each source.
    views: Vec<Arc<BoardView>>,
    clashes: u64,
}

impl Exposition {
    pub(super) fn new(
        style: Style,
        blocks: Arc<[Block]>,
        views: Vec<Arc<BoardView>>,
        clashes: u64,
    ) -> Self {
        Self {
            style,
            blocks,
            views,
            clashes,
        }
    }

    /// How it is written.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Families left out because an earlier one has their name with another type, or
    /// has one of their sample names.
    pub fn clashes(&self) -> u64 {
        self.clashes
    }

    /// Whether a board has lost its memory: whatever was written of it is worthless then.
    pub fn is_broken(&self) -> bool {
        self.views.iter().any(|view| view.is_broken())
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    pub(super) fn view(&self, source: usize) -> &BoardView {
        &self.views[source]
    }
}
