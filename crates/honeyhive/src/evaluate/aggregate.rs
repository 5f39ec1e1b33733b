//! [`Aggregate`]: how the values of a metric become one.

use super::statistics::percentile;

/// How the values of a metric become one, here and on the server (default: the average).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Aggregate {
    /// The mean.
    #[default]
    Average,
    /// The sum.
    Sum,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The middle one.
    Median,
    /// The 90th percentile.
    P90,
    /// The 95th percentile.
    P95,
    /// The 99th percentile.
    P99,
    /// Their number.
    Count,
}

impl Aggregate {
    /// The word that HoneyHive has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Median => "median",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Count => "count",
        }
    }

    /// Of sorted numbers; none of nothing, but for their count.
    pub(super) fn of(self, sorted: &[f64]) -> Option<f64> {
        let sum = || sorted.iter().sum::<f64>();
        match self {
            Self::Count => Some(sorted.len() as f64),
            _ if sorted.is_empty() => None,
            Self::Average => Some(sum() / sorted.len() as f64),
            Self::Sum => Some(sum()),
            Self::Min => percentile(sorted, 0.0),
            Self::Max => percentile(sorted, 1.0),
            Self::Median => percentile(sorted, 0.5),
            Self::P90 => percentile(sorted, 0.9),
            Self::P95 => percentile(sorted, 0.95),
            Self::P99 => percentile(sorted, 0.99),
        }
    }
}
