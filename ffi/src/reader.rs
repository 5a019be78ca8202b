//! Visits: every series of a board, once or again and again.

use std::ffi::c_void;
use std::ops::ControlFlow;

use arena::{Board, Reader};

use crate::board;
use crate::boundary;
use crate::failure::Failure;
use crate::handle;
use crate::sample::{Page, Sample};
use crate::status::Status;

/// Is told of a series. `C-unwind`, since what it unwinds with is then an abort and not undefined.
pub(crate) type Visitor = unsafe extern "C-unwind" fn(*const Sample, *mut c_void) -> i32;

/// # Safety
///
/// `visit` may be called with a sample and `context`.
unsafe fn visit_all(reader: &mut Reader, visit: Visitor, context: *mut c_void) {
    reader.refresh();
    for family in reader.families() {
        let mut page = Page::new(family);
        for series in &family.series {
            let told = page.show(reader, series, |sample| {
                // SAFETY: callable by this function's contract; the sample outlives the call.
                match unsafe { visit(sample, context) } {
                    0 => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                }
            });
            if told.is_break() {
                return;
            }
        }
    }
}

/// Visits all series once.
///
/// # Safety
///
/// `board` is NULL or open; `visit` is NULL or may be called with a sample and `context`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_visit(
    board: *const Board,
    visit: Option<Visitor>,
    context: *mut c_void,
) -> Status {
    boundary::call(|| {
        // SAFETY: NULL or a live board, by this function's contract.
        let board = unsafe { board::given(board) }?;
        let visit = visit.ok_or_else(|| Failure::null("visit"))?;
        // SAFETY: `visit` may be called so, by this function's contract.
        unsafe { visit_all(&mut Reader::new(board), visit, context) };
        Ok(())
    })
}

/// Makes a reader that keeps what it has decoded.
///
/// # Safety
///
/// `board` is NULL or open; `reader` is NULL or to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_reader_new(board: *const Board, reader: *mut *mut Reader) -> Status {
    // SAFETY: NULL or a live board, by this function's contract.
    let make = || Ok(Reader::new(unsafe { board::given(board) }?));
    // SAFETY: NULL or to write, by this function's contract.
    unsafe { handle::hand_out(reader, "reader", None, make) }
}

/// Visits all series, decoding only those that are new.
///
/// # Safety
///
/// `reader` is NULL, or not freed and not in use elsewhere; `visit` as in [`tb_board_visit`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_reader_visit(
    reader: *mut Reader,
    visit: Option<Visitor>,
    context: *mut c_void,
) -> Status {
    boundary::call(|| {
        // SAFETY: NULL, or alive and ours alone, by this function's contract.
        let reader = unsafe { reader.as_mut() }.ok_or_else(|| Failure::null("reader"))?;
        let visit = visit.ok_or_else(|| Failure::null("visit"))?;
        // SAFETY: `visit` may be called so, by this function's contract.
        unsafe { visit_all(reader, visit, context) };
        Ok(())
    })
}

/// Series left out by the last visit.
///
/// # Safety
///
/// `reader` is NULL, or not freed and not in use elsewhere.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_reader_damaged(reader: *const Reader) -> u64 {
    // SAFETY: NULL or alive, by this function's contract.
    unsafe { reader.as_ref() }.map_or(0, |reader| reader.damaged())
}

/// Gives a reader back.
///
/// # Safety
///
/// `reader` is NULL, or the reader's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_reader_free(reader: *mut Reader) {
    // SAFETY: every `tb_reader *` came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(reader) };
}
