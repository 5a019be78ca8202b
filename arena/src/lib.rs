//! Metrics in shared memory.
//!
//! A *board* is one fixed-layout shared-memory segment of atomic counter slots, found by the
//! hash of a metric's name and labels. Any process on the machine attaches to it and counts,
//! for about a nanosecond an update, without a syscall or a lock; one exporter
//! (`tallyboard serve`) reads it and serves Prometheus. A process may be killed at any
//! instruction: what it counted is kept, and nothing is wedged.
//!
//! ```
//! # let board = tallyboard::Board::open(&tallyboard::Location::Private)?;
//! # /*
//! let board = tallyboard::Board::open_default()?;        // made if it is not there
//! # */
//! let served = board.counter("http_requests_total", "Requests served.").label("method", "GET").register()?;
//! served.inc();
//!
//! let latency = board.histogram("http_request_seconds", "Time to serve.").labels(&["method"]).family()?;
//! latency.with(&["GET"]).observe(0.023);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `LAYOUT.md` beside this crate's sources tells the bytes, `DESIGN.md` the protocols. Linux
//! on x86-64; aarch64 uses the shared plane only, and was tested under emulation only.

#![warn(missing_docs)]

mod aggregation;
mod annex;
mod annexes;
mod attached;
mod binding;
mod board;
pub mod buckets;
mod builder;
mod c_path;
mod cap;
mod check;
mod clock;
mod counter;
#[cfg(arena_crash)]
mod crash;
mod environment;
mod error;
mod exemplar;
mod expire;
mod exponential;
mod family;
mod file;
mod fold;
mod fullness;
mod gauge;
#[cfg(not(all(test, arena_loom)))]
mod guard;
mod header;
mod help;
mod histogram;
mod index;
mod info;
mod kept;
mod labels;
mod layout;
mod lazy;
mod ledger;
mod liveness;
mod location;
mod lock;
mod mutation;
mod native;
mod native_counts;
mod pair;
#[cfg_attr(
    all(test, arena_loom),
    expect(dead_code, reason = "a model has no CPU planes")
)]
mod planes;
mod process;
mod process_view;
mod read;
mod recent;
mod record;
#[cfg(all(feature = "metrics", not(all(test, arena_loom))))]
pub mod recorder;
mod region;
mod register;
mod removal;
#[cfg_attr(
    all(test, arena_loom),
    allow(dead_code, reason = "a model has no CPU planes")
)]
mod rseq;
mod segment;
mod series;
mod slot;
mod snapshot;
mod state_set;
mod stats;
mod step;
mod successor;
mod summary;
mod sync;
#[cfg(test)]
mod tests;
mod trouble;
mod versions;
mod window;
mod zeroed;

pub use aggregation::{Aggregation, UnknownAggregation};
pub use board::{Board, BoardOptions, UpdatePath};
pub use builder::{Builder, Family};
pub use check::Fault;
pub use counter::{Counter, Number};
pub use error::{OpenError, RefusedReason, RegisterError};
pub use exemplar::Exemplar;
pub use family::Kind;
pub use gauge::Gauge;
#[cfg(not(all(test, arena_loom)))]
pub use guard::guard_readers;
pub use histogram::{Histogram, Timer};
pub use info::Info;
pub use layout::LAYOUT_VERSION;
pub use lazy::{LazyCounter, LazyGauge, LazyHistogram};
#[doc(hidden)]
pub use ledger::Ledger;
pub use location::Location;
pub use native::Native;
pub use native_counts::NativeCounts;
pub use process_view::{ProcessIdentity, ProcessView};
pub use removal::{remove, remove_by_force};
pub use snapshot::{
    BoardView, FamiliesId, FamilyView, LabelBytes, LabelValues, Reader, SeriesBatch, SeriesList,
    SeriesView,
};
pub use state_set::StateSet;
pub use stats::Stats;
#[cfg(arena_crash)]
#[doc(hidden)]
pub use step::Step;
pub use summary::Summary;
pub use window::Window;

#[cfg(all(arena_loom, arena_crash))]
compile_error!("a model's thread dies by `arena_loom`, a process by `arena_crash`: choose one");

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
