//! Percentiles have intervals, too.

use super::level::{Interval, Level};

/// Returns the linear percentile ("type 7") of sorted numbers; `None` for no numbers.
pub(in crate::evaluate) fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = share.clamp(0.0, 1.0) * last as f64;
    let below = at.floor();
    let index = below as usize;
    let (value, next) = (sorted[index], sorted[(index + 1).min(last)]);
    let (part, step) = (at - below, next - value);
    // The difference of two numbers may be too large for a number.
    Some(if step.is_finite() {
        value + part * step
    } else {
        (1.0 - part) * value + part * next
    })
}

/// Returns the interval of a percentile from the order of sorted numbers, whatever their distribution; `None` for too
/// few numbers.
pub(in crate::evaluate) fn percentile_interval(
    sorted: &[f64],
    share: f64,
    level: Level,
) -> Option<Interval> {
    let n = sorted.len() as f64;
    let half = level.z() * (n * share * (1.0 - share)).sqrt();
    let (low, high) = ((n * share - half).floor(), (n * share + half).ceil());
    if low < 1.0 || high > n {
        return None;
    }
    Some(Interval::new(
        sorted[low as usize - 1],
        sorted[high as usize - 1],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::statistics::close::assert_close;

    #[test]
    fn percentiles_are_linear() {
        let mut values = [12.0, 15.0, 11.0, 30.0, 22.0, 18.0, 95.0, 14.0, 16.0, 17.0];
        values.sort_by(f64::total_cmp);
        for (share, expected) in [(0.5, 16.5), (0.9, 36.5), (0.95, 65.75), (0.99, 89.15)] {
            assert_close(
                percentile(&values, share).unwrap(),
                expected,
                1e-12,
                "percentile",
            );
        }
        assert_eq!(percentile(&[], 0.5), None);
        assert_eq!(percentile(&[3.0], 0.99), Some(3.0));
    }

    #[test]
    fn few_numbers_say_nothing_of_a_high_percentile() {
        let values: Vec<f64> = (1..=1000).map(f64::from).collect();
        assert_eq!(percentile_interval(&values[..20], 0.95, Level::P95), None);
        let interval = percentile_interval(&values, 0.95, Level::P95).unwrap();
        assert_eq!((interval.low, interval.high), (936.0, 964.0));
    }
}
