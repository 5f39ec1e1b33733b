//! McNemar's test, the interval of a difference and Holm's adjustment compare booleans before and now.

use super::level::{Interval, Level};

/// Returns McNemar's exact p, where `worse` pairs have become false and `better` ones true.
pub(in crate::evaluate) fn mc_nemar(worse: usize, better: usize) -> f64 {
    let n = worse + better;
    let fewer = worse.min(better);
    let count = n as f64;
    let choose = libm::lgamma(count + 1.0)
        - libm::lgamma(fewer as f64 + 1.0)
        - libm::lgamma((n - fewer) as f64 + 1.0);
    let mut term = (choose - count * std::f64::consts::LN_2).exp();
    let mut tail = term;
    for k in (1..=fewer).rev() {
        term *= k as f64 / (n - k + 1) as f64;
        tail += term;
    }
    (2.0 * tail).min(1.0)
}

/// Returns the interval of the difference of two paired shares, after Agresti and Min; `None` for no pairs.
pub(in crate::evaluate) fn agresti_min(
    worse: usize,
    better: usize,
    n: usize,
    level: Level,
) -> Option<Interval> {
    if n == 0 {
        return None;
    }
    let (worse, better, n) = (worse as f64 + 0.5, better as f64 + 0.5, n as f64 + 2.0);
    let changed = better - worse;
    let error = (worse + better - changed * changed / n).sqrt() / n;
    let interval = Interval::around(changed / n, level.z() * error);
    Some(Interval::new(
        interval.low.max(-1.0),
        interval.high.min(1.0),
    ))
}

/// Adjusts the probabilities of several tests after Holm.
pub(in crate::evaluate) fn holm(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
    let mut adjusted = vec![0.0; probabilities.len()];
    let mut least: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        let left = (probabilities.len() - rank) as f64;
        least = least.max(probabilities[index] * left).min(1.0);
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::statistics::close::assert_close;

    #[test]
    fn mc_nemars_probabilities_are_those_of_statsmodels() {
        let table = [
            (0, 0, 1.0),
            (1, 0, 1.0),
            (0, 5, 0.0625),
            (0, 6, 0.03125),
            (1, 9, 0.021484375),
            (5, 15, 0.041389465332),
            (12, 12, 1.0),
            (3, 4, 1.0),
            (40, 65, 0.0187409154083),
            (200, 250, 0.0207918002476),
        ];
        for (worse, better, p) in table {
            assert_close(
                mc_nemar(worse, better),
                p,
                1e-9,
                &format!("{worse}, {better}"),
            );
            assert_eq!(mc_nemar(worse, better), mc_nemar(better, worse));
        }
    }

    #[test]
    fn intervals_of_paired_shares_are_those_of_agresti_and_min() {
        let table = [
            (5, 15, 100, 0.0120635192912, 0.184014912081),
            (0, 0, 20, -0.0890892720245, 0.0890892720245),
            (1, 9, 50, 0.0360381135426, 0.27165419415),
            (0, 6, 10, 0.17333933591, 0.82666066409),
            (40, 65, 300, 0.0166188543825, 0.148944059525),
        ];
        for (worse, better, n, low, high) in table {
            let interval = agresti_min(worse, better, n, Level::P95).unwrap();
            assert_close(
                interval.low,
                low,
                1e-9,
                &format!("{worse}, {better} of {n}"),
            );
            assert_close(
                interval.high,
                high,
                1e-9,
                &format!("{worse}, {better} of {n}"),
            );
        }
        assert_eq!(agresti_min(0, 0, 0, Level::P95), None);
    }

    #[test]
    fn holms_adjustment_is_monotone() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005, 0.5]);
        for (value, expected) in adjusted.iter().zip([0.04, 0.09, 0.09, 0.025, 0.5]) {
            assert_close(*value, expected, 1e-12, "Holm");
        }
        for value in holm(&[0.02; 3]) {
            assert_close(value, 0.06, 1e-12, "Holm");
        }
        assert!(holm(&[]).is_empty());
    }
}
