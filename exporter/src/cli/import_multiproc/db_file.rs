//! The bytes of one file of a multiprocess directory, in the machine's byte order.
//!
//! ```text
//!   0  i32  bytes in use, these included, or 0
//!   4       nothing
//!   8       entries:  i32  length of the key
//!                          the key: JSON, [metric, sample, {label: value}, help]
//!                          1 to 8 spaces, up to a multiple of 8
//!                     f64  the value
//!                     f64  for some gauges, when it was set: seconds since 1970; not before 0.18
//! ```
//!
//! A process writes an entry behind those in use and then says that more are in use. So a file
//! is whole whenever its process is killed; one that is not was cut off by something else.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

const HEADER_LEN: usize = 8;
const LENGTH_LEN: usize = 4;
const ALIGNMENT: usize = 8;
const FLOAT_LEN: usize = 8;

/// One value.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) value: f64,
    pub(super) unix_seconds: f64,
}

/// What the value is of.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(from = "(String, String, BTreeMap<String, String>, String)")]
pub(super) struct Key {
    pub(super) metric: String,
    pub(super) sample: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) help: String,
}

impl From<(String, String, BTreeMap<String, String>, String)> for Key {
    fn from(parts: (String, String, BTreeMap<String, String>, String)) -> Self {
        let (metric, sample, labels, help) = parts;
        Self {
            metric,
            sample,
            labels,
            help,
        }
    }
}

impl Key {
    /// Whether it is of one of these metrics, by the program's name for it or by Prometheus's.
    pub(super) fn is_of(&self, metrics: &[String]) -> bool {
        (metrics.iter()).any(|metric| *metric == self.metric || *metric == self.sample)
    }
}

/// Why bytes are not such a file.
#[derive(Debug, PartialEq)]
pub(super) enum Damage {
    /// Not even the number of bytes in use is there.
    NoHeader { len: usize },
    /// More bytes are in use than there are, or a number that cannot be.
    Used { used: i32, len: usize },
    /// The entry at this byte goes beyond what is in use.
    Entry { at: usize },
    /// The entry at this byte has no key that prometheus_client writes.
    Key { at: usize },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader { len } => write!(f, "it has {len} bytes only, so it was cut off")?,
            Self::Used { used, len } => write!(
                f,
                "it says that {used} bytes are in use and has {len}, so it was cut off or is \
                 not prometheus_client's"
            )?,
            Self::Entry { at } => write!(
                f,
                "the entry at byte {at} is longer than what is in use, so it is damaged or not \
                 prometheus_client's"
            )?,
            Self::Key { at } => write!(
                f,
                "the entry at byte {at} does not say what it is of, so it is damaged or not \
                 prometheus_client's"
            )?,
        }
        f.write_str("; put back a copy, or take it out of the directory")
    }
}

/// What stands behind a key.
#[derive(Clone, Copy, PartialEq)]
enum Version {
    Now,
    /// Before `mostrecent` came, with 0.18.
    Timeless,
}

/// Reads all entries.
///
/// # Errors
///
/// The first thing that cannot be.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Entry>, Damage> {
    // No file is of both: the last entry of the one is too short for the other, and where that has
    // an entry's key this one has a time.
    let now = entries(bytes, Version::Now);
    now.or_else(|damage| entries(bytes, Version::Timeless).map_err(|_| damage))
}

fn entries(bytes: &[u8], version: Version) -> Result<Vec<Entry>, Damage> {
    let len = bytes.len();
    if len == 0 {
        // Its process was killed between making it and giving it a size.
        return Ok(Vec::new());
    }
    let used = int_at(bytes, 0).ok_or(Damage::NoHeader { len })?;
    let end = usize::try_from(used)
        .ok()
        .filter(|end| *end <= len)
        .ok_or(Damage::Used { used, len })?;
    if end == 0 {
        return Ok(Vec::new());
    }
    let bytes = &bytes[..end];
    let mut at = HEADER_LEN;
    if end < at {
        return Err(Damage::Used { used, len });
    }
    let mut entries = Vec::new();
    while at < end {
        let (key, values) = split(bytes, at).ok_or(Damage::Entry { at })?;
        let value = float_at(bytes, values);
        let (unix_seconds, next) = match version {
            Version::Now => {
                let time = values + FLOAT_LEN;
                (float_at(bytes, time), time + FLOAT_LEN)
            }
            Version::Timeless => (Some(0.0), values + FLOAT_LEN),
        };
        let (Some(value), Some(unix_seconds)) = (value, unix_seconds) else {
            return Err(Damage::Entry { at });
        };
        let key = serde_json::from_slice(key).map_err(|_| Damage::Key { at })?;
        entries.push(Entry {
            key,
            value,
            unix_seconds,
        });
        at = next;
    }
    Ok(entries)
}

