//! Some properties of the statistics hold for any numbers; the tests try them on many random ones, the same ones each
//! time.

use super::*;
use crate::evaluate::splitmix::SplitMix64;

const LEVELS: [Level; 3] = [Level::P90, Level::P95, Level::P99];

/// Returns numbers of every kind: few and many, booleans, equal ones, far from zero, of very different sizes.
fn samples() -> impl Iterator<Item = Vec<f64>> {
    let mut random = SplitMix64::new(26);
    (0..1_500).map(move |_| {
        let n = random.index(40);
        let offset = [0.0, 0.0, 1e9, -1e9][random.index(4)];
        let kind = random.index(5);
        let size = 10_f64.powi(i32::try_from(random.index(13)).unwrap() - 6);
        let mut number = || match kind {
            0 => random.index(2) as f64,
            1 => 0.1,
            2 => random.index(7) as f64 / 6.0,
            3 => random.index(1 << 30) as f64 / f64::from(1 << 30) * size,
            _ => (random.index(1 << 30) as f64 / f64::from(1 << 30) - 0.5) * size,
        };
        (0..n).map(|_| number() + offset).collect()
    })
}

/// Returns the intervals of a mean at all levels, narrow ones first; `None` for too few numbers.
fn by_level(of: impl Fn(Level) -> Option<Interval>) -> Option<[Interval; 3]> {
    let [narrow, middle, wide] = LEVELS.map(of);
    Some([narrow?, middle?, wide?])
}

#[track_caller]
fn assert_holds_and_widens(intervals: [Interval; 3], estimate: f64, room: f64, of: &[f64]) {
    for interval in intervals {
        assert!(
            interval.low.is_finite() && interval.high.is_finite(),
            "{interval:?} of {of:?}"
        );
        assert!(
            interval.low <= estimate + room && estimate - room <= interval.high,
            "{interval:?} does not hold {estimate} of {of:?}"
        );
    }
    for pair in intervals.windows(2) {
        assert!(
            pair[1].low <= pair[0].low + room && pair[0].high <= pair[1].high + room,
            "{pair:?} of {of:?}"
        );
    }
}

/// Returns the rounding error to allow for numbers of this size.
fn room_of(values: &[f64]) -> f64 {
    1e-12
        * values
            .iter()
            .fold(1e-300, |most: f64, value| most.max(value.abs()))
}

#[test]
fn intervals_of_means_hold_the_estimate_widen_with_the_level_and_mirror() {
    for values in samples() {
        let mirrored: Vec<f64> = values.iter().map(|value| 1.0 - value).collect();
        let Some(moments) = Moments::of(&values) else {
            assert!(values.is_empty());
            continue;
        };
        let intervals = by_level(|level| t_interval(&values, level));
        assert_eq!(intervals.is_some(), values.len() > 1);
        let Some(intervals) = intervals else { continue };
        let room = room_of(&values);
        assert_holds_and_widens(intervals, moments.mean, room, &values);
        let turned = by_level(|level| t_interval(&mirrored, level)).unwrap();
        for (interval, turned) in intervals.into_iter().zip(turned) {
            let room = 1e3 * (room + room_of(&mirrored));
            assert!(
                (1.0 - interval.high - turned.low).abs() <= room,
                "{values:?}"
            );
            assert!(
                (1.0 - interval.low - turned.high).abs() <= room,
                "{values:?}"
            );
        }
    }
}

#[test]
fn the_bootstrap_holds_the_estimate_and_widens_with_the_level() {
    for values in samples().filter(|values| values.len() > 1).take(12) {
        let of = |level| Some(bootstrap(&values, level)?.0);
        let mean = Moments::of(&values).unwrap().mean;
        assert_holds_and_widens(by_level(of).unwrap(), mean, room_of(&values), &values);
    }
}

#[test]
fn intervals_of_percentiles_hold_the_percentile_and_widen_with_the_level() {
    for mut values in samples() {
        values.sort_by(f64::total_cmp);
        for share in [0.05, 0.5, 0.9] {
            let of = |level| percentile_interval(&values, share, level);
            let Some(intervals) = by_level(of) else {
                continue;
            };
            let estimate = percentile(&values, share).unwrap();
            assert_holds_and_widens(intervals, estimate, room_of(&values), &values);
        }
    }
}

#[test]
fn comparisons_of_truths_hold_the_difference_widen_with_the_level_and_are_symmetric() {
    let count =
        |n: usize| (0..=n).flat_map(move |worse| (0..=n - worse).map(move |it| (worse, it)));
    for n in (1..=30).chain([100]) {
        for (worse, better) in count(n) {
            let of = |level| agresti_min(worse, better, n, level);
            let intervals = by_level(of).unwrap();
            let difference = (better as f64 - worse as f64) / n as f64;
            assert_holds_and_widens(intervals, difference, 1e-12, &[worse as f64, better as f64]);
            let turned = agresti_min(better, worse, n, Level::P95).unwrap();
            assert!((intervals[1].low + turned.high).abs() < 1e-12);
            let p = mc_nemar(worse, better);
            assert!((0.0..=1.0).contains(&p), "{p} of {worse} and {better}");
            assert_eq!(p, mc_nemar(better, worse));
        }
    }
}

#[test]
fn wilcoxons_probability_is_one_and_symmetric_whatever_the_order() {
    for mut differences in samples() {
        let p = wilcoxon(&differences);
        assert!((0.0..=1.0).contains(&p), "{p} of {differences:?}");
        differences.reverse();
        differences
            .iter_mut()
            .for_each(|difference| *difference = -*difference);
        let turned = wilcoxon(&differences);
        assert!(
            (p - turned).abs() <= 1e-12,
            "{p} and {turned} of {differences:?}"
        );
    }
}

#[test]
fn holms_adjustment_never_lessens_never_exceeds_one_and_keeps_the_order() {
    for values in samples() {
        let probabilities: Vec<f64> = values.iter().map(|value| value.abs().fract()).collect();
        let adjusted = holm(&probabilities);
        for (one, is) in probabilities.iter().zip(&adjusted) {
            assert!(one <= is && *is <= 1.0, "{one} became {is}");
            for (other, was) in probabilities.iter().zip(&adjusted) {
                assert!(
                    one > other || is <= was,
                    "{one} and {other} became {is} and {was}"
                );
            }
        }
    }
}

#[test]
fn numbers_that_overflow_have_a_mean_and_no_interval_rather_than_a_false_one() {
    let huge = [f64::MAX, f64::MAX, -f64::MAX];
    let moments = Moments::of(&huge).unwrap();
    assert!(moments.mean.is_finite(), "{moments:?}");
    assert_eq!(
        (moments.deviation, t_interval(&huge, Level::P95)),
        (None, None)
    );
    assert_eq!(Moments::of(&[f64::MAX; 4]).unwrap().mean, f64::MAX);
    if let Some((interval, error)) = bootstrap(&huge, Level::P95) {
        assert!(interval.low.is_finite() && interval.high.is_finite() && error.is_finite());
    }
}
