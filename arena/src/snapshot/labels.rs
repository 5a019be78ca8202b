//! What the labels of a series say, read from its record.

use super::decode;
use crate::family::Cursor;
use crate::layout::MAX_TEXT_LEN;
use crate::register::Bound;
use crate::segment::Segment;
use core::fmt;

/// The label values of one series, in the order of the family's label names. To be used again
/// for the next one: then nothing is allocated.
pub struct LabelValues {
    record: Box<[u8; MAX_TEXT_LEN]>,
    text: String,
    /// Where each value ends in `text`; it begins where the one before it ends.
    ends: Vec<usize>,
}

impl Default for LabelValues {
    fn default() -> LabelValues {
        LabelValues {
            record: Box::new([0; MAX_TEXT_LEN]),
            text: String::new(),
            ends: Vec::new(),
        }
    }
}

impl fmt::Debug for LabelValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl LabelValues {
    /// The values.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let ranges = starts.zip(&self.ends);
        ranges.map(|(start, end)| &self.text[start..*end])
    }

    /// The values of a series that has `count` of them; `None`: its bytes say something else, or
    /// it was not one life that was read.
    pub(super) fn read(&mut self, segment: &Segment, bound: Bound, count: usize) -> Option<()> {
        self.text.clear();
        self.ends.clear();
        let read = decode::series(segment, bound, &mut self.record)?;
        let mut rest = Cursor(read.text);
        while !rest.0.is_empty() {
            self.text.push_str(rest.text()?);
            self.ends.push(self.text.len());
        }
        (self.ends.len() == count && segment.still_lives(bound)).then_some(())
    }
}
