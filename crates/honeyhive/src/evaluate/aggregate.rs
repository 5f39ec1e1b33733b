//! HoneyHive's own functions aggregate a metric's values into one.

use super::statistics::{mean, percentile};
pub use crate::client::Aggregate;

/// Aggregates sorted numbers; `None` for no numbers, for a sum that is too large, and for a function that only
/// HoneyHive knows.
pub(super) fn aggregate_of(aggregate: &Aggregate, sorted: &[f64]) -> Option<f64> {
    match aggregate {
        Aggregate::Count => Some(sorted.len() as f64),
        _ if sorted.is_empty() => None,
        Aggregate::Average => mean(sorted),
        Aggregate::Sum => Some(sorted.iter().sum::<f64>()).filter(|sum| sum.is_finite()),
        Aggregate::Min => percentile(sorted, 0.0),
        Aggregate::Max => percentile(sorted, 1.0),
        Aggregate::Median => percentile(sorted, 0.5),
        Aggregate::P90 => percentile(sorted, 0.9),
        Aggregate::P95 => percentile(sorted, 0.95),
        Aggregate::P99 => percentile(sorted, 0.99),
        Aggregate::Other(_) => None,
    }
}
