//! Series that come and go, each with an amount of its own, so that an update in the wrong one shows in the value.

/// The counter's name; its label is `number`.
pub const PASSING: &str = "passing_total";

/// The only amount that is ever added to the series with this number: odd, and below 2⁴⁰.
pub fn amount(number: u64) -> u64 {
    // Steele, Lea and Flood's SplitMix64, 2014: numbers in a row have amounts that are far apart.
    let mut mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed >> 25) | (1 << 39) | 1
}

/// Whether this can be the value of the series with this number: some times its amount. By chance another's amount
/// would be taken for it once in 2³⁹ times.
pub fn is_made_of(value: u64, number: u64) -> bool {
    value.is_multiple_of(amount(number))
}

/// As [`PASSING`], of a histogram with the default buckets.
pub const PASSING_SECONDS: &str = "passing_seconds";

/// The only bucket that the series with this number of the histogram is ever observed in, by its upper bound.
pub fn bucket(number: u64) -> usize {
    number as usize % tallyboard::buckets::DEFAULT.len()
}
