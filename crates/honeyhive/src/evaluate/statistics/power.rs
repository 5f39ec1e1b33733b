//! Statistical power tells the difference that a number of datapoints can show.

/// `BOTH` is the sum of the normal quantiles for a level of 95 % and a power of 80 %: 1.96 + 0.84.
const BOTH: f64 = 2.801_585_218_112_969;

/// Returns the smallest true difference of means that `n` pairs show four times of five, where the differences have this
/// standard deviation. The result is `None` for no pairs.
///
/// ```
/// use honeyhive::evaluate::smallest_difference;
///
/// // Half of the answers change by a point: with 50 datapoints a difference below 0.28 stays in the dark.
/// let smallest = smallest_difference(0.7, 50).expect("more than none");
/// assert!((smallest - 0.277).abs() < 0.001);
/// ```
#[must_use]
pub fn smallest_difference(deviation: f64, n: usize) -> Option<f64> {
    (n > 0).then(|| BOTH * deviation / (n as f64).sqrt())
}

/// Returns how many datapoints show a true difference of means four times of five, where the differences have this
/// standard deviation. `None` where the difference is zero.
///
/// ```
/// use honeyhive::evaluate::datapoints_needed;
///
/// assert_eq!(datapoints_needed(0.7, 0.1), Some(385));
/// ```
#[must_use]
pub fn datapoints_needed(deviation: f64, difference: f64) -> Option<usize> {
    let needed = (BOTH * deviation / difference).powi(2).ceil();
    (needed.is_finite() && difference != 0.0).then_some(needed as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_datapoints_that_are_needed_show_the_difference() {
        let needed = datapoints_needed(0.5, 0.05).unwrap();
        assert!(smallest_difference(0.5, needed).unwrap() <= 0.05);
        assert!(smallest_difference(0.5, needed - 1).unwrap() > 0.05);
        assert_eq!(smallest_difference(0.5, 0), None);
        assert_eq!(datapoints_needed(0.5, 0.0), None);
    }
}
