//! What the multi-process tests share: workers that can be started, watched, stopped and killed, and what they do.

mod ledger;
mod work;
mod worker;

pub use ledger::Ledger;
pub use work::{
    Handle, KEYS, Metric, OTHER_GAUGES, Work, come_and_go, key, passing_family, small_board,
    small_board_path,
};
pub use worker::{Event, Worker};
