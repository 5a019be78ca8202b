//! Environment variables, as a library inside any program may read them.

use crate::sync::Ordering;
use crate::sync::plain::AtomicU32;
use crate::zeroed::Zeroed;
use core::ffi::CStr;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsString;

/// The variable's value; `None` also in a program that runs with more rights than its
/// caller (`AT_SECURE`), as `secure_getenv` has it.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    // SAFETY: any auxiliary value may be asked for; 0 when it is absent.
    let is_secure = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    if is_secure {
        return None;
    }
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The kernel's id of this boot; `None` where /proc does not say. No allocation.
pub(crate) fn boot_id() -> Option<[u64; 2]> {
    let mut buffer = [0; 64];
    let text = read_small(c"/proc/sys/kernel/random/boot_id", &mut buffer)?;
    let mut number = 0_u128;
    let mut digits = 0;
    for byte in text.trim_ascii().iter().filter(|byte| **byte != b'-') {
        number = number << 4 | u128::from(char::from(*byte).to_digit(16)?);
        digits += 1;
    }
    (digits == 32).then_some([(number >> 64) as u64, number as u64])
}

/// The inode of this process's PID namespace; 0 where /proc does not say.
pub(crate) fn pid_namespace() -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self/ns/pid").map_or(0, |meta| meta.ino())
}

/// One more than the highest number that a CPU of this kernel can have. The planes are
/// reserved only when used, so a guess may be generous. No allocation.
pub(crate) fn possible_cpus() -> u32 {
    const UNKNOWN: u32 = 256;
    let mut buffer = [0; 1024];
    read_small(c"/sys/devices/system/cpu/possible", &mut buffer)
        .and_then(|list| highest_cpu(core::str::from_utf8(list).ok()?))
        .and_then(|highest| highest.checked_add(1))
        .unwrap_or(UNKNOWN)
        .min(crate::layout::MAX_PLANES)
}

/// A file of the kernel's that is shorter than `buffer`.
fn read_small<'b>(path: &CStr, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut len = 0;
    loop {
        match rustix::io::read(&file, buffer.get_mut(len..)?) {
            Ok(0) if len < buffer.len() => return buffer.get(..len),
            Ok(0) => return None,
            Ok(read) => len += read,
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

/// Whether this process is in the group. No allocation, though the list may be long.
pub(crate) fn is_member(gid: u32) -> bool {
    /// Linux knows no longer list.
    const GROUPS: usize = 65_536;
    if rustix::process::getegid().as_raw() == gid {
        return true;
    }
    let Ok(groups) = Zeroed::<AtomicU32>::new(GROUPS) else {
        return false;
    };
    let into = groups.as_ptr().cast_mut().cast();
    // SAFETY: `into` has room for so many gids, which are u32; atomics may be written
    // through a shared borrow.
    let count = unsafe { libc::getgroups(GROUPS as libc::c_int, into) };
    let known = usize::try_from(count)
        .ok()
        .and_then(|count| groups.get(..count));
    // Relaxed: nobody else has this list.
    known.is_some_and(|known| {
        known
            .iter()
            .any(|group| group.load(Ordering::Relaxed) == gid)
    })
}

/// The last number of a list such as `0-3,8-11`.
fn highest_cpu(list: &str) -> Option<u32> {
    list.trim().rsplit([',', '-']).next()?.parse().ok()
}

#[cfg(all(test, not(arena_loom)))]
#[test]
fn the_highest_cpu_of_a_list_is_found() {
    assert_eq!(highest_cpu("0\n"), Some(0));
    assert_eq!(highest_cpu("0-3\n"), Some(3));
    assert_eq!(highest_cpu("0-3,8-11\n"), Some(11));
    assert_eq!(highest_cpu("\n"), None);
}

#[cfg(all(test, not(arena_loom)))]
#[test]
fn the_kernel_is_understood_without_the_heap() {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let digits = text.trim().replace('-', "");
    let [high, low] = boot_id().unwrap();
    assert_eq!(format!("{high:016x}{low:016x}"), digits);
    let list = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap();
    assert_eq!(possible_cpus(), highest_cpu(&list).unwrap() + 1);
    assert!(is_member(rustix::process::getegid().as_raw()));
    for group in rustix::process::getgroups().unwrap() {
        assert!(is_member(group.as_raw()));
    }
    assert!(!is_member(u32::MAX - 7));
}
