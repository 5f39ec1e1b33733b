//! The mean of numbers has an interval.

use super::level::{Interval, Level};
use super::student;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::evaluate) struct Moments {
    pub(in crate::evaluate) n: usize,
    pub(in crate::evaluate) mean: f64,
    /// The deviation; `None` for fewer than two numbers, or where it is too large for a number.
    pub(in crate::evaluate) deviation: Option<f64>,
}

/// Returns the mean; `None` for no numbers. Numbers whose sum is too large for a number have one, too.
pub(in crate::evaluate) fn mean(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    match values {
        [] => None,
        _ if mean.is_finite() => Some(mean),
        _ => Some(values.iter().map(|value| value / n).sum()),
    }
}

impl Moments {
    /// Returns mean and deviation; `None` for no numbers.
    pub(in crate::evaluate) fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        let mean = mean(values)?;
        let squares = values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>();
        let deviation = (n > 1).then(|| (squares / (n - 1) as f64).sqrt());
        Some(Self {
            n,
            mean,
            deviation: deviation.filter(|deviation| deviation.is_finite()),
        })
    }

    /// Returns the standard error of the mean.
    pub(in crate::evaluate) fn error(&self) -> Option<f64> {
        Some(self.deviation? / (self.n as f64).sqrt())
    }
}

/// Returns Student's interval of a mean; `None` for fewer than two numbers. Its ends are not clipped.
pub(in crate::evaluate) fn t_interval(values: &[f64], level: Level) -> Option<Interval> {
    let moments = Moments::of(values)?;
    let error = moments.error()?;
    let half = student::quantile(moments.n - 1, level) * error;
    Some(Interval::around(moments.mean, half))
        .filter(|it| it.low.is_finite() && it.high.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::statistics::close::assert_close;

    #[test]
    fn students_intervals_are_those_of_scipy() {
        let table: [(&[f64], [f64; 4]); 3] = [
            (
                &[0.8, 0.9, 0.85, 1.0, 0.4],
                [0.79, 0.230217288664, 0.504147480901, 1.0758525191],
            ),
            (
                &[1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0],
                [0.7, 0.48304589154, 0.354449785586, 1.04555021441],
            ),
            (
                &[3.0, 4.0, 4.0, 5.0, 2.0, 5.0, 4.0, 3.0, 4.0, 4.0, 5.0, 1.0],
                [3.66666666667, 1.23091490979, 2.8845806453, 4.44875268803],
            ),
        ];
        for (values, [mean, deviation, low, high]) in table {
            let moments = Moments::of(values).unwrap();
            assert_close(moments.mean, mean, 1e-9, "mean");
            assert_close(moments.deviation.unwrap(), deviation, 1e-9, "deviation");
            let interval = t_interval(values, Level::P95).unwrap();
            assert_close(interval.low, low, 1e-9, "low");
            assert_close(interval.high, high, 1e-9, "high");
        }
    }

    #[test]
    fn nothing_is_made_of_too_few_numbers_and_no_number_is_nan() {
        assert_eq!(Moments::of(&[]), None);
        assert_eq!(t_interval(&[], Level::P95), None);
        assert_eq!(t_interval(&[0.5], Level::P95), None);
        assert_eq!(
            t_interval(&[0.5; 3], Level::P95),
            Some(Interval::new(0.5, 0.5))
        );
        let far = Moments::of(&[1e9 + 0.1, 1e9 + 0.2, 1e9 + 0.4]).unwrap();
        assert!((far.deviation.unwrap() - 0.15275249455).abs() < 1e-6);
    }
}
