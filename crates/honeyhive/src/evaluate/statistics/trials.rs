//! Several trials of a datapoint have statistics of their own.

/// Returns the probability that at least one of `k` trials passes, where `passed` of `n` have. The result is `None` where
/// `k` or `passed` is more than `n`, or `k` is zero.
///
/// ```
/// use honeyhive::evaluate::pass_at_k;
///
/// assert_eq!(pass_at_k(5, 2, 1), Some(0.4));
/// ```
#[must_use]
pub fn pass_at_k(n: usize, passed: usize, k: usize) -> Option<f64> {
    Some(1.0 - share_of_choices(n, n.checked_sub(passed)?, k)?)
}

/// Returns the probability that all of `k` trials pass, where `passed` of `n` have ("pass^k"). The result is `None`
/// where that of [`pass_at_k`] is.
///
/// ```
/// use honeyhive::evaluate::pass_all_k;
///
/// assert_eq!(pass_all_k(5, 2, 2), Some(0.1));
/// ```
#[must_use]
pub fn pass_all_k(n: usize, passed: usize, k: usize) -> Option<f64> {
    n.checked_sub(passed)?;
    share_of_choices(n, passed, k)
}

/// Returns the share of choices of `k` out of `n` that are all of the `special` ones.
fn share_of_choices(n: usize, special: usize, k: usize) -> Option<f64> {
    if k == 0 || k > n {
        return None;
    }
    if special < k {
        return Some(0.0);
    }
    let shares = (0..k).map(|taken| (special - taken) as f64 / (n - taken) as f64);
    Some(shares.product())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::statistics::close::assert_close;

    #[test]
    fn passes_at_k_and_of_all_k_are_as_counted() {
        let table = [
            (5, 2, 1, 0.4, 0.4),
            (5, 2, 2, 0.7, 0.1),
            (5, 2, 3, 0.9, 0.0),
            (5, 0, 3, 0.0, 0.0),
            (5, 5, 5, 1.0, 1.0),
            (10, 3, 5, 0.916666666667, 0.0),
        ];
        for (n, passed, k, at, all) in table {
            let what = format!("{passed} of {n}, {k}");
            assert_close(pass_at_k(n, passed, k).unwrap(), at, 1e-9, &what);
            assert_close(pass_all_k(n, passed, k).unwrap(), all, 1e-9, &what);
        }
        assert_eq!(pass_at_k(5, 2, 6), None);
        assert_eq!(pass_at_k(5, 6, 1), None);
        assert_eq!(pass_all_k(5, 2, 0), None);
    }
}
