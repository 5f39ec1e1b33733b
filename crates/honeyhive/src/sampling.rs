//! [`SessionSampling`] decides which sessions are sent.

use std::time::Duration;

use crate::model::id::SessionId;

/// The sampling sends a share of the sessions, each with all its items, and those that failed or were slow.
///
/// A session is in or out by its id alone, so the decision is the same on every service, after every restart and in
/// every version; a session that is in at a rate is in at every higher one. The session's start, its updates and its
/// spans follow the decision.
///
/// The items of a session that is out are held back, on the delivery thread and within the bounds of pending items,
/// until the session has ended. Then they are sent after all if any part of it failed (an error, a panic, a status of
/// 500 and above, work that was dropped before its end) or took too long. Else they are dropped and counted as
/// [`DropReason::SampledOut`](crate::DropReason::SampledOut).
///
/// ```
/// use std::time::Duration;
///
/// use honeyhive::{HoneyHiveTracer, SessionSampling};
///
/// let tracer = HoneyHiveTracer::builder()
///     .test_mode(true)
///     .sampling(
///         SessionSampling::ratio(0.1)                     // or HH_SESSION_SAMPLE_RATE=0.1
///             .keep_slower_than(Duration::from_secs(10)), // failures are kept without being asked for
///     )
///     .build()?;
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "it is given to the builder"]
pub struct SessionSampling {
    rate: f64,
    pub(crate) keep_errors: bool,
    pub(crate) keep_slower_than: Option<Duration>,
}

impl Default for SessionSampling {
    /// Sends everything.
    fn default() -> Self {
        Self::ratio(1.0)
    }
}

impl SessionSampling {
    /// Sends this share of all sessions: 1 sends all of them (the default), 0 only those that failed or were slow. A
    /// share outside 0 to 1 is an error of [`build`](crate::HoneyHiveTracerBuilder::build).
    pub const fn ratio(rate: f64) -> Self {
        Self {
            rate,
            keep_errors: true,
            keep_slower_than: None,
        }
    }

    /// Sets whether sessions that failed are sent, too (default `true`).
    pub const fn keep_errors(mut self, keep: bool) -> Self {
        self.keep_errors = keep;
        self
    }

    /// Sends all sessions in which a request, a unit of work or a span took at least this long (default: none).
    pub const fn keep_slower_than(mut self, duration: Duration) -> Self {
        self.keep_slower_than = Some(duration);
        self
    }

    /// Returns true for a session that is in by its id, however it ends.
    ///
    /// ```
    /// use honeyhive::SessionSampling;
    ///
    /// let id = "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11";
    /// let half = SessionSampling::ratio(0.5);
    /// assert_eq!(half.contains(id), half.contains(id));
    /// assert!(SessionSampling::default().contains(id));
    /// ```
    #[must_use]
    pub fn contains(&self, id: impl Into<SessionId>) -> bool {
        /// A number with a fraction tells apart this number of steps.
        const STEPS: f64 = (1_u64 << 53) as f64;
        ((position(id.into()) >> 11) as f64) < self.rate * STEPS
    }

    pub(crate) fn is_usable(&self) -> bool {
        (0.0..=1.0).contains(&self.rate)
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.rate >= 1.0
    }

    /// Returns whether no session is in by its id.
    #[cfg(feature = "client")]
    pub(crate) fn is_nothing(&self) -> bool {
        self.rate <= 0.0
    }

    /// Returns whether any session that is out may be sent after all.
    pub(crate) const fn may_keep(&self) -> bool {
        self.keep_errors || self.keep_slower_than.is_some()
    }

    /// Returns the share in words, and the sessions that are kept beside it.
    #[cfg(feature = "client")]
    pub(crate) fn told(&self) -> String {
        let rate = self.rate;
        match (self.keep_errors, self.keep_slower_than) {
            _ if self.is_everything() => rate.to_string(),
            (false, None) => rate.to_string(),
            (true, None) => format!("{rate}, and what fails"),
            (false, Some(slow)) => format!("{rate}, and what takes {slow:?}"),
            (true, Some(slow)) => format!("{rate}, and what fails or takes {slow:?}"),
        }
    }

    /// Returns whether a session is sent in which something went like this, though it is out.
    pub(crate) fn keeps(&self, has_failed: bool, took: Duration) -> bool {
        let is_slow = self.keep_slower_than.is_some_and(|limit| took >= limit);
        (has_failed && self.keep_errors) || is_slow
    }
}

/// Returns an id's position among all ids: evenly spread, though some bits of a UUID (version, variant, time) are not.
/// Must never change, since services of different versions must agree.
fn position(id: SessionId) -> u64 {
    let bits = id.as_u128();
    mix(mix((bits >> 64) as u64) ^ (bits as u64))
}

/// Makes one step of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn positions_are_what_they_have_always_been() {
        let of = |id: &str| position(id.parse().unwrap());
        assert_eq!(
            mix(0),
            0xe220_a839_7b1d_cdaf,
            "the published first value of the seed 0"
        );
        for (id, expected) in [
            (
                "00000000-0000-0000-0000-000000000000",
                0xa706_dd2f_4d19_7e6f,
            ),
            (
                "00000000-0000-0000-0000-000000000001",
                0x08b4_fda8_c892_b50e,
            ),
            (
                "ffffffff-ffff-ffff-ffff-ffffffffffff",
                0x6309_143e_67a4_7936,
            ),
            (
                "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11",
                0xf8af_1c01_a89c_e09a,
            ),
            (
                "018f4d2c-0000-7000-8000-000000000000",
                0x2b92_625a_2e81_8aef,
            ),
        ] {
            assert_eq!(of(id), expected, "{id}: {:#x}", of(id));
        }
    }

    #[test]
    fn a_share_of_ids_is_in_whichever_version_they_have() {
        let random: Vec<_> = (0..10_000).map(|_| SessionId::new()).collect();
        let named: Vec<_> = (0..10_000)
            .map(|it| format!("thread_{it}").into())
            .collect();
        // The ids are of version 7 in one millisecond, counted up: nearly all bits are alike.
        let counted: Vec<SessionId> = (0..10_000_u128)
            .map(|it| SessionId::from_u128(0x018f_4d2c_0000_7000_8000_0000_0000_0000 + it))
            .collect();
        for ids in [random, named, counted] {
            for rate in [0.0, 0.01, 0.1, 0.5, 0.9, 1.0] {
                let sampling = SessionSampling::ratio(rate);
                let count = ids.iter().filter(|id| sampling.contains(**id)).count() as f64;
                // The bound is six standard deviations: one run in 500 million fails by chance.
                let bound = 6.0 * (10_000.0 * rate * (1.0 - rate)).sqrt();
                assert!((count - 10_000.0 * rate).abs() <= bound, "{rate}: {count}");
            }
        }
    }

    #[test]
    fn what_is_in_at_a_rate_is_in_at_every_higher_one() {
        for _ in 0..1_000 {
            let id = SessionId::new();
            let is_in = [0.1, 0.2, 0.5, 0.9].map(|rate| SessionSampling::ratio(rate).contains(id));
            assert!(is_in.is_sorted(), "{id}: {is_in:?}");
        }
    }

    #[test]
    fn only_a_share_is_usable() {
        for rate in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(!SessionSampling::ratio(rate).is_usable(), "{rate}");
        }
    }
}
