//! The exporter of Tallyboard and everything behind its command line.
//!
//! The binary `tallyboard` is [`main`]. What others may want to call is [`encode`], which
//! writes boards in Prometheus's formats; the rest is nobody else's business and may change.

#![forbid(unsafe_code)]

mod boards;
mod cli;
mod config;
pub mod encode;
mod failures;
mod maintenance;
mod negotiate;
mod said;
mod scrape;
mod self_metrics;
mod server;
mod ui;
mod usage;
mod web_config;
mod workers;

pub use cli::main;

/// What is not meant for others cannot be called by them.
///
/// ```compile_fail,E0603
/// use tallyboard_exporter::boards::BoardSet;
/// ```
///
/// ```compile_fail,E0603
/// use tallyboard_exporter::server::Server;
/// ```
#[cfg(doctest)]
struct OnlyEncodeIsPublic;
