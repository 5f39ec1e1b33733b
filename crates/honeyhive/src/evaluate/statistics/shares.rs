//! A share has Wilson's interval.

use super::level::{Interval, Level};

/// Returns Wilson's interval of `hits` in `n`; `None` where `n` is zero.
pub(in crate::evaluate) fn wilson(hits: usize, n: usize, level: Level) -> Option<Interval> {
    if n == 0 {
        return None;
    }
    let (z, count) = (level.z(), n as f64);
    let share = hits as f64 / count;
    let z2 = z * z / count;
    let middle = (share + z2 / 2.0) / (1.0 + z2);
    let half = z / (1.0 + z2) * (share * (1.0 - share) / count + z2 / (4.0 * count)).sqrt();
    // Rounding must not move an interval away from 0 or 1.
    let low = if hits == 0 { 0.0 } else { middle - half };
    let high = if hits == n { 1.0 } else { middle + half };
    Some(Interval::new(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::statistics::close::assert_close;

    #[test]
    fn wilsons_intervals_are_those_of_statsmodels() {
        let table = [
            (Level::P95, 0, 1, 0.0, 0.793450685623),
            (Level::P95, 1, 1, 0.206549314377, 1.0),
            (Level::P95, 0, 10, 0.0, 0.277532799863),
            (Level::P95, 10, 10, 0.722467200137, 1.0),
            (Level::P95, 8, 10, 0.490162471537, 0.943317848546),
            (Level::P95, 1, 29, 0.00611321429276, 0.171755218793),
            (Level::P95, 0, 20, 0.0, 0.161125158053),
            (Level::P95, 15, 148, 0.0623863995307, 0.160487241723),
            (Level::P95, 81, 263, 0.255288519878, 0.366209576983),
            (Level::P95, 50, 100, 0.403831530366, 0.596168469634),
            (Level::P95, 500, 1000, 0.469069600368, 0.530930399632),
            (Level::P95, 999, 1000, 0.994357441402, 0.999823453629),
            (Level::P90, 8, 10, 0.540792805687, 0.931442012262),
            (Level::P90, 81, 263, 0.263313617188, 0.356566349608),
            (Level::P99, 8, 10, 0.400818696522, 0.959868847495),
            (Level::P99, 81, 263, 0.240136902688, 0.385282502318),
        ];
        for (level, hits, n, low, high) in table {
            let interval = wilson(hits, n, level).unwrap();
            let what = format!("{hits}/{n} at {level:?}");
            assert_close(interval.low, low, 1e-9, &what);
            assert_close(interval.high, high, 1e-9, &what);
        }
        assert_eq!(wilson(0, 0, Level::P95), None);
    }

    #[test]
    fn intervals_hold_the_share_widen_with_the_level_and_mirror() {
        for n in 1..=60_usize {
            for hits in 0..=n {
                let [narrow, middle, wide] = [Level::P90, Level::P95, Level::P99]
                    .map(|level| wilson(hits, n, level).unwrap());
                let share = hits as f64 / n as f64;
                assert!(middle.low <= share && share <= middle.high);
                assert!(wide.low <= middle.low && middle.low <= narrow.low);
                assert!(narrow.high <= middle.high && middle.high <= wide.high);
                let mirrored = wilson(n - hits, n, Level::P95).unwrap();
                assert!((mirrored.low - (1.0 - middle.high)).abs() < 1e-12);
            }
        }
    }

    /// Returns the probability that the interval of a sample holds the true share.
    fn coverage(n: usize, share: f64) -> f64 {
        let mut of_hits = (1.0 - share).powi(i32::try_from(n).unwrap());
        let mut covered = 0.0;
        for hits in 0..=n {
            let interval = wilson(hits, n, Level::P95).unwrap();
            if interval.low <= share && share <= interval.high {
                covered += of_hits;
            }
            of_hits *= (n - hits) as f64 / (hits + 1) as f64 * share / (1.0 - share);
        }
        covered
    }

    #[test]
    fn wilsons_intervals_cover_what_they_say_for_20_to_200_datapoints() {
        let (mut least, mut sum, mut count) = (1.0_f64, 0.0, 0.0);
        for n in 20..=200 {
            for percent in 5..=95 {
                let covered = coverage(n, f64::from(percent) / 100.0);
                least = least.min(covered);
                sum += covered;
                count += 1.0;
            }
        }
        assert_close(least, 0.91979, 1e-4, "the worst, of 35 at 0.1");
        assert_close(sum / count, 0.95095, 1e-4, "the mean");
    }
}
