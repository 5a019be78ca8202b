//! Unit tests that are too long for the file that they test.

#[cfg(not(arena_loom))]
pub(crate) mod allocations;
#[cfg(arena_loom)]
mod model;
#[cfg(not(arena_loom))]
mod orderings;
#[cfg(not(arena_loom))]
mod successor;
