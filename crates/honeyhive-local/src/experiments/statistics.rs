//! The statistics of paired values are exact where the counts are small.

/// The most pairs that differ for which Wilcoxon's distribution is counted out.
const COUNTED: usize = 50;

/// Returns the smallest true mean difference that so many pairs show with a power of 80 %: `(z.975 + z.8) · sd / √n`.
pub(super) fn smallest_shown(differences: &[f64]) -> Option<f64> {
    let (_, error) = mean_and_error(differences)?;
    Some(2.801_6 * error)
}

/// Returns the 95 % t interval of the mean difference; `None` for fewer than two.
pub(super) fn t_interval(differences: &[f64]) -> Option<(f64, f64)> {
    let (mean, error) = mean_and_error(differences)?;
    let half = t_quantile(differences.len() as f64 - 1.0) * error;
    Some((mean - half, mean + half))
}

/// Returns the 95 % interval of the difference of two paired shares, after Agresti and Min.
pub(super) fn agresti_min(differences: &[f64]) -> Option<(f64, f64)> {
    if differences.len() < 2 {
        return None;
    }
    let (better, worse) = (
        count(differences, 1.0) + 0.5,
        count(differences, -1.0) + 0.5,
    );
    let n = differences.len() as f64 + 2.0;
    let mean = (better - worse) / n;
    let error = ((better + worse) - (better - worse).powi(2) / n).sqrt() / n;
    let half = 1.959_963_985 * error;
    Some(((mean - half).max(-1.0), (mean + half).min(1.0)))
}

/// Returns McNemar's exact p-value of booleans that have changed.
pub(super) fn mc_nemar(differences: &[f64]) -> Option<f64> {
    if differences.is_empty() {
        return None;
    }
    let (better, worse) = (count(differences, 1.0), count(differences, -1.0));
    let n = better + worse;
    let tail = (0..=better.min(worse) as u64).map(|k| binomial_half(n, k as f64));
    Some((2.0 * tail.sum::<f64>()).min(1.0))
}

/// Returns Wilcoxon's signed rank p: differences of zero are dropped, equal ones share their rank.
pub(super) fn wilcoxon(differences: &[f64]) -> Option<f64> {
    if differences.len() < 2 {
        return None;
    }
    let mut signed: Vec<f64> = differences
        .iter()
        .copied()
        .map(rounded)
        .filter(|d| d.is_finite() && *d != 0.0)
        .collect();
    if signed.is_empty() {
        return Some(1.0);
    }
    signed.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let (ranks, ties) = doubled_ranks(&signed);
    let positive = signed.iter().zip(&ranks).filter(|(d, _)| **d > 0.0);
    let sum: usize = positive.map(|(_, rank)| rank).sum();
    Some(if signed.len() <= COUNTED {
        counted_out(&ranks, sum)
    } else {
        by_normal(signed.len() as f64, sum as f64 / 2.0, ties)
    })
}

/// Adjusts probabilities after Holm, in place.
pub(super) fn holm(ps: &mut [&mut f64]) {
    ps.sort_by(|a, b| a.total_cmp(b));
    let mut least: f64 = 0.0;
    let count = ps.len();
    for (index, p) in ps.iter_mut().enumerate() {
        least = least.max(**p * (count - index) as f64).min(1.0);
        **p = least;
    }
}

fn count(values: &[f64], wanted: f64) -> f64 {
    values.iter().filter(|value| **value == wanted).count() as f64
}

fn mean_and_error(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((mean, (squares / (n - 1.0) / n).sqrt()))
}

