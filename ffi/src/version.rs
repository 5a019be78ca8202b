//! What library this is.

use std::ffi::{CStr, c_char};

/// `TB_ABI_VERSION`. Raised only when a program built for the old one would break; `build.rs`
/// has it in the soname.
pub(crate) const ABI_VERSION: u32 = 1;

const VERSION: &CStr = const {
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!(),
    }
};

/// The ABI of this library.
#[unsafe(no_mangle)]
pub extern "C" fn tb_abi_version() -> u32 {
    ABI_VERSION
}

/// The version of this library. A static string.
#[unsafe(no_mangle)]
pub extern "C" fn tb_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The version of the segment's bytes.
#[unsafe(no_mangle)]
pub extern "C" fn tb_layout_version() -> u32 {
    arena::LAYOUT_VERSION
}
