//! Bounds for histograms.

/// The default bounds of most Prometheus clients, for seconds of a request: 5 ms to 10 s. The
/// Python package has `prometheus_client`'s, which are others: where both count in one histogram,
/// its bounds have to be said.
pub const DEFAULT: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// `count` bounds from `start`, each `width` above the one before.
///
/// # Examples
/// ```
/// assert_eq!(tallyboard::buckets::linear(1.0, 2.0, 3), [1.0, 3.0, 5.0]);
/// ```
pub fn linear(start: f64, width: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| start + width * i as f64).collect()
}

/// `count` bounds from `start`, each `factor` times the one before.
///
/// # Examples
/// ```
/// assert_eq!(tallyboard::buckets::exponential(1.0, 10.0, 3), [1.0, 10.0, 100.0]);
/// ```
pub fn exponential(start: f64, factor: f64, count: usize) -> Vec<f64> {
    core::iter::successors(Some(start), |bound| Some(bound * factor))
        .take(count)
        .collect()
}
