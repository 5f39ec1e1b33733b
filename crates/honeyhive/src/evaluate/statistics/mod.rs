//! The statistics are intervals, comparisons of pairs, and the differences that a number of datapoints can show.

mod bootstrap;
mod level;
mod mean;
mod pairs;
mod percentile;
mod power;
#[cfg(test)]
mod properties;
mod shares;
mod student;
mod trials;
mod wilcoxon;

pub(super) use bootstrap::bootstrap;
pub use level::{Interval, Level};
pub(super) use mean::{Moments, mean, t_interval};
pub(super) use pairs::{agresti_min, holm, mc_nemar};
pub(super) use percentile::{percentile, percentile_interval};
pub use power::{datapoints_needed, smallest_difference};
pub(super) use shares::{wilson, wilson_of_clusters};
pub use trials::{pass_all_k, pass_at_k};
pub(super) use wilcoxon::wilcoxon;

#[cfg(test)]
pub(super) mod close {
    /// Asserts that two numbers are equal, but for the last digits.
    #[track_caller]
    pub(crate) fn assert_close(value: f64, expected: f64, relative: f64, what: &str) {
        let room = relative * expected.abs().max(1e-12);
        assert!(
            (value - expected).abs() <= room,
            "{what}: {value} is not {expected}"
        );
    }
}
