//! [`milliseconds`] counts a time as HoneyHive and the conventions for models do.

use std::time::Duration;

/// Returns the time in milliseconds, rounded to the nearest microsecond: three digits behind the point at the most.
pub(crate) const fn milliseconds(time: Duration) -> f64 {
    // The whole microseconds fit into 64 bits, of which processors have instructions, and below 285 years into an f64.
    let whole = time.as_secs().saturating_mul(1_000_000);
    let rounded = (time.subsec_nanos() + 500) / 1_000;
    whole.saturating_add(rounded as u64) as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_to_the_nearest_microsecond() {
        for (time, expected) in [
            (Duration::ZERO, 0.0),
            (Duration::from_nanos(499), 0.0),
            (Duration::from_nanos(500), 0.001),
            (Duration::from_micros(1_234), 1.234),
            (Duration::from_nanos(999_999_500), 1_000.0),
            // The time is one of today, since 1970.
            (
                Duration::from_micros(1_796_042_079_123_457),
                1_796_042_079_123.457,
            ),
        ] {
            assert_eq!(milliseconds(time), expected, "{time:?}");
        }
        assert!(milliseconds(Duration::MAX) > 1e16);
    }
}
