//! What the multi-process tests share: workers that can be started, watched, stopped and killed.

mod ledger;
mod worker;

pub use ledger::Ledger;
pub use worker::Worker;
