//! An aggregate makes one number of many.

use serde_json::Value;

/// `Aggregate` names the function that makes one value of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Aggregate {
    #[default]
    Average,
    Min,
    Max,
    Median,
    P90,
    P95,
    P99,
    Sum,
    Count,
}

const NAMES: [(&str, Aggregate); 9] = [
    ("average", Aggregate::Average),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
    ("median", Aggregate::Median),
    ("p90", Aggregate::P90),
    ("p95", Aggregate::P95),
    ("p99", Aggregate::P99),
    ("sum", Aggregate::Sum),
    ("count", Aggregate::Count),
];

impl Aggregate {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut names = NAMES.iter();
        let found = names.find(|(known, _)| *known == name);
        found.map(|(_, aggregate)| *aggregate)
    }

    pub(crate) fn name(self) -> &'static str {
        let mut names = NAMES.iter();
        let found = names.find(|(_, aggregate)| *aggregate == self);
        found.map_or("average", |(name, _)| name)
    }

    /// Returns the aggregate of some values; no values have only a count and a sum.
    pub(crate) fn of(self, values: &[f64]) -> Option<f64> {
        let count = values.len() as f64;
        match self {
            Self::Count => return Some(count),
            Self::Sum => return Some(values.iter().sum()),
            _ if values.is_empty() => return None,
            _ => {}
        }
        Some(match self {
            Self::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Median => percentile(values, 0.5),
            Self::P90 => percentile(values, 0.9),
            Self::P95 => percentile(values, 0.95),
            Self::P99 => percentile(values, 0.99),
            Self::Average | Self::Sum | Self::Count => values.iter().sum::<f64>() / count,
        })
    }
}

/// Returns the value below which a share of the values lies, interpolated between its neighbours.
fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

/// Returns a metric as a number: a boolean is 1 or 0, and a text is `None`.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        other => other.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::Aggregate;

    #[test]
    fn each_aggregate_is_what_its_name_says() {
        let values = [4.0, 1.0, 3.0, 2.0];
        for (name, expected) in [
            ("average", 2.5),
            ("min", 1.0),
            ("max", 4.0),
            ("median", 2.5),
            ("p90", 3.7),
            ("p95", 3.85),
            ("p99", 3.97),
            ("sum", 10.0),
            ("count", 4.0),
        ] {
            let aggregate = Aggregate::named(name).expect("it is known");
            assert_eq!(aggregate.name(), name);
            let found = aggregate.of(&values).expect("there are values");
            assert!((found - expected).abs() < 1e-9, "{name}: {found}");
        }
        assert_eq!(Aggregate::Average.of(&[]), None);
        assert_eq!(Aggregate::Count.of(&[]), Some(0.0));
        assert_eq!(Aggregate::Median.of(&[7.0]), Some(7.0));
        assert_eq!(Aggregate::named("mean"), None);
    }
}
