//! A [`RateLimit`] limits how often functions begin.

use std::time::Duration;

use tokio::time::Instant;

/// A `RateLimit` limits how many calls of the function begin in a time, retries included. The calls are spaced evenly;
/// the wait counts neither as latency nor against a timeout.
///
/// ```
/// use honeyhive::evaluate::RateLimit;
///
/// let limit = RateLimit::per_minute(600).burst(20);
/// # drop(limit);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "it is given to `.rate_limit(..)`"]
pub struct RateLimit {
    interval: Duration,
    burst: u32,
}

impl RateLimit {
    /// Allows `n` calls per second.
    pub fn per_second(n: u32) -> Self {
        Self::every(Duration::from_secs(1), n)
    }

    /// Allows `n` calls per minute.
    pub fn per_minute(n: u32) -> Self {
        Self::every(Duration::from_secs(60), n)
    }

    fn every(time: Duration, n: u32) -> Self {
        Self {
            interval: time / n.max(1),
            burst: 1,
        }
    }

    /// Sets the number of calls that may begin at once (default 1).
    pub const fn burst(mut self, n: u32) -> Self {
        self.burst = n;
        self
    }
}

/// `Pace` is the state of a rate limit: the generic cell rate algorithm.
#[derive(Debug)]
pub(super) struct Pace {
    limit: RateLimit,
    /// The time at which the next call would begin, were they all spaced evenly.
    due: Option<Instant>,
}

impl Pace {
    pub(super) const fn new(limit: RateLimit) -> Self {
        Self { limit, due: None }
    }

    /// Returns the time at which the next call may begin; `None` is now.
    pub(super) fn opens_at(&self, now: Instant) -> Option<Instant> {
        let early = self.limit.interval * self.limit.burst.saturating_sub(1);
        self.due
            .and_then(|due| due.checked_sub(early))
            .filter(|at| *at > now)
    }

    pub(super) fn begin(&mut self, now: Instant) {
        self.due = Some(self.due.map_or(now, |due| due.max(now)) + self.limit.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the times at which `n` calls begin, in milliseconds, where all want to at once.
    fn starts(limit: RateLimit, n: usize) -> Vec<u128> {
        let (mut pace, began) = (Pace::new(limit), Instant::now());
        let mut now = began;
        let mut start = || {
            now = pace.opens_at(now).unwrap_or(now);
            pace.begin(now);
            (now - began).as_millis()
        };
        (0..n).map(|_| start()).collect()
    }

    #[test]
    fn starts_are_spaced_evenly_after_a_burst() {
        assert_eq!(starts(RateLimit::per_second(10), 4), [0, 100, 200, 300]);
        assert_eq!(
            starts(RateLimit::per_minute(600).burst(3), 5),
            [0, 0, 0, 100, 200]
        );
        assert_eq!(starts(RateLimit::per_second(10), 30).last(), Some(&2900));
    }
}
