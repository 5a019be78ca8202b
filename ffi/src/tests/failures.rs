//! Errors and panics as a C caller is told of them.

use std::ffi::CStr;

use arena::{OpenError, RefusedReason};

use crate::boundary;
use crate::failure::Failure;
use crate::last_error::tb_last_error;
use crate::stats::tb_refused_reason_name;
use crate::status;

fn last_error() -> String {
    // SAFETY: never NULL, and good until this thread's next failing call.
    unsafe { CStr::from_ptr(tb_last_error()) }
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_panic_becomes_a_status_and_its_message() {
    assert_eq!(boundary::call(|| panic!("the {}", "reason")), status::PANIC);
    assert!(
        last_error().ends_with("panicked: the reason"),
        "{}",
        last_error()
    );
    assert_eq!(boundary::call(|| panic!("plain")), status::PANIC);
    assert!(last_error().ends_with("panicked: plain"));
    assert_eq!(boundary::call_or(5, || std::panic::panic_any(7_u8)), 5);
    assert!(last_error().ends_with("of an unknown kind"));
}

/// Whose own `Drop` panics, which must not get past the boundary either.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("once more");
    }
}

#[test]
fn a_payload_that_panics_when_dropped_is_left_alone() {
    assert_eq!(
        boundary::call(|| std::panic::panic_any(Bomb)),
        status::PANIC
    );
}

#[test]
fn success_leaves_the_last_error_alone() {
    assert_eq!(last_error(), "");
    assert_eq!(
        boundary::call(|| Err(Failure::null("board"))),
        status::INVALID_ARGUMENT
    );
    assert_eq!(boundary::call(|| Ok(())), status::OK);
    assert_eq!(last_error(), "`board` is NULL");
}

/// It was TB_IO, which says that the system has refused.
#[test]
fn a_board_of_a_newer_library_is_one_that_this_library_cannot_do() {
    let newer = OpenError::Features {
        path: "/dev/shm/newer.v1.board".into(),
        bits: 1,
    };
    assert_eq!(Failure::from(newer).status, status::UNSUPPORTED);
}

#[test]
fn the_reasons_have_the_arenas_names() {
    for (number, reason) in RefusedReason::ALL.iter().enumerate() {
        let name = tb_refused_reason_name(number as u32);
        assert!(!name.is_null(), "{reason} has no name in C");
        // SAFETY: not NULL, and a static string.
        let name = unsafe { CStr::from_ptr(name) };
        assert_eq!(name.to_str().unwrap(), reason.to_string());
    }
    assert!(tb_refused_reason_name(RefusedReason::ALL.len() as u32).is_null());
}
