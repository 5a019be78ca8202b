//! Boards: opened, asked about, closed, removed.

use std::ffi::c_char;
use std::os::unix::ffi::OsStrExt;

use arena::{Board, BoardOptions, Location, OpenError, UpdatePath};

use crate::boundary;
use crate::failure::Failure;
use crate::handle;
use crate::options::{self, Options};
use crate::status::{self, Status};
use crate::text;

/// Where C says a board is; NULL is what the environment says, or the default.
///
/// # Safety
///
/// `location` is NULL or NUL-terminated text.
unsafe fn locate(location: *const c_char) -> Result<Location, Failure> {
    // SAFETY: the same contract as this function's.
    match unsafe { text::os(location) } {
        Some(location) => Ok(Location::parse(location)?),
        None => Ok(Location::from_env()?),
    }
}

/// The board behind a pointer that may be NULL.
///
/// # Safety
///
/// `board` is NULL, or a board that is not closed for `'a`.
pub(crate) unsafe fn given<'a>(board: *const Board) -> Result<&'a Board, Failure> {
    // SAFETY: NULL, or a live `Board` from `hand_out`, by this function's contract.
    unsafe { board.as_ref() }.ok_or_else(|| Failure::null("board"))
}

/// Hands out what `open` makes of a location and of options.
///
/// # Safety
///
/// `location` is NULL or NUL-terminated text; `options` is as [`options::read`] wants it or NULL;
/// `board` is NULL or to write.
unsafe fn hand_out(
    location: *const c_char,
    options: *const Options,
    board: *mut *mut Board,
    open: fn(&BoardOptions, &Location) -> Result<Board, OpenError>,
) -> Status {
    let make = || {
        // SAFETY: options or NULL, by this function's contract.
        let options = unsafe { options::read(options) }?;
        // SAFETY: text or NULL, by this function's contract.
        let location = unsafe { locate(location) }?;
        Ok(open(&options, &location)?)
    };
    // SAFETY: a pointer to write or NULL, by this function's contract.
    unsafe { handle::hand_out(board, "board", None, make) }
}

/// Opens the board at `location`, made with default options if it is not there.
///
/// # Safety
///
/// As the header says: text or NULL, and a pointer to write or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_open(location: *const c_char, board: *mut *mut Board) -> Status {
    // SAFETY: the same contract; NULL options are allowed.
    unsafe { tb_board_open_with(location, std::ptr::null(), board) }
}

/// Opens the board at `location`, made with `options` if it is not there.
///
/// # Safety
///
/// As the header says: text or NULL, options or NULL, and a pointer to write or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_open_with(
    location: *const c_char,
    options: *const Options,
    board: *mut *mut Board,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { hand_out(location, options, board, BoardOptions::open) }
}

/// Makes a board where there is none.
///
/// # Safety
///
/// As [`tb_board_open_with`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_create(
    location: *const c_char,
    options: *const Options,
    board: *mut *mut Board,
) -> Status {
    // SAFETY: the same contract as this function's.
    unsafe { hand_out(location, options, board, BoardOptions::create) }
}

/// Opens a board that is there.
///
/// # Safety
///
/// As [`tb_board_open`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_attach(
    location: *const c_char,
    board: *mut *mut Board,
) -> Status {
    // SAFETY: the same contract; NULL options are allowed.
    unsafe { hand_out(location, std::ptr::null(), board, BoardOptions::attach) }
}

/// Opens a board that is there, for reading.
///
/// # Safety
///
/// As [`tb_board_open`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_attach_read_only(
    location: *const c_char,
    board: *mut *mut Board,
) -> Status {
    // SAFETY: the same contract; NULL options are allowed.
    unsafe {
        hand_out(
            location,
            std::ptr::null(),
            board,
            BoardOptions::attach_read_only,
        )
    }
}

/// Retires and removes the board at `location`, which has to be said.
///
/// # Safety
///
/// `location` is NULL or NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_remove(location: *const c_char) -> Status {
    boundary::call(|| {
        // SAFETY: text or NULL, by this function's contract.
        let location = unsafe { text::os(location) }.ok_or_else(|| Failure::null("location"))?;
        Ok(arena::remove(&Location::parse(location)?)?)
    })
}

