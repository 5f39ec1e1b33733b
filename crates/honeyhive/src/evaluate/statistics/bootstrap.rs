//! The percentile bootstrap gives the interval of a mean of skewed numbers.

use super::level::{Interval, Level};
use super::mean::{Moments, mean};
use super::percentile::percentile;
use crate::evaluate::splitmix::SplitMix64;

const DRAWS: usize = 10_000;
const SEED: u64 = 42;

/// Returns interval and standard error of a mean; `None` for fewer than two numbers. The draws are the same on every
/// platform.
pub(in crate::evaluate) fn bootstrap(values: &[f64], level: Level) -> Option<(Interval, f64)> {
    if values.len() < 2 {
        return None;
    }
    let mut random = SplitMix64::new(SEED);
    let mut draw = || {
        let drawn = (0..values.len()).map(|_| values[random.index(values.len())]);
        mean(&drawn.collect::<Vec<_>>())
    };
    let mut means: Vec<f64> = (0..DRAWS).filter_map(|_| draw()).collect();
    means.sort_by(f64::total_cmp);
    let outside = (1.0 - level.share()) / 2.0;
    let low = percentile(&means, outside)?;
    let high = percentile(&means, 1.0 - outside)?;
    // The deviation is that of all draws, not of a sample of them.
    let of_all = ((DRAWS - 1) as f64 / DRAWS as f64).sqrt();
    Some((
        Interval::new(low, high),
        Moments::of(&means)?.deviation? * of_all,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::statistics::close::assert_close;

    #[test]
    fn the_bootstrap_is_the_same_everywhere() {
        let table: [(&[f64], [f64; 3]); 4] = [
            (&[0.8, 0.9, 0.85, 1.0, 0.4], [0.58, 0.94, 0.0927698045217]),
            (
                &[1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0],
                [0.4, 1.0, 0.143909476755],
            ),
            (
                &[1.0, 0.0, -1.0, 2.0, 1.0, 0.0, 1.0, 1.0, -1.0, 0.0, 2.0, 1.0],
                [0.0, 1.08333333333, 0.273387758682],
            ),
            (
                &[12.0, 15.0, 11.0, 30.0, 22.0, 18.0, 95.0, 14.0, 16.0, 17.0],
                [14.9, 41.8, 7.57324180963],
            ),
        ];
        for (values, [low, high, error]) in table {
            let (interval, found) = bootstrap(values, Level::P95).unwrap();
            assert!(
                (interval.low - low).abs() < 1e-9,
                "{interval:?} does not begin at {low}"
            );
            assert_close(interval.high, high, 1e-9, "high");
            assert_close(found, error, 1e-9, "standard error");
        }
        assert_eq!(bootstrap(&[1.0], Level::P95), None);
    }
}
