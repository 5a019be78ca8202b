//! The numbers that calls return, and their names.

use std::ffi::{CStr, c_char};

/// `tb_status`. A plain integer and no Rust enum, since C may pass any number for one.
pub(crate) type Status = i32;

macro_rules! statuses {
    ($($name:ident = $number:literal)*) => {
        $(pub(crate) const $name: Status = $number;)*

        /// Every status with its name in C, by number.
        pub(crate) const NAMES: &[(Status, &CStr)] = &[$(($name, const {
            match CStr::from_bytes_with_nul(concat!("TB_", stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!(),
            }
        })),*];
    };
}

// The header says when each is returned. A new one gets the next number; none changes.
statuses! {
    OK = 0
    INVALID_ARGUMENT = 1
    NOT_FOUND = 2
    EXISTS = 3
    PERMISSION = 4
    NO_SPACE = 5
    VERSION = 6
    DAMAGED = 7
    UNSUPPORTED = 8
    CLASH = 9
    FULL = 10
    READ_ONLY = 11
    IO = 12
    PANIC = 13
    TOO_LONG = 14
    FAMILY_FULL = 15
}

/// The name of a status, as the header spells it. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tb_status_name(status: Status) -> *const c_char {
    NAMES
        .iter()
        .find(|(number, _)| *number == status)
        .map_or(c"TB_UNKNOWN", |(_, name)| name)
        .as_ptr()
}