/// Gives a board back; metrics hold it on their own.
///
/// # Safety
///
/// `board` is NULL, or an open board's only remaining use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_close(board: *mut Board) {
    // SAFETY: every `tb_board *` came from `hand_out`; last use by this function's contract.
    unsafe { handle::take_back(board) };
}

/// Whether nothing is counted here.
///
/// # Safety
///
/// `board` is NULL or an open board.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_is_off(board: *const Board) -> i32 {
    // SAFETY: NULL or a live board, by this function's contract.
    unsafe { board.as_ref() }.is_none_or(Board::is_off).into()
}

/// Whether the board was removed.
///
/// # Safety
///
/// `board` is NULL or an open board.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_is_retired(board: *const Board) -> i32 {
    // SAFETY: NULL or a live board, by this function's contract.
    unsafe { board.as_ref() }
        .is_some_and(Board::is_retired)
        .into()
}

/// Whether updates are restartable sequences.
///
/// # Safety
///
/// `board` is NULL or an open board.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_uses_rseq(board: *const Board) -> i32 {
    boundary::call_or(0, || {
        // SAFETY: NULL or a live board, by this function's contract.
        let board = unsafe { board.as_ref() };
        board
            .is_some_and(|board| matches!(board.update_path(), UpdatePath::Rseq))
            .into()
    })
}

/// Where the board is, as a location.
///
/// # Safety
///
/// `board` is NULL or open; `buffer` is NULL or has `len` bytes; `needed` is NULL or a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_location(
    board: *const Board,
    buffer: *mut c_char,
    len: usize,
    needed: *mut usize,
) -> Status {
    boundary::call(|| {
        // SAFETY: NULL or a live board, by this function's contract.
        let board = unsafe { given(board) }?;
        // A path may be any bytes; only the other forms are surely text.
        let shown = match board.location() {
            Location::Path(path) => path.as_os_str().as_bytes().to_vec(),
            other => other.to_string().into_bytes(),
        };
        // SAFETY: `buffer`, `len` and `needed` are as that function wants, by this one's contract.
        unsafe { text::copy_out(&shown, buffer, len, needed) }
    })
}

/// The path of the board's file.
///
/// # Safety
///
/// As [`tb_board_location`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_path(
    board: *const Board,
    buffer: *mut c_char,
    len: usize,
    needed: *mut usize,
) -> Status {
    boundary::call(|| {
        // SAFETY: NULL or a live board, by this function's contract.
        let board = unsafe { given(board) }?;
        let Some(path) = board.path() else {
            // SAFETY: NULL or a `size_t`, by this function's contract.
            if let Some(needed) = unsafe { needed.as_mut() } {
                *needed = 0;
            }
            return Err(Failure::new(
                status::NOT_FOUND,
                format!("the board `{}` has no file", board.location()),
            ));
        };
        // SAFETY: `buffer`, `len` and `needed` are as that function wants, by this one's contract.
        unsafe { text::copy_out(path.as_os_str().as_bytes(), buffer, len, needed) }
    })
}

/// The board's identity.
///
/// # Safety
///
/// `board` is NULL or open; `uuid` is NULL or has 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_uuid(board: *const Board, uuid: *mut [u8; 16]) -> Status {
    boundary::call(|| {
        // SAFETY: NULL, or 16 bytes to write, by this function's contract.
        let uuid = unsafe { uuid.as_mut() }.ok_or_else(|| Failure::null("uuid"))?;
        *uuid = [0; 16];
        // SAFETY: NULL or a live board, by this function's contract.
        let board = unsafe { given(board) }?;
        *uuid = board.uuid().ok_or_else(|| {
            Failure::new(status::NOT_FOUND, "the board is off and has no identity")
        })?;
        Ok(())
    })
}

/// When the board was made.
///
/// # Safety
///
/// `board` is NULL or an open board.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tb_board_created_unix_nanos(board: *const Board) -> u64 {
    boundary::call_or(0, || {
        // SAFETY: NULL or a live board, by this function's contract.
        unsafe { board.as_ref() }.map_or(0, Board::created_unix_nanos)
    })
}
