//! Environment variables, as a library inside any program may read them.

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

/// The kernel's id of this boot; `None` where /proc does not say.
pub(crate) fn boot_id() -> Option<[u64; 2]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok()?;
    Some([(number >> 64) as u64, number as u64])
}

/// The inode of this process's PID namespace; 0 where /proc does not say.
pub(crate) fn pid_namespace() -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self/ns/pid").map_or(0, |meta| meta.ino())
}

/// One more than the highest number that a CPU of this kernel can have. The planes are
/// reserved only when used, so a guess may be generous.
pub(crate) fn possible_cpus() -> u32 {
    const UNKNOWN: u32 = 256;
    std::fs::read_to_string("/sys/devices/system/cpu/possible")
        .ok()
        .and_then(|list| highest_cpu(&list))
        .map_or(UNKNOWN, |highest| highest + 1)
        .min(crate::layout::MAX_PLANES)
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
