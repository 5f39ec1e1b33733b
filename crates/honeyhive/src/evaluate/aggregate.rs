//! How the values of a metric become one, here as at HoneyHive.

use super::statistics::percentile;
pub use crate::client::Aggregate;

/// Of sorted numbers; none of nothing, and none by a word that only HoneyHive knows.
pub(super) fn aggregate_of(aggregate: &Aggregate, sorted: &[f64]) -> Option<f64> {
    let sum = || sorted.iter().sum::<f64>();
    match aggregate {
        Aggregate::Count => Some(sorted.len() as f64),
        _ if sorted.is_empty() => None,
        Aggregate::Average => Some(sum() / sorted.len() as f64),
        Aggregate::Sum => Some(sum()),
        Aggregate::Min => percentile(sorted, 0.0),
        Aggregate::Max => percentile(sorted, 1.0),
        Aggregate::Median => percentile(sorted, 0.5),
        Aggregate::P90 => percentile(sorted, 0.9),
        Aggregate::P95 => percentile(sorted, 0.95),
        Aggregate::P99 => percentile(sorted, 0.99),
        Aggregate::Other(_) => None,
    }
}
