//! The words of the last failure, one a thread.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

use crate::text;

thread_local! {
    /// Replaced, never changed in place, so a pointer from `tb_last_error` is good until then.
    static LAST: RefCell<Option<CString>> = const { RefCell::new(None) };
}

/// Keeps `message` for `tb_last_error`. In a thread that is ending, whose thread-locals are
/// gone, there is nobody left to ask, and it does nothing.
pub(crate) fn remember(message: &str) {
    let message = text::c_string(message);
    let _ = LAST.try_with(|last| last.replace(Some(message)));
}

/// What the last failing call of this thread said. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tb_last_error() -> *const c_char {
    let text = |last: &RefCell<Option<CString>>| {
        last.borrow()
            .as_ref()
            .map_or(c"".as_ptr(), |text| text.as_ptr())
    };
    LAST.try_with(text).unwrap_or(c"".as_ptr())
}
