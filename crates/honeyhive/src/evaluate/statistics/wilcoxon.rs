//! Wilcoxon's signed rank test tells whether paired numbers have changed.

/// The most differences for which the distribution is counted out.
const COUNTED: usize = 50;

/// Returns the probability of ranks as one-sided as these, where nothing has changed. Zeros are dropped, equal
/// differences share their rank.
pub(in crate::evaluate) fn wilcoxon(differences: &[f64]) -> f64 {
    let ranked = Ranked::of(differences);
    match ranked.ranks.len() {
        0 => 1.0,
        1..=COUNTED => ranked.counted(),
        _ => ranked.by_normal(),
    }
}

struct Ranked {
    /// The doubled ranks, so that shared ones are whole.
    ranks: Vec<usize>,
    /// The doubled sum of the ranks of positive differences.
    positive: usize,
    /// The sum of `t³ - t` over groups of equal ones.
    ties: f64,
}

impl Ranked {
    fn of(differences: &[f64]) -> Self {
        let rounded = differences.iter().map(|value| rounded(*value));
        let mut signed: Vec<f64> = rounded.filter(|value| *value != 0.0).collect();
        signed.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        let mut ranked = Self {
            ranks: Vec::with_capacity(signed.len()),
            positive: 0,
            ties: 0.0,
        };
        for same in signed.chunk_by(|a, b| a.abs() == b.abs()) {
            ranked.add(same);
        }
        ranked
    }

    /// Adds differences of one size: they share the mean of their ranks.
    fn add(&mut self, same: &[f64]) {
        let rank = 2 * self.ranks.len() + same.len() + 1;
        self.ranks.extend(same.iter().map(|_| rank));
        self.positive += rank * same.iter().filter(|value| **value > 0.0).count();
        let count = same.len() as f64;
        self.ties += count.powi(3) - count;
    }

    /// Returns the share of all ways to give the ranks signs that are as far from the middle.
    fn counted(&self) -> f64 {
        let total: usize = self.ranks.iter().sum();
        let fewer = self.positive.min(total - self.positive);
        let mut shares = vec![0.0; fewer + 1];
        shares[0] = 1.0;
        for rank in &self.ranks {
            for sum in (*rank..=fewer).rev() {
                shares[sum] += shares[sum - rank];
            }
            shares.iter_mut().for_each(|share| *share /= 2.0);
        }
        (2.0 * shares.iter().sum::<f64>()).min(1.0)
    }

    /// Approximates the probability by the normal distribution, with ties accounted for.
    fn by_normal(&self) -> f64 {
        let n = self.ranks.len() as f64;
        let middle = n * (n + 1.0) / 4.0;
        let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - self.ties / 48.0;
        let z = (self.positive as f64 / 2.0 - middle) / variance.sqrt();
        libm::erfc(z.abs() / std::f64::consts::SQRT_2)
    }
}

/// Rounds to twelve significant digits, so that 0.3 - 0.2 ties with 0.1.
fn rounded(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::statistics::close::assert_close;

    #[test]
    fn wilcoxons_probabilities_are_those_of_scipy() {
        let table: [(&[f64], usize, f64, f64, f64); 4] = [
            (&[0.1, 0.2, 0.3, 0.4, 0.5], 5, 15.0, 0.0625, 0.0431144467831),
            (
                &[0.12, -0.05, 0.31, 0.22, -0.17, 0.08, 0.41, 0.02],
                8,
                29.0,
                0.1484375,
                0.123485272145,
            ),
            (
                &[1.0, 0.0, -1.0, 2.0, 1.0, 0.0, 1.0, 1.0, -1.0, 0.0, 2.0, 1.0],
                9,
                37.0,
                0.11328125,
                0.0701822587404,
            ),
            (
                &[
                    1.0, 1.0, -1.0, 2.0, 0.0, 1.0, -2.0, 1.0, 1.0, 3.0, -1.0, 1.0, 2.0, 1.0, -1.0,
                    1.0, 0.0, 2.0, 1.0, 1.0,
                ],
                18,
                134.5,
                0.0304718017578,
                0.0253930794693,
            ),
        ];
        for (differences, non_zero, positive, exact, normal) in table {
            let ranked = Ranked::of(differences);
            assert_eq!(ranked.ranks.len(), non_zero);
            assert_eq!(ranked.positive as f64 / 2.0, positive);
            assert_close(ranked.counted(), exact, 1e-9, "exact");
            assert_close(ranked.by_normal(), normal, 1e-9, "normal");
            let turned: Vec<f64> = differences.iter().map(|value| -value).collect();
            assert_close(wilcoxon(&turned), exact, 1e-9, "symmetric");
        }
    }

    #[test]
    fn many_differences_are_judged_by_the_normal_distribution() {
        let differences: Vec<f64> = (0..60)
            .map(|i| f64::from((37 * i) % 11 - 4) / 10.0)
            .collect();

        let ranked = Ranked::of(&differences);
        assert_eq!((ranked.ranks.len(), ranked.positive), (54, 1959));
        assert_close(ranked.counted(), 0.0399308384476, 1e-9, "exact");
        assert_close(wilcoxon(&differences), 0.0404150227197, 1e-9, "normal");
    }

    #[test]
    fn nothing_is_told_by_no_difference_or_one() {
        for differences in [&[0.0; 4][..], &[1.0], &[1.0, -1.0, 2.0, -2.0, 3.0, -3.0]] {
            assert_eq!(wilcoxon(differences), 1.0);
        }
        // 0.3 - 0.2 ties with 0.1.
        assert_eq!(Ranked::of(&[0.3 - 0.2, 0.1]).ranks, [3, 3]);
    }
}
