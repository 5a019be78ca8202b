//! What keeps a board in order: what the dead left, and what nobody uses.

use std::time::Duration;

use arena::Board;

use crate::board;
use crate::boundary;
use crate::status::Status;

/// Finishes what processes that have died left half done.
///
/// # Safety
///
/// `board` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_reap(board: *const Board) -> Status {
    boundary::call(|| {
        // SAFETY: NULL or a live board, by this function's contract.
        unsafe { board::given(board) }?.reap();
        Ok(())
    })
}

/// Ends the series that have not changed for long.
///
/// # Safety
///
/// `board` is NULL or open; `expired` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_expire(
    board: *const Board,
    ttl_seconds: u64,
    expired: *mut u64,
) -> Status {
    // SAFETY: NULL or to write, by this function's contract.
    let mut expired = unsafe { expired.as_mut() };
    if let Some(expired) = &mut expired {
        **expired = 0;
    }
    boundary::call(|| {
        // SAFETY: NULL or a live board, by this function's contract.
        let board = unsafe { board::given(board) }?;
        let count = board.expire(Duration::from_secs(ttl_seconds));
        if let Some(expired) = expired {
            *expired = count;
        }
        Ok(())
    })
}
