//! What the multi-process tests share: workers that can be started, watched, stopped and killed, and what they do.

pub mod books;
pub mod child;
mod ledger;
mod passing;
mod random;
mod work;
mod worker;

pub use ledger::Ledger;
pub use passing::{PASSING, PASSING_SECONDS, amount, bucket, is_made_of};
pub use random::next_random;
pub use work::{
    Handle, KEYS, Metric, OTHER_GAUGES, PHASE, PIECE, STATES, Work, come_and_go, key,
    passing_family, small_board, small_board_path,
};
pub use worker::{Event, Worker};
