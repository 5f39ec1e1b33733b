//! [`Level`] says how sure an [`Interval`] is.

use serde::{Deserialize, Serialize};

/// A `Level` is the confidence level of an interval (default: 95 %).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Level {
    /// The level is 90 %.
    P90,
    /// The level is 95 %.
    #[default]
    P95,
    /// The level is 99 %.
    P99,
}

impl Level {
    /// Returns the share of intervals that hold the true value: 0.9, 0.95 or 0.99.
    #[must_use]
    pub const fn share(self) -> f64 {
        match self {
            Self::P90 => 0.9,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
        }
    }

    /// Returns the normal distribution's two-sided quantile.
    pub(super) const fn z(self) -> f64 {
        match self {
            Self::P90 => 1.644_853_626_951_472_2,
            Self::P95 => 1.959_963_984_540_054,
            Self::P99 => 2.575_829_303_548_900_4,
        }
    }
}

/// An `Interval` holds the true value as often as its [`Level`] says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    pub(in crate::evaluate) const fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    pub(super) fn around(middle: f64, half: f64) -> Self {
        Self::new(middle - half, middle + half)
    }
}
