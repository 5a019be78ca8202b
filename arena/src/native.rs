//! What a program asks for when it declares a native histogram.

use crate::exponential::{SCHEMAS, bound, coarser, has_bound, index_of};
use crate::window::Window;

/// The buckets that a native histogram is to have: exponential ones, from the lowest value to
/// the highest that is expected.
///
/// A series takes `(buckets + 4) / 3` slots of the board, rounded up, for its whole life: 128
/// buckets, which the default has, take 44. There can be 188 buckets, or 94 on each side with
/// negative values.
///
/// What is nearer to 0 than the lowest bucket is counted in the zero bucket. What is above the
/// highest is shown in that one, and how many these are can be read
/// ([`NativeCounts::above`](crate::NativeCounts::above)); so it is with NaN. What is below the
/// lowest negative bucket, or below the zero bucket where no negative values were asked for, is
/// shown there, and can be read in the same way.
///
/// # Examples
/// ```
/// # let board = tallyboard::Board::open(&tallyboard::Location::Private)?;
/// use tallyboard::Native;
/// // From 1 kB to 4 GB, each bound 19 % above the one before.
/// let sizes = board.histogram("upload_bytes", "Size of an upload.")
///     .native(Native::new().schema(2).range(1e3, 4e9))
///     .register()?;
/// sizes.observe(65_536.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Native {
    schema: i8,
    lowest: f64,
    highest: f64,
    is_signed: bool,
}

impl Native {
    /// For seconds: schema 3, from a millisecond to 64 seconds, nothing negative.
    pub const fn new() -> Native {
        Native {
            schema: 3,
            lowest: 0.001,
            highest: 64.0,
            is_signed: false,
        }
    }

    /// How fine the buckets are, from -4 to 8: each bound is 2^(2^-schema) times the one before.
    /// 0 doubles, 3 is 9 % apart, 8 is 0.3 %.
    pub const fn schema(mut self, schema: i8) -> Native {
        self.schema = schema;
        self
    }

    /// The values that are to have buckets of their own, at least from `lowest` to `highest`.
    pub const fn range(mut self, lowest: f64, highest: f64) -> Native {
        self.lowest = lowest;
        self.highest = highest;
        self
    }

    /// Buckets for negative values too: the same range, mirrored. OpenMetrics shows no sum of
    /// such a histogram while it is negative.
    pub const fn with_negative(mut self) -> Native {
        self.is_signed = true;
        self
    }

    /// The window of buckets, or what is wrong and what to do.
    pub(crate) fn window(&self) -> Result<Window, String> {
        let Native {
            schema,
            lowest,
            highest,
            is_signed,
        } = *self;
        if !SCHEMAS.contains(&schema) {
            return Err(format!(
                "the schema of native buckets is a number from -4 to 8, and not {schema}"
            ));
        }
        let is_normal = lowest.is_normal() && highest.is_normal();
        if !is_normal || lowest < 0.0 || highest < lowest {
            return Err(format!(
                "the range of native buckets is from {lowest:?} to {highest:?}: it must begin above 0, and end where it begins or above"
            ));
        }
        let (first, last) = indexes(lowest, highest, schema);
        if !has_bound(first - 1, schema) || !has_bound(last, schema) {
            return Err(format!(
                "native buckets at schema {schema} for {lowest:?} to {highest:?} would reach beyond 2^-1022 to 2^1023: choose a smaller range"
            ));
        }
        let most = Window::most_buckets(is_signed);
        let count = |schema| {
            let (first, last) = indexes(lowest, highest, schema);
            (last - first) as usize + 1
        };
        if count(schema) > most {
            let finest = SCHEMAS.take_while(|schema| count(*schema) <= most).last();
            let coarser = finest.map_or(String::new(), |finest| {
                format!("a schema of at most {finest}, or ")
            });
            let sides = if is_signed { " on each side" } else { "" };
            return Err(format!(
                "{} native buckets{sides} from {lowest:?} to {highest:?} at schema {schema}, and a series has room for {most}: choose {coarser}a highest value of at most {:?}",
                count(schema),
                bound(first + most as i32 - 1, schema),
            ));
        }
        let buckets = count(schema) as u16;
        // All that it asks was asked above.
        Window::new(schema, is_signed, buckets, first).ok_or_else(|| "no such window".to_owned())
    }
}

/// Of the buckets that hold these two values, which are normal and above 0.
fn indexes(lowest: f64, highest: f64, schema: i8) -> (i32, i32) {
    let index = |value: f64| index_of(value.to_bits(), coarser(schema));
    (index(lowest), index(highest))
}

impl Default for Native {
    fn default() -> Self {
        Native::new()
    }
}

/// What makes this window again: for who joins a histogram that is on the board.
impl From<Window> for Native {
    fn from(window: Window) -> Native {
        let lowest = window.bound(window.first_index());
        Native {
            schema: window.schema(),
            // An upper bound is in its bucket.
            lowest: lowest.unwrap_or_else(|| window.highest()),
            highest: window.highest(),
            is_signed: window.is_signed(),
        }
    }
}

#[cfg(all(test, not(arena_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_is_a_millisecond_to_a_minute_in_44_slots() {
        let window = Native::new().window().unwrap();
        assert_eq!((window.schema(), window.counts() + 1), (3, 44 * 3));
        assert_eq!(window.zero_threshold(), 0.000_976_562_5);
        assert_eq!(window.highest(), 64.0);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_does() {
        let why = |native: Native| native.window().unwrap_err();
        let wide = Native::new().range(1e-6, 1e3);
        let words = why(wide);
        assert!(words.contains("240 native buckets"), "{words}");
        assert!(words.contains("a schema of at most 2,"), "{words}");
        assert!(wide.schema(2).window().is_ok());
        let (_, highest) = words.rsplit_once("at most ").unwrap();
        let highest: f64 = highest.parse().unwrap();
        assert!(wide.range(1e-6, highest).window().is_ok());
        assert!(wide.range(1e-6, highest.next_up()).window().is_err());
        let words = why(wide.schema(2).with_negative());
        assert!(
            words.contains("on each side") && words.contains("at most 1,"),
            "{words}"
        );
        assert!(why(Native::new().schema(9)).contains("not 9"));
        assert!(why(Native::new().schema(-5)).contains("not -5"));
        for (lowest, highest) in [
            (0.0, 1.0),
            (-1.0, 1.0),
            (2.0, 1.0),
            (1.0, f64::INFINITY),
            (f64::NAN, 1.0),
            (1.0, f64::NAN),
            (5e-324, 1.0),
        ] {
            let words = why(Native::new().range(lowest, highest));
            assert!(words.contains("must begin above 0"), "{words}");
        }
        let words = why(Native::new().schema(-4).range(f64::MIN_POSITIVE, 1.0));
        assert!(words.contains("beyond"), "{words}");
        let words = why(Native::new().range(1e300, f64::MAX));
        assert!(words.contains("beyond"), "{words}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Who joins a histogram that is on the board must not make another definition of it.
        #[test]
        fn a_window_asks_for_itself(
            schema in SCHEMAS,
            lowest in -300.0..300.0_f64,
            doublings in 0.0..100.0_f64,
            is_signed: bool,
        ) {
            let lowest = lowest.exp2();
            let mut native = Native::new().schema(schema).range(lowest, lowest * doublings.exp2());
            native.is_signed = is_signed;
            if let Ok(window) = native.window() {
                prop_assert!(window.zero_threshold() < lowest && native.highest <= window.highest());
                prop_assert_eq!(Native::from(window).window(), Ok(window));
            }
        }
    }
}
