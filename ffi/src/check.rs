//! `tb_board_check`: whether a board keeps its own rules.

use std::ffi::{c_char, c_void};

use arena::Board;

use crate::board;
use crate::boundary;
use crate::failure::Failure;
use crate::status::{self, Status};
use crate::text;

/// Is told of a fault. `C-unwind`, since what it unwinds with is then an abort and not undefined.
pub(crate) type FaultVisitor = unsafe extern "C-unwind" fn(*const c_char, *mut c_void) -> i32;

/// Checks the board and tells `visit` of each fault.
///
/// # Safety
///
/// `board` is NULL or open; `visit` is NULL or may be called with a text and `context`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_check(
    board: *const Board,
    visit: Option<FaultVisitor>,
    context: *mut c_void,
) -> Status {
    boundary::call(|| {
        // SAFETY: NULL or a live board, by this function's contract.
        let faults = unsafe { board::given(board) }?.check();
        let Some(first) = faults.first() else {
            return Ok(());
        };
        if let Some(visit) = visit {
            for fault in &faults {
                let line = text::c_string(&fault.to_string());
                // SAFETY: callable by this function's contract; `line` outlives the call.
                if unsafe { visit(line.as_ptr(), context) } != 0 {
                    break;
                }
            }
        }
        Err(Failure::new(status::DAMAGED, first.to_string()))
    })
}
