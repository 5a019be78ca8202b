//! Text in both directions: NUL-terminated in C, UTF-8 with a length in Rust.

use std::ffi::{CStr, CString, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;

use crate::failure::Failure;
use crate::status;

/// The UTF-8 text at `text`; `what` names it in errors.
///
/// # Safety
///
/// `text` is NULL, or points to bytes that end in NUL and stay unchanged for `'a`.
pub(crate) unsafe fn utf8<'a>(text: *const c_char, what: &str) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(Failure::null(what));
    }
    // SAFETY: not NULL (checked above); the rest is this function's own contract.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes
        .to_str()
        .map_err(|_| Failure::invalid(format!("`{what}` is not UTF-8: {bytes:?}")))
}

/// As [`utf8`], with "" for NULL.
///
/// # Safety
///
/// As [`utf8`].
pub(crate) unsafe fn utf8_or_empty<'a>(
    text: *const c_char,
    what: &str,
) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Ok("");
    }
    // SAFETY: the same contract as this function's.
    unsafe { utf8(text, what) }
}

/// The bytes at `text`, for what the file system names; None for NULL.
///
/// # Safety
///
/// As [`utf8`].
pub(crate) unsafe fn os<'a>(text: *const c_char) -> Option<&'a OsStr> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL (checked above); the rest is this function's own contract.
    let bytes = unsafe { CStr::from_ptr(text) };
    Some(OsStr::from_bytes(bytes.to_bytes()))
}

/// `text` for C. A NUL inside of it would cut it short and could make two series look like one,
/// so it becomes U+FFFD, the character that stands for what cannot be shown.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| {
        CString::new(text.replace('\0', "\u{FFFD}")).expect("every NUL was just replaced")
    })
}

/// Writes `bytes` and a NUL into a caller's buffer, and the room they take into `needed`.
///
/// # Safety
///
/// `buffer` is NULL or points to `len` writable bytes; `needed` is NULL or points to a `size_t`.
pub(crate) unsafe fn copy_out(
    bytes: &[u8],
    buffer: *mut c_char,
    len: usize,
    needed: *mut usize,
) -> Result<(), Failure> {
    let room = bytes.len() + 1;
    // SAFETY: NULL, or a `size_t` of the caller's, by this function's contract.
    if let Some(needed) = unsafe { needed.as_mut() } {
        *needed = room;
    }
    if buffer.is_null() || len == 0 {
        return if len == 0 {
            Ok(())
        } else {
            Err(Failure::null("buffer"))
        };
    }
    let fits = room <= len;
    let shown = if fits { bytes } else { &[] };
    // SAFETY: `shown.len() < len` in both cases, so it fits into the caller's `len` bytes; Rust's
    // `bytes` and the caller's buffer cannot overlap, since the caller has no pointer to the first.
    unsafe {
        buffer
            .cast::<u8>()
            .copy_from_nonoverlapping(shown.as_ptr(), shown.len())
    };
    // SAFETY: as above: `shown.len()` is below `len`.
    let end = unsafe { buffer.add(shown.len()) };
    // SAFETY: `end` is the byte after the text, and still one of the caller's `len`.
    unsafe { end.write(0) };
    if fits {
        return Ok(());
    }
    Err(Failure::new(
        status::NO_SPACE,
        format!("the buffer has {len} bytes where {room} are needed"),
    ))
}
