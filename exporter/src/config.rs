//! Values that are given as text on the command line.

use std::fs;
use std::time::Duration;

/// Reads a file mode in octal: `0660`, `660`, `0o660`.
///
/// # Errors
///
/// Not octal, or more than permission bits.
pub fn parse_mode(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    match u32::from_str_radix(digits, 8) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        _ => Err("expected permission bits in octal, such as 0660".to_owned()),
    }
}

/// Reads how many of something a board is to have.
///
/// # Errors
///
/// Not a whole number, negative, or too large for any board.
pub fn parse_count(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| "expected a whole number such as 16384".to_owned())
}

/// Reads how many series a metric may have.
///
/// # Errors
///
/// Not a whole number, or negative.
pub fn parse_cap(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "expected a whole number such as 1000, or 0 for any number".to_owned())
}

/// Reads how many scrapes may be answered at once.
///
/// # Errors
///
/// Not a whole number, or negative.
pub fn parse_max_requests(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| "expected a whole number such as 40, or 0 for no limit".to_owned())
}

/// Reads a ratio.
///
/// # Errors
///
/// Not a number, or negative.
pub fn parse_ratio(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(ratio) if ratio >= 0.0 => Ok(ratio),
        _ => Err("expected a number such as 0.3, not negative".to_owned()),
    }
}

/// Reads a group, by number or by its name in `/etc/group`.
///
/// # Errors
///
/// No such group. Groups that only a directory service knows have to be given by number.
pub fn parse_group(text: &str) -> Result<u32, String> {
    if let Ok(gid) = text.parse() {
        return Ok(gid);
    }
    let groups =
        fs::read_to_string("/etc/group").map_err(|error| format!("/etc/group: {error}"))?;
    find_group(&groups, text)
        .ok_or_else(|| "not in /etc/group; give the number that `getent group` prints".to_owned())
}

/// The number of `name` in the text of a group file: `name:password:number:members`.
fn find_group(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        found.then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

/// Reads a duration: `30s`, `500ms`, `2m`, `1h`, `7d`; without a unit, seconds. Fractions are allowed.
///
/// # Errors
///
/// Neither, or negative.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a duration such as 30s, 500ms or 2m".to_owned();
    let unit_at = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit_seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(expected()),
    };
    let number: f64 = number.parse().map_err(|_| expected())?;
    Duration::try_from_secs_f64(number * unit_seconds).map_err(|_| expected())
}

/// Reads after how long a series expires: a [duration](parse_duration) of a second or more.
///
/// # Errors
///
/// None, or a shorter one.
pub fn parse_ttl(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        ttl if ttl >= Duration::from_secs(1) => Ok(ttl),
        _ => Err("expected a second or more".to_owned()),
    }
}

/// Reads how often something is done: a [duration](parse_duration) of a tenth of a second or more.
///
/// # Errors
///
/// None, or a shorter one.
pub fn parse_interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        interval if interval >= Duration::from_millis(100) => Ok(interval),
        _ => Err("expected 100ms or more".to_owned()),
    }
}

/// Reads the path that metrics are served at.
///
/// # Errors
///
/// It does not begin with a slash, or it is one of the exporter's other pages.
pub fn parse_telemetry_path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') || text.contains(['?', '#', ' ']) {
        return Err("expected a path such as /metrics".to_owned());
    }
    if text.starts_with("/-/") {
        return Err("paths below /-/ are for health checks".to_owned());
    }
    if text.starts_with("/api/") {
        return Err("paths below /api/ are for the page at /".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        for text in ["0660", "660", "0o660"] {
            assert_eq!(parse_mode(text), Ok(0o660));
        }
        for text in ["", "rw", "0888", "4755", "-1"] {
            assert!(parse_mode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_and_ratios() {
        assert_eq!(parse_count("128"), Ok(128));
        assert_eq!(parse_ratio("0.3"), Ok(0.3));
        for text in ["", "-1", "many", "NaN"] {
            assert!(parse_count(text).is_err() && parse_ratio(text).is_err());
        }
    }

    #[test]
    fn groups() {
        let file = "root:x:0:\nmetrics:x:993:alice,bob\nbroken\nworse:x:many:\n";
        assert_eq!(find_group(file, "metrics"), Some(993));
        assert_eq!(find_group(file, "metric"), None);
        assert_eq!(find_group(file, "broken"), None);
        assert_eq!(find_group(file, "worse"), None);
        assert_eq!(parse_group("1000"), Ok(1000));
    }

    #[test]
    fn durations() {
        let millis = |text| parse_duration(text).map(|duration| duration.as_millis());
        assert_eq!(millis("30s"), Ok(30_000));
        assert_eq!(millis("1.5"), Ok(1_500));
        assert_eq!(millis("250ms"), Ok(250));
        assert_eq!(millis("2m"), Ok(120_000));
        assert_eq!(millis("1d"), Ok(86_400_000));
        assert!(parse_ttl("1s").is_ok() && parse_ttl("900ms").is_err());
        assert!(parse_interval("100ms").is_ok() && parse_interval("99ms").is_err());
        for text in ["", "s", "-1s", "3 days", "1w", "infs"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn telemetry_paths() {
        assert_eq!(parse_telemetry_path("/m"), Ok("/m".to_owned()));
        for text in ["", "metrics", "/-/ready", "/api/board", "/m?x"] {
            assert!(parse_telemetry_path(text).is_err(), "{text}");
        }
    }
}
