//! `tallyboard.cdef.h` is what `cdef.sh` makes of the header now.

mod toolchain;

use std::process::Command;

use toolchain::{include, package, succeed};

#[test]
fn the_declarations_without_a_preprocessor_are_those_of_the_header() {
    let now = succeed(Command::new("sh").arg(package().join("cdef.sh")));
    let kept = std::fs::read_to_string(include().join("tallyboard.cdef.h")).unwrap();
    assert_eq!(kept, now, "run: ffi/cdef.sh >ffi/include/tallyboard.cdef.h");
    assert!(!now.contains('#'), "a line for the preprocessor is left");
}
