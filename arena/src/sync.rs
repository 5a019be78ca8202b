//! The atomics of the crate: the hardware's, or loom's when a model is being checked.
//!
//! Nothing else in the crate may import atomics, so that every protocol function can be
//! run by loom as it ships.

#[cfg(not(all(test, arena_loom)))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(all(test, arena_loom))]
pub(crate) use loom::sync::atomic::{Ordering, fence};
#[cfg(all(test, arena_loom))]
pub(crate) use modelled::AtomicU64;

/// The hardware's in any build, for this process's own memory that no model looks at: what
/// lies in statics and in mappings, where loom's cannot.
pub(crate) mod plain {
    #[cfg_attr(
        all(test, arena_loom),
        expect(unused_imports, reason = "a model has no guard")
    )]
    pub(crate) use core::sync::atomic::{AtomicBool, AtomicUsize};
    pub(crate) use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};
}

#[cfg(all(test, arena_loom))]
mod modelled {
    use super::Ordering;
    use loom::sync::atomic::AtomicU64 as Word;

    /// loom's word with a turn beside it that every access takes first.
    ///
    /// loom explores the order of a load and a store only while that load is the last one of
    /// its word: a thread that loads before it stores, as every CAS loop does, hides the
    /// loads of the others, and models pass that were hardly explored. Two accesses of a
    /// turn always conflict, so that loom tries both orders. A Relaxed swap orders nothing.
    pub(crate) struct AtomicU64 {
        word: Word,
        turn: Word,
    }

    impl AtomicU64 {
        pub(crate) fn new(value: u64) -> AtomicU64 {
            AtomicU64 {
                word: Word::new(value),
                turn: Word::new(0),
            }
        }

        fn taken(&self) -> &Word {
            self.turn.swap(0, Ordering::Relaxed);
            &self.word
        }

        pub(crate) fn load(&self, ordering: Ordering) -> u64 {
            self.taken().load(ordering)
        }

        pub(crate) fn store(&self, value: u64, ordering: Ordering) {
            self.taken().store(value, ordering);
        }

        pub(crate) fn swap(&self, value: u64, ordering: Ordering) -> u64 {
            self.taken().swap(value, ordering)
        }

        pub(crate) fn fetch_add(&self, value: u64, ordering: Ordering) -> u64 {
            self.taken().fetch_add(value, ordering)
        }

        pub(crate) fn compare_exchange(
            &self,
            current: u64,
            new: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            self.taken()
                .compare_exchange(current, new, success, failure)
        }
    }
}
