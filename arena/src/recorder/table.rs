//! Chains by the hash of what is looked for, so that it is found in a step or two.

use super::chain::Chain;
use std::hash::{DefaultHasher, Hash, Hasher};

const CHAINS: usize = 64;

/// Only grows, and is read and added to through a shared borrow, as [`Chain`] is.
pub(super) struct Table<T> {
    chains: [Chain<T>; CHAINS],
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table {
            chains: std::array::from_fn(|_| Chain::default()),
        }
    }
}

impl<T> Table<T> {
    /// The value that `fits`, or the one that `make` makes. `key` is what tells it from others:
    /// the same for all that fit.
    pub(super) fn find_or_add(
        &self,
        key: &(impl Hash + ?Sized),
        fits: impl Fn(&T) -> bool,
        make: impl FnOnce() -> T,
    ) -> &T {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        // Below CHAINS, whatever the width of a usize is.
        self.chains[hasher.finish() as usize % CHAINS].find_or_add(fits, make)
    }
}
