//! Who this process is, for showing only: nothing is decided by it.

use std::io::Read;

/// `major << 32 | minor << 16 | patch` of this library.
pub(super) const LIBRARY_VERSION: u64 = number(env!("CARGO_PKG_VERSION_MAJOR")) << 32
    | number(env!("CARGO_PKG_VERSION_MINOR")) << 16
    | number(env!("CARGO_PKG_VERSION_PATCH"));

/// A decimal number of cargo's, which cannot be parsed by std in a constant.
const fn number(digits: &str) -> u64 {
    let digits = digits.as_bytes();
    let (mut value, mut at) = (0, 0);
    while at < digits.len() {
        value = value * 10 + (digits[at] - b'0') as u64;
        at += 1;
    }
    value
}

pub(super) struct Identity {
    pub pid_namespace: u64,
    pub start_ticks: u64,
    /// The command name, zero-padded, as two little-endian words.
    pub name: [u64; 2],
}

/// Reads /proc; what cannot be read is 0. No allocation.
pub(super) fn of_self() -> Identity {
    let mut stat = [0; 512];
    let len = std::fs::File::open("/proc/self/stat")
        .and_then(|mut file| file.read(&mut stat))
        .unwrap_or(0);
    let (name, start_ticks) = parse_stat(&stat[..len]).unwrap_or(([0; 16], 0));
    let word = |at: usize| {
        name[at..]
            .first_chunk()
            .map_or(0, |b| u64::from_le_bytes(*b))
    };
    Identity {
        pid_namespace: crate::environment::pid_namespace(),
        start_ticks,
        name: [word(0), word(8)],
    }
}

/// Field 2 (the name, in parentheses that it may itself contain) and field 22.
fn parse_stat(stat: &[u8]) -> Option<([u8; 16], u64)> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let comm = stat.get(open + 1..close)?;
    let mut name = [0; 16];
    let len = comm.len().min(name.len());
    name[..len].copy_from_slice(&comm[..len]);
    let rest = core::str::from_utf8(&stat[close + 1..]).ok()?;
    // Field 3 is the first after the name.
    let ticks = rest.split_ascii_whitespace().nth(22 - 3)?.parse().ok()?;
    Some((name, ticks))
}

#[cfg(test)]
#[test]
fn a_name_with_parentheses_is_parsed() {
    let stat = b"7 (a) (b) S 1 1 1 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 4711 1 2";
    let (name, ticks) = parse_stat(stat).unwrap();
    assert_eq!(&name[..5], b"a) (b");
    assert_eq!(ticks, 4711);
}
