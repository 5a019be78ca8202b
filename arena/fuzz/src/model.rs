//! What a board must say after a sequence of operations: a map, and how many slots are left.
//!
//! ```text
//! definition  what a caller declares
//! family      one definition of a name
//! series      one key of a family
//! value       what a series says
//! buckets     a native histogram's
//! split       a gauge's parts, one for each process
//! annex       exemplars, and what an info says
//!
//! room        the slots that are left, and how often something was refused
//!
//! register    binds a handle to a series, and makes what is not there
//! update      goes through a handle, which is bound anew if its series has ended
//! removal     ends series, and gives up families
//! expire      ends what has not changed
//! process     who does all of this, and leaves
//! ```

mod annex;
mod buckets;
mod definition;
mod expire;
mod family;
mod process;
mod register;
mod removal;
mod room;
mod series;
mod split;
mod update;
mod value;

pub use annex::{Annexes, Pairs};
pub use buckets::Buckets;
pub use definition::{Definition, Outcome};
pub use family::Family;
pub use register::Bound;
pub use room::SLOTS;
pub use series::Series;
pub use split::Split;
pub use value::Value;

use process::Owner;
use std::collections::HashMap;
use tallyboard::RefusedReason;

/// Everything on a board, and what it refused.
#[derive(Debug)]
pub struct Model {
    /// All definitions of a name, the newest last.
    families: HashMap<String, Vec<Family>>,
    used: usize,
    refused: HashMap<RefusedReason, u64>,
    overflowed: u64,
    expired: u64,
    lives: u64,
    turns: u64,
    me: Owner,
}

impl Default for Model {
    fn default() -> Model {
        Model {
            families: HashMap::new(),
            used: 0,
            refused: HashMap::new(),
            overflowed: 0,
            expired: 0,
            lives: 0,
            turns: 0,
            me: Owner::new(0),
        }
    }
}

impl Model {
    /// Registrations that went beyond a cap.
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// Series that did not change.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    /// What a reader shows: of each name the newest definition that has series, or the newest of
    /// all if none has; and the number of series of the others.
    pub fn shown(&self) -> HashMap<&str, (&Family, u64)> {
        let mut shown = HashMap::new();
        for (name, versions) in &self.families {
            let there = || versions.iter().filter(|version| version.is_there);
            // Of equals the last.
            if let Some(chosen) = there().max_by_key(|version| !version.series.is_empty()) {
                let all: usize = there().map(|version| version.series.len()).sum();
                let hidden = (all - chosen.series.len()) as u64;
                shown.insert(name.as_str(), (chosen, hidden));
            }
        }
        shown
    }

    fn at(&mut self, name: &str, place: usize) -> &mut Family {
        &mut self.families.get_mut(name).expect("registered")[place]
    }
}
