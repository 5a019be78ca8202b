//! Who is on a board: `tb_board_enlist`, `tb_board_leave`, `tb_board_processes`.

use std::ffi::{c_char, c_void};
use std::mem::size_of;

use arena::Board;

use crate::board;
use crate::boundary;
use crate::failure::Failure;
use crate::status::Status;
use crate::text;

/// `tb_process`. Its texts are good until the visitor returns.
#[repr(C)]
pub struct Process {
    pub(crate) struct_size: usize,
    pub(crate) row: u32,
    pub(crate) is_alive: i32,
    pub(crate) pid: u64,
    pub(crate) pid_namespace: u64,
    pub(crate) start_ticks: u64,
    pub(crate) claimed_unix_nanos: u64,
    pub(crate) gauges: u64,
    pub(crate) name: *const c_char,
    pub(crate) version: *const c_char,
}

/// Is told of a process. `C-unwind`, since what it unwinds with is then an abort and not undefined.
pub(crate) type ProcessVisitor = unsafe extern "C-unwind" fn(*const Process, *mut c_void) -> i32;

/// Enters this process into the board's list.
///
/// # Safety
///
/// `board` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_enlist(board: *const Board) -> Status {
    boundary::call(|| {
        // SAFETY: NULL or a live board, by this function's contract.
        unsafe { board::given(board) }?.enlist();
        Ok(())
    })
}

/// Takes this process off the board's list.
///
/// # Safety
///
/// `board` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_leave(board: *const Board) -> Status {
    boundary::call(|| {
        // SAFETY: NULL or a live board, by this function's contract.
        unsafe { board::given(board) }?.leave();
        Ok(())
    })
}

/// Tells `visit` of each process on the board.
///
/// # Safety
///
/// `board` is NULL or open; `visit` is NULL or may be called with a process and `context`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_processes(
    board: *const Board,
    visit: Option<ProcessVisitor>,
    context: *mut c_void,
) -> Status {
    boundary::call(|| {
        // SAFETY: NULL or a live board, by this function's contract.
        let processes = unsafe { board::given(board) }?.processes();
        let visit = visit.ok_or_else(|| Failure::null("visit"))?;
        for view in processes {
            let (major, minor, patch) = view.version;
            let name = text::c_string(&view.name);
            let version = text::c_string(&format!("{major}.{minor}.{patch}"));
            let process = Process {
                struct_size: size_of::<Process>(),
                row: view.row,
                is_alive: view.is_alive.into(),
                pid: view.pid,
                pid_namespace: view.pid_namespace,
                start_ticks: view.start_ticks,
                claimed_unix_nanos: view.claimed_unix_nanos,
                gauges: view.gauges,
                name: name.as_ptr(),
                version: version.as_ptr(),
            };
            // SAFETY: callable by this function's contract; the process outlives the call, and so
            // do its texts.
            if unsafe { visit(&raw const process, context) } != 0 {
                break;
            }
        }
        Ok(())
    })
}
