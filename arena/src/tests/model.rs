//! Loom models of the protocols: the functions as they ship, on tiny boards, with a death
//! after each step, under every interleaving that the bound allows and every value that the
//! memory model lets a load return.
//!
//! `RUSTFLAGS="--cfg arena_loom" cargo test -p tallyboard --release --lib model`
//!
//! *The bound.* A model has two or three threads. loom switches away from a thread that
//! could go on at most three times in one run ([`fixture::PAIR`]), in the longest models
//! twice ([`fixture::TRIO`]), and in some of them once, unless `ARENA_LOOM_WHOLE` is set; switches at a thread's end, and which of several stores a load
//! returns, are not bounded. Each protocol publishes by one CAS from a word that it read
//! before, and believes what it read after one more look: a fault needs one thread stopped
//! between its look and its CAS, and at most a second one stopped there in turn. Every fault
//! below is found within that.
//!
//! *The proof that a model sees.* Beside each model stand the faults
//! ([`Mutation`](crate::mutation::Mutation)) that it must find: a model that passes with one
//! of them switched on is a failing test.

mod annex;
mod fixture;
mod fold;
mod process;
mod register;
mod remove;
mod update;