/// Rounds to 12 significant digits, so that 0.3 - 0.2 ties with 0.1.
fn rounded(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

/// Returns twice the rank of each value, so that shared ranks are whole, and the sum of `t³ - t` over ties.
fn doubled_ranks(sorted: &[f64]) -> (Vec<usize>, f64) {
    let mut ranks = Vec::with_capacity(sorted.len());
    let mut ties = 0.0;
    while ranks.len() < sorted.len() {
        let from = ranks.len();
        let same = sorted[from..]
            .iter()
            .take_while(|value| value.abs() == sorted[from].abs())
            .count();
        // The ranks from + 1 to from + same share their mean.
        ranks.extend(std::iter::repeat_n(2 * from + same + 1, same));
        let same = same as f64;
        ties += same.powi(3) - same;
    }
    (ranks, ties)
}

/// Returns the share of all ways to give the ranks signs that are at least as far from the middle.
fn counted_out(ranks: &[usize], sum: usize) -> f64 {
    let total: usize = ranks.iter().sum();
    let mut ways = vec![0.0_f64; total + 1];
    ways[0] = 1.0;
    for rank in ranks {
        for at in (*rank..=total).rev() {
            ways[at] += ways[at - rank];
        }
    }
    let all: f64 = ways.iter().sum();
    let low: f64 = ways[..=sum.min(total - sum)].iter().sum();
    (2.0 * low / all).min(1.0)
}

fn by_normal(n: f64, sum: f64, ties: f64) -> f64 {
    let mean = n * (n + 1.0) / 4.0;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    libm::erfc((sum - mean).abs() / variance.sqrt() / std::f64::consts::SQRT_2)
}

fn binomial_half(n: f64, k: f64) -> f64 {
    let ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    (ways - n * std::f64::consts::LN_2).exp()
}

/// Returns Student's t of 97.5 %, by bisection.
fn t_quantile(freedom: f64) -> f64 {
    let (mut low, mut high) = (1.9, 13.0);
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        // The share beyond ±t is the incomplete beta function at this place.
        let beyond = incomplete_beta(freedom / (freedom + middle * middle), freedom / 2.0, 0.5);
        if beyond > 0.05 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// Returns the regularised incomplete beta function, by its continued fraction.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front =
        libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * x.ln() + b * (1.0 - x).ln();
    front.exp() / a / fraction(x, a, b)
}

/// Evaluates `1 + d₁/(1 + d₂/(1 + …))`, from its far end.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let mut value = 1.0;
    for step in (1..=400).rev() {
        let m = f64::from(step / 2);
        let term = if step % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        value = 1.0 + term / value;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{agresti_min, holm, mc_nemar, t_interval, t_quantile, wilcoxon};

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }

    #[test]
    fn the_t_interval_is_that_of_the_tables() {
        for (freedom, expected) in [
            (1.0, 12.706_204_736),
            (4.0, 2.776_445_105),
            (30.0, 2.042_272_456),
            (147.0, 1.976_233_309),
        ] {
            close(t_quantile(freedom), expected);
        }
        let (low, high) = t_interval(&[0.8, 0.9, 0.85, 1.0, 0.4]).unwrap();
        close(low, 0.504_147_480_901);
        close(high, 1.075_852_519_1);
        assert_eq!(t_interval(&[1.0]), None);
    }

    #[test]
    fn mc_nemar_is_exact() {
        let changed = |worse: usize, better: usize| [vec![-1.0; worse], vec![1.0; better]].concat();
        for (worse, better, expected) in [
            (1, 0, 1.0),
            (0, 5, 0.0625),
            (0, 6, 0.03125),
            (1, 9, 0.021_484_375),
            (5, 15, 0.041_389_465_332),
            (12, 12, 1.0),
            (40, 65, 0.018_740_915_408_3),
        ] {
            close(mc_nemar(&changed(worse, better)).unwrap(), expected);
        }
        close(mc_nemar(&[0.0]).unwrap(), 1.0);
        assert_eq!(mc_nemar(&[]), None);
    }

    #[test]
    fn wilcoxon_is_counted_out_and_symmetric_and_zeros_are_dropped() {
        // The differences have one sign: 2 of 64 ways are as far out.
        close(
            wilcoxon(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0]).unwrap(),
            0.031_25,
        );
        close(
            wilcoxon(&[-1.0, -2.0, -3.0, -4.0, -5.0, -6.0]).unwrap(),
            0.031_25,
        );
        close(wilcoxon(&[1.0, -1.0]).unwrap(), 1.0);
        close(wilcoxon(&[0.0, 0.0]).unwrap(), 1.0);
        close(
            wilcoxon(&[f64::NAN, 1.0, f64::INFINITY, -1.0]).unwrap(),
            1.0,
        );
        let many: Vec<f64> = (1..=60).map(f64::from).collect();
        assert!(wilcoxon(&many).unwrap() < 1e-9);
        let even: Vec<f64> = (1..=60)
            .map(|at| f64::from(at) * if at % 4 < 2 { 1.0 } else { -1.0 })
            .collect();
        assert!(wilcoxon(&even).unwrap() > 0.5);
    }

    #[test]
    fn holm_is_monotone() {
        let mut ps = [0.01, 0.04, 0.03, 0.005, 0.5];
        holm(&mut ps.iter_mut().collect::<Vec<_>>());
        for (found, expected) in ps.iter().zip([0.04, 0.09, 0.09, 0.025, 0.5]) {
            close(*found, expected);
        }
    }

    #[test]
    fn the_interval_of_shares_holds_the_difference_and_stays_within_one() {
        let (low, high) = agresti_min(&[1.0, 1.0, 0.0, -1.0, 0.0, 1.0]).unwrap();
        assert!(low < 1.0 / 3.0 && high > 1.0 / 3.0);
        let (_, high) = agresti_min(&[1.0; 3]).unwrap();
        assert!(high <= 1.0);
    }
}
