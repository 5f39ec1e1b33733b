//! A gate judges an estimate and its interval.

use std::fmt;

use super::statistics::Interval;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    pub(super) estimate: f64,
    pub(super) interval: Option<Interval>,
    /// The numerator and denominator of a share.
    of: Option<(usize, usize)>,
}

impl Measured {
    pub(super) const fn new(estimate: f64, interval: Option<Interval>) -> Option<Self> {
        Some(Self {
            estimate,
            interval,
            of: None,
        })
    }

    /// Returns a share; `None` where `n` is zero.
    pub(super) fn share(hits: usize, n: usize, interval: Option<Interval>) -> Option<Self> {
        (n > 0).then(|| Self {
            estimate: hits as f64 / n as f64,
            interval,
            of: Some((hits, n)),
        })
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.4}", self.estimate)?;
        if let Some((hits, n)) = self.of {
            write!(formatter, ", {hits} of {n}")?;
        }
        match self.interval {
            Some(Interval { low, high }) => write!(formatter, ", {low:.4} to {high:.4}"),
            None => Ok(()),
        }
    }
}
