//! A share has Wilson's interval.

use super::level::{Interval, Level};
use super::mean::Moments;
use super::student;

/// Returns Wilson's interval of `hits` in `n`; `None` where `n` is zero.
pub(in crate::evaluate) fn wilson(hits: usize, n: usize, level: Level) -> Option<Interval> {
    if n == 0 {
        return None;
    }
    Some(of_share(hits as f64 / n as f64, n as f64, level))
}

/// Returns Wilson's interval of booleans that come in clusters, as the trials of a datapoint do; `None` where there are none.
///
/// Each of `shares` is a cluster's, and all together have `trials` booleans.
pub(in crate::evaluate) fn wilson_of_clusters(
    shares: &[f64],
    trials: usize,
    level: Level,
) -> Option<Interval> {
    let moments = Moments::of(shares)?;
    let count = effective_count(&moments, trials as f64, level);
    Some(of_share(
        moments.mean,
        count.max(shares.len() as f64),
        level,
    ))
}

/// Returns of how many booleans, each for itself, the mean would vary as the clusters' does (Korn and Graubard 1998). Few
/// clusters tell little about that, so their number counts as in Student's quantile.
fn effective_count(moments: &Moments, trials: f64, level: Level) -> f64 {
    let binomial = moments.mean * (1.0 - moments.mean);
    match moments.error() {
        Some(error) if binomial > 0.0 => {
            let count = (binomial / (error * error)).min(trials);
            count * (level.z() / student::quantile(moments.n - 1, level)).powi(2)
        }
        _ => 0.0,
    }
}

fn of_share(share: f64, count: f64, level: Level) -> Interval {
    let z = level.z();
    let z2 = z * z / count;
    let middle = (share + z2 / 2.0) / (1.0 + z2);
    let half = z / (1.0 + z2) * (share * (1.0 - share) / count + z2 / (4.0 * count)).sqrt();
    // Rounding must not move an interval away from 0 or 1.
    let low = if share <= 0.0 { 0.0 } else { middle - half };
    let high = if share >= 1.0 { 1.0 } else { middle + half };
    Interval::new(low, high)
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
    fn clusters_of_one_trial_have_wilsons_interval() {
        for n in 1..=40_usize {
            for hits in 0..=n {
                let shares: Vec<_> = (0..n).map(|i| f64::from(u8::from(i < hits))).collect();
                let what = format!("{hits}/{n}");
                let plain = wilson(hits, n, Level::P95).unwrap();
                let clustered = wilson_of_clusters(&shares, n, Level::P95).unwrap();
                assert_close(clustered.low, plain.low, 1e-9, &what);
                assert_close(clustered.high, plain.high, 1e-9, &what);
            }
        }
        assert_eq!(wilson_of_clusters(&[], 0, Level::P95), None);
    }

    #[test]
    fn clusters_count_by_how_much_they_vary_within() {
        let within = |shares: &[f64], trials| {
            let interval = wilson_of_clusters(shares, trials, Level::P95).unwrap();
            interval.high - interval.low
        };
        let between = |hits, n| {
            let interval = wilson(hits, n, Level::P95).unwrap();
            interval.high - interval.low
        };
        let mut differ = [0.0; 10];
        differ[..5].fill(1.0);
        assert_close(within(&differ, 40), between(5, 10), 1e-9, "all between");
        let alike = within(&[0.5; 10], 40);
        assert!(between(20, 40) < alike && alike < between(5, 10), "{alike}");
        assert_close(within(&[0.5; 2], 40), between(1, 2), 1e-9, "two clusters");
        assert_close(within(&[0.5], 40), within(&[0.5], 1), 1e-9, "one cluster");
    }

    #[test]
    fn clusters_that_always_pass_prove_no_more_than_their_number() {
        let sure = wilson_of_clusters(&[1.0, 1.0], 20, Level::P95);
        assert_eq!(sure, wilson(2, 2, Level::P95));
        let never = wilson_of_clusters(&[0.0; 3], 9, Level::P95);
        assert_eq!(never, wilson(0, 3, Level::P95));
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
