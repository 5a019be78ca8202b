//! Paths as the kernel takes them, without an allocation however long they are.

use core::ffi::CStr;
use rustix::io::{Errno, Result};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The kernel takes no longer path, its final NUL among the bytes.
const PATH_MAX: usize = 4096;

/// Gives `path` to `call`, ended by a NUL, in a buffer on the stack: a series may have to be
/// found again in a signal handler, and the heap is not to be touched there.
pub(crate) fn with<T>(path: &Path, call: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
    let bytes = path.as_os_str().as_bytes();
    let mut buffer = [0; PATH_MAX];
    let Some(room) = buffer.get_mut(..bytes.len()) else {
        return Err(Errno::NAMETOOLONG);
    };
    room.copy_from_slice(bytes);
    let terminated = buffer.get(..=bytes.len()).ok_or(Errno::NAMETOOLONG)?;
    call(CStr::from_bytes_with_nul(terminated).map_err(|_| Errno::INVAL)?)
}

#[cfg(all(test, not(arena_loom)))]
#[test]
fn paths_of_every_length_arrive_whole_or_are_refused() {
    let of = |len: usize| "p".repeat(len);
    for len in [0, 1, 255, 256, 4094, 4095] {
        let path = of(len);
        let same = with(Path::new(&path), |given| {
            Ok(given.to_bytes() == path.as_bytes())
        });
        assert_eq!(same, Ok(true), "{len}");
    }
    for (path, error) in [
        (of(4096), Errno::NAMETOOLONG),
        (of(9000), Errno::NAMETOOLONG),
        ("a\0b".into(), Errno::INVAL),
    ] {
        assert_eq!(with(Path::new(&path), |_| Ok(())), Err(error));
    }
}
