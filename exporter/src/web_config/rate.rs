//! How many requests are answered.
//!
//! A bucket of `burst` tokens, one of which comes back every `interval`; a request takes one.
//! It is this small, and has to behave exactly as Go's `rate.Limiter` does for
//! exporter-toolkit, so it is not worth a crate and that crate's dozen.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::file;

/// What the file asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) interval: Duration,
    pub(super) burst: u32,
}

impl Rate {
    /// `None` where there is no limit: no section, or an interval of 0.
    ///
    /// # Errors
    ///
    /// No duration, or a limit that no request would pass.
    pub(super) fn checked(given: &file::RateLimit) -> Result<Option<Self>, String> {
        let Some(interval) = &given.interval else {
            return match given.burst {
                None => Ok(None),
                Some(_) => {
                    Err("rate_limit.burst: has no effect without rate_limit.interval".into())
                }
            };
        };
        let interval =
            go_duration(interval).map_err(|problem| format!("rate_limit.interval: {problem}"))?;
        match given.burst.unwrap_or(0) {
            _ if interval.is_zero() => Ok(None),
            0 => Err("rate_limit.burst: must be 1 or more, or no request would be answered".into()),
            burst => Ok(Some(Self { interval, burst })),
        }
    }
}

/// A duration as Go writes it: `1s`, `1m30s`, `250ms`; `0` needs no unit.
fn go_duration(text: &str) -> Result<Duration, String> {
    let refused = || format!("`{text}` is not a duration such as 1s, 250ms or 1m30s");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while {
        let unit_at = rest.find(|c: char| c != '.' && !c.is_ascii_digit());
        let (number, after) = rest.split_at(unit_at.ok_or_else(refused)?);
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit());
        let (unit, after) = after.split_at(end.unwrap_or(after.len()));
        let unit_seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(refused()),
        };
        let number: f64 = number.parse().map_err(|_| refused())?;
        let part = Duration::try_from_secs_f64(number * unit_seconds).map_err(|_| refused())?;
        total = total.checked_add(part).ok_or_else(refused)?;
        rest = after;
        !rest.is_empty()
    } {}
    Ok(total)
}

/// The bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) rate: Rate,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(rate: Rate, now: Instant) -> Self {
        let level = Level {
            tokens: f64::from(rate.burst),
            at: now,
        };
        Self {
            rate,
            level: Mutex::new(level),
        }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(level.at);
        let back = passed.as_secs_f64() / self.rate.interval.as_secs_f64();
        level.tokens = (level.tokens + back).min(f64::from(self.rate.burst));
        level.at = level.at.max(now);
        let enough = level.tokens >= 1.0;
        if enough {
            level.tokens -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_an_interval() {
        let begun = Instant::now();
        let rate = Rate {
            interval: Duration::from_secs(1),
            burst: 2,
        };
        let bucket = Bucket::new(rate, begun);
        let at = |millis| begun + Duration::from_millis(millis);
        let taken = [0, 0, 0, 900, 1000, 1001, 60_000, 60_000, 60_000].map(|t| bucket.take(at(t)));
        let expected = [true, true, false, false, true, false, true, true, false];
        assert_eq!(taken, expected);
        assert!(!bucket.take(begun), "a clock that goes back gives nothing");
    }

    #[test]
    fn durations_of_go() {
        for (text, millis) in [
            ("0", 0),
            ("0s", 0),
            ("1s", 1000),
            ("1m30.5s", 90_500),
            ("250ms", 250),
        ] {
            assert_eq!(
                go_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in ["", "1", "s", "1d", "-1s", "1s2", "1 s", "..s", "1e400h"] {
            assert!(go_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_no_request_would_pass_is_refused_by_name() {
        let checked = |interval: Option<&str>, burst| {
            Rate::checked(&file::RateLimit {
                interval: interval.map(str::to_owned),
                burst,
            })
        };
        assert_eq!(checked(None, None), Ok(None));
        assert_eq!(checked(Some("0"), Some(3)), Ok(None));
        assert!(matches!(checked(Some("1s"), Some(3)), Ok(Some(_))));
        for (interval, burst, name) in [
            (Some("1s"), None, "rate_limit.burst"),
            (Some("1s"), Some(0), "rate_limit.burst"),
            (None, Some(3), "rate_limit.burst"),
            (Some("5"), Some(3), "rate_limit.interval"),
        ] {
            assert!(checked(interval, burst).unwrap_err().starts_with(name));
        }
    }
}
