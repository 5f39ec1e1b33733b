//! Student's t distribution is computed for whole degrees of freedom.

use super::level::Level;

/// The degrees of freedom from which on the expansion around the normal quantile is exact to ten digits.
const MANY: usize = 100_000;

/// Returns the two-sided quantile.
pub(super) fn quantile(degrees: usize, level: Level) -> f64 {
    if degrees >= MANY {
        return expanded(degrees, level.z());
    }
    let (mut low, mut high) = (0.0, 2.0);
    while within(high, degrees) < level.share() {
        (low, high) = (high, 2.0 * high);
    }
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if within(middle, degrees) < level.share() {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// Computes the quantile by Cornish and Fisher's expansion.
fn expanded(degrees: usize, z: f64) -> f64 {
    let n = degrees as f64;
    let z3 = z.powi(3);
    z + (z3 + z) / (4.0 * n) + (5.0 * z.powi(5) + 16.0 * z3 + 3.0 * z) / (96.0 * n * n)
}

/// Returns the probability of a value between `-t` and `t`: a finite sum of cosines (Abramowitz and Stegun 26.7.3 and
/// 26.7.4).
pub(super) fn within(t: f64, degrees: usize) -> f64 {
    let n = degrees as f64;
    let (angle, cosine2) = ((t / n.sqrt()).atan(), 1.0 / (1.0 + t * t / n));
    let sine = angle.sin();
    if degrees.is_multiple_of(2) {
        return sine * series(1.0, 1, degrees - 2, cosine2);
    }
    let inner = if degrees == 1 {
        0.0
    } else {
        sine * series(cosine2.sqrt(), 2, degrees - 2, cosine2)
    };
    std::f64::consts::FRAC_2_PI * (angle + inner)
}

/// Sums `first` and its successors: each term is the one before times `odd/(odd+1) · cosine²`, up to the power `last`.
fn series(first: f64, mut numerator: usize, last: usize, cosine2: f64) -> f64 {
    let (mut term, mut sum) = (first, first);
    while numerator < last + (numerator % 2) && term > sum * 1e-18 {
        term *= numerator as f64 / (numerator + 1) as f64 * cosine2;
        sum += term;
        numerator += 2;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::statistics::close::assert_close;

    #[test]
    fn quantiles_are_those_of_scipy() {
        let table = [
            (1, [6.31375151468, 12.7062047362, 63.6567411629]),
            (2, [2.91998558035, 4.30265272975, 9.92484320092]),
            (4, [2.13184678633, 2.7764451052, 4.60409487135]),
            (9, [1.83311293266, 2.2621571628, 3.24983554159]),
            (29, [1.69912702653, 2.04522964213, 2.75638590367]),
            (99, [1.66039115602, 1.98421695159, 2.62640545728]),
            (999, [1.64638034543, 1.96234146113, 2.58075963727]),
            (9999, [1.64500603331, 1.96020126362, 2.57632109586]),
        ];
        for (degrees, expected) in table {
            for (level, expected) in [Level::P90, Level::P95, Level::P99]
                .into_iter()
                .zip(expected)
            {
                assert_close(
                    quantile(degrees, level),
                    expected,
                    1e-10,
                    &format!("{degrees} at {level:?}"),
                );
            }
        }
    }

    #[test]
    fn the_expansion_meets_the_sum() {
        for level in [Level::P90, Level::P95, Level::P99] {
            assert_close(
                quantile(MANY, level),
                quantile(MANY - 1, level),
                1e-9,
                "at the seam",
            );
        }
    }
}
