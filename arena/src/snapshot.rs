//! Reading a whole board again and again: an exporter's view.
//!
//! A [`Reader`] keeps which series there are, in two words for each, and nothing that they say:
//! a series' labels stand on the board, and are read there when somebody renders them. It needs
//! no write permission, takes no lock, and believes nothing: an index out of bounds, a text that
//! is not UTF-8 or not what its hash says, a family that is not there make one series fall out,
//! counted, and nothing else.
//!
//! ```text
//! seen      what the pass over the state words found in each, one word a slot
//! decode    what a record says
//! groups    the series of each family, in batches that views share   changed by what came or went
//! twins     finds the same key in two living slots
//! assembly  the families from all of these                           anew when anything came or went
//! view      values, read when they are asked for
//! ```

mod assembly;
mod decode;
mod family;
mod groups;
mod labels;
mod reader;
mod seen;
mod series;
mod twins;
mod view;

pub use family::{FamiliesId, FamilyView};
pub use labels::LabelValues;
pub use reader::Reader;
pub use series::{LabelBytes, SeriesBatch, SeriesList, SeriesView};
pub use view::BoardView;
