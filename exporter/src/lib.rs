//! The exporter of Tallyboard and everything behind its command line.
//!
//! The binary `tallyboard` is this library and a `main` of a few lines. What others may
//! want to call is [`encode`], which writes boards in Prometheus's formats.

#![forbid(unsafe_code)]

pub mod boards;
pub mod cli;
pub mod config;
pub mod encode;
pub mod negotiate;
pub mod scrape;
mod self_metrics;
pub mod server;