/// The key of the entry at `at`, and where its values are.
fn split(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let key_len = usize::try_from(int_at(bytes, at)?).ok()?;
    let from = at + LENGTH_LEN;
    let to = from.checked_add(key_len)?;
    let key = bytes.get(from..to)?;
    // At least one space: where the key ends at a multiple of 8, there are 8.
    Some((key, (to / ALIGNMENT + 1) * ALIGNMENT))
}

fn int_at(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn float_at(bytes: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with these keys and values, as prometheus_client writes it.
    fn file(entries: &[(&str, f64, f64)]) -> Vec<u8> {
        file_of(Version::Now, entries)
    }

    fn file_of(version: Version, entries: &[(&str, f64, f64)]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_LEN];
        for (key, value, unix_seconds) in entries {
            let key_len = i32::try_from(key.len()).unwrap();
            bytes.extend(key_len.to_ne_bytes());
            bytes.extend(key.bytes());
            bytes.push(b' ');
            bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), b' ');
            bytes.extend(value.to_ne_bytes());
            if version == Version::Now {
                bytes.extend(unix_seconds.to_ne_bytes());
            }
        }
        let used = i32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&used.to_ne_bytes());
        bytes.resize(4096, 0);
        bytes
    }

    #[test]
    fn keys_of_every_length_come_back() {
        // Each place of the key's end between two multiples of 8.
        let keys: Vec<String> = (0..16)
            .map(|len| format!(r#"["m","s",{{"l":"{}"}},"h"]"#, "ü".repeat(len)))
            .collect();
        let written: Vec<_> = keys.iter().map(|key| (&**key, 2.5, 7.0)).collect();
        let entries = read(&file(&written)).unwrap();
        assert_eq!(entries.len(), keys.len());
        let timeless = read(&file_of(Version::Timeless, &written)).unwrap();
        assert_eq!(timeless.len(), keys.len());
        let both = entries.iter().zip(&timeless).enumerate();
        for (len, (entry, timeless)) in both {
            assert_eq!((entry.value, entry.unix_seconds), (2.5, 7.0));
            assert_eq!((timeless.value, timeless.unix_seconds), (2.5, 0.0));
            assert_eq!(timeless.key, entry.key);
            assert_eq!((&*entry.key.metric, &*entry.key.sample), ("m", "s"));
            assert_eq!(entry.key.labels["l"], "ü".repeat(len));
            assert_eq!(entry.key.help, "h");
        }
        assert_eq!(read(&[]), Ok(Vec::new()));
        assert_eq!(read(&[0; 64]), Ok(Vec::new()));
    }

    #[test]
    fn a_file_that_is_cut_off_anywhere_is_refused() {
        cut_off(Version::Now, 0.0);
        cut_off(Version::Now, 1.8e9);
        cut_off(Version::Timeless, 0.0);
    }

    fn cut_off(version: Version, unix_seconds: f64) {
        let key = r#"["m","m_total",{},"h"]"#;
        let entries = [(key, 1.0, unix_seconds), (key, 2.0, unix_seconds)];
        let whole = file_of(version, &entries);
        let used = usize::try_from(int_at(&whole, 0).unwrap()).unwrap();
        for len in 1..used {
            let read = read(&whole[..len]);
            assert!(read.is_err(), "{len} bytes: {read:?}");
        }
        // What is behind it does not matter.
        assert_eq!(read(&whole[..used]), read(&whole));
        // An entry is not taken in parts, whatever is said to be in use. The first of them without
        // its time, or with the next eight bytes, is one of the other version with the same value.
        let second = 8 + (used - 8) / 2;
        let whole_ones = match version {
            Version::Now => [8, second, second - FLOAT_LEN],
            Version::Timeless => [8, second, second + FLOAT_LEN],
        };
        for said in (1..used).filter(|said| !whole_ones.contains(said)) {
            let mut bytes = whole.clone();
            bytes[..4].copy_from_slice(&i32::try_from(said).unwrap().to_ne_bytes());
            assert!(read(&bytes).is_err(), "{said} bytes in use");
        }
    }

    #[test]
    fn what_is_not_such_a_file_is_refused() {
        assert_eq!(read(b"abc"), Err(Damage::NoHeader { len: 3 }));
        let negative = (-1_i32).to_ne_bytes();
        assert!(matches!(
            read(&negative),
            Err(Damage::Used { used: -1, .. })
        ));
        assert!(read(b"SQLite format 3\0 and so on").is_err());
        for key in ["", "{}", r#"["m"]"#, r#"["m","s",{"l":1},"h"]"#, "\u{1}"] {
            let read = read(&file(&[(key, 1.0, 0.0)]));
            assert_eq!(read, Err(Damage::Key { at: 8 }), "{key}");
        }
        let mut key_too_long = file(&[(r#"["m","s",{},"h"]"#, 1.0, 0.0)]);
        for len in [i32::MAX, i32::MIN, -1, 2000] {
            key_too_long[8..12].copy_from_slice(&len.to_ne_bytes());
            assert_eq!(read(&key_too_long), Err(Damage::Entry { at: 8 }), "{len}");
        }
    }
}
