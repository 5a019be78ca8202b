//! The atomics of the crate: the hardware's, or loom's when a model is being checked.
//!
//! Nothing else in the crate may import atomics, so that every protocol function can be
//! run by loom as it ships.

#[cfg(not(all(test, arena_loom)))]
pub(crate) use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};
#[cfg(all(test, arena_loom))]
pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};
