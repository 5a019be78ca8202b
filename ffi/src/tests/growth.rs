//! `struct_size`: older and newer callers.

use std::ptr;

use crate::grown::{self, Grown};
use crate::options::Options;
use crate::status;

/// What a newer program would have compiled.
#[repr(C)]
struct Newer {
    known: Options,
    unknown: [u8; 3],
}

fn newer(unknown: [u8; 3]) -> Newer {
    let known = Options {
        struct_size: size_of::<Options>() + 3,
        slots: 7,
        ..Options::DEFAULT
    };
    Newer { known, unknown }
}

fn read(from: &Newer) -> Result<u32, status::Status> {
    // SAFETY: `from` is as large as its `struct_size` says, which is less than `Newer`'s size.
    unsafe { grown::read(ptr::from_ref(from).cast::<Options>()) }
        .map(|read| read.slots)
        .map_err(|failure| failure.status)
}

#[test]
fn a_larger_struct_is_taken_when_what_we_do_not_know_of_it_is_zero() {
    assert_eq!(read(&newer([0, 0, 0])), Ok(7));
    assert_eq!(read(&newer([0, 0, 1])), Err(status::UNSUPPORTED));
    assert_eq!(read(&newer([1, 0, 0])), Err(status::UNSUPPORTED));
}

#[test]
fn a_smaller_struct_than_that_of_abi_1_was_never_initialised() {
    let mut small = newer([0, 0, 0]);
    for size in [0, 1, 8, Options::FIRST_SIZE - 1] {
        small.known.struct_size = size;
        assert_eq!(read(&small), Err(status::INVALID_ARGUMENT));
    }
}

#[test]
fn what_a_program_of_abi_1_does_not_have_is_as_it_was() {
    let mut first = newer([0, 0, 0]);
    first.known.struct_size = Options::FIRST_SIZE;
    first.known.series_cap = 9;
    // SAFETY: `first` is larger than its `struct_size`.
    let read = unsafe { grown::read(ptr::from_ref(&first).cast::<Options>()) };
    let read = read.map_err(|failure| failure.status).unwrap();
    assert_eq!((read.slots, read.series_cap), (7, 0));
}

#[test]
fn only_what_the_caller_has_is_written() {
    let known = Options {
        slots: 7,
        group: 9,
        ..Options::DEFAULT
    };
    let mut to = newer([1, 2, 3]);
    to.known.struct_size = size_of::<Options>() + 2;
    // SAFETY: `to` is larger than its `struct_size`.
    let written = unsafe { grown::write(ptr::from_mut(&mut to).cast::<Options>(), &known) };
    assert!(written.is_ok());
    assert_eq!(
        (to.known.slots, to.known.group, to.unknown),
        (7, 9, [0, 0, 3])
    );
    assert_eq!(to.known.struct_size, size_of::<Options>() + 2);
}
