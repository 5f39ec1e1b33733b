//! [`Flush`] is the delivery that the end of an invocation or of a response waits for, with a bound of time.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, SystemTime};

use crate::error::FlushError;
use crate::log;
use crate::outbox::wait::Awaited;
use crate::outbox::{Command, Flushed, Outbox, Reply};
use crate::report::FlushReport;

/// A flush has this timeout by default.
#[cfg(any(feature = "lambda", test))]
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// This part of the invocation's time stays for its end.
const MARGIN: Duration = Duration::from_millis(250);
/// A flush has this timeout while nothing gets through.
const PROBE: Duration = Duration::from_millis(200);
/// One flush of this many takes its whole time even while nothing gets through: HoneyHive may be reachable, and only
/// slower than a probe.
const PROBES: u32 = 10;
/// Two log lines about failed flushes are at least this far apart.
const QUIET: Duration = Duration::from_secs(60);

/// Returns the timeout of a flush that begins now; `None` where no time is left.
fn bound(limit: Duration, deadline: Option<SystemTime>, now: SystemTime) -> Option<Duration> {
    let left = deadline.map_or(Duration::MAX, |deadline| {
        let left = deadline.duration_since(now).unwrap_or_default();
        left.saturating_sub(MARGIN)
    });
    Some(limit.min(left)).filter(|bound| !bound.is_zero())
}

/// An instrumentation's flushes share these settings and this memory.
#[derive(Debug)]
pub(crate) struct Flushing {
    pub(crate) timeout: Duration,
    outage: OutageMemory,
    failures: FailureLog,
}

impl Flushing {
    pub(crate) fn after(what: &'static str, timeout: Duration) -> Self {
        Self {
            timeout,
            outage: OutageMemory::default(),
            failures: FailureLog::new(what),
        }
    }
}

#[cfg(feature = "lambda")]
impl Default for Flushing {
    fn default() -> Self {
        Self::after("after an invocation", FLUSH_TIMEOUT)
    }
}

/// A flush has begun, or not yet, or is over.
#[derive(Debug)]
pub(crate) enum Flush {
    ToBegin(Option<SystemTime>),
    UnderWay(Duration, Awaited<Flushed>),
    Over,
}

impl Flush {
    pub(crate) fn poll(
        &mut self,
        flushing: &Flushing,
        outbox: &Outbox,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            match self {
                Self::ToBegin(deadline) => *self = Self::begin(flushing, outbox, *deadline),
                Self::UnderWay(timeout, answer) => {
                    let waited = ready!(Pin::new(answer).poll(cx));
                    let flushed = outbox.flushed(waited, *timeout);
                    flushing.outage.learn(&flushed);
                    if let Err(error) = flushed {
                        flushing.failures.tell(&error);
                    }
                    *self = Self::Over;
                }
                Self::Over => return Poll::Ready(()),
            }
        }
    }

    fn begin(flushing: &Flushing, outbox: &Outbox, deadline: Option<SystemTime>) -> Self {
        let limit = flushing.outage.limit(flushing.timeout);
        let Some(bound) = bound(limit, deadline, SystemTime::now()) else {
            log::debug(
                "no time is left for a flush; what is pending goes with the next invocation, if this environment gets one",
            );
            return Self::Over;
        };
        let (reply, answer) = Reply::awaited(bound);
        outbox.command(Command::Flush(bound, reply));
        Self::UnderWay(bound, answer)
    }
}

/// The memory of an outage keeps it from holding up every invocation for the whole time of a flush.
#[derive(Debug, Default)]
struct OutageMemory {
    /// So many flushes in a row have delivered nothing.
    in_vain: AtomicU32,
}

impl OutageMemory {
    fn limit(&self, limit: Duration) -> Duration {
        match self.in_vain.load(Ordering::Relaxed) % PROBES {
            0 => limit,
            _ => limit.min(PROBE),
        }
    }

    fn learn(&self, flushed: &Flushed) {
        match flushed {
            Err(FlushError::TimedOut {
                timeout,
                report: FlushReport { delivered: 0, .. },
            }) => {
                // A flush with less time than a probe, close to a deadline, proves nothing.
                if *timeout >= PROBE {
                    self.in_vain.fetch_add(1, Ordering::Relaxed);
                }
            }
            _ => self.in_vain.store(0, Ordering::Relaxed),
        }
    }
}

/// The log tells that a flush has failed, once a minute.
#[derive(Debug)]
struct FailureLog {
    /// The log says that the flush follows this event.
    after: &'static str,
    last: Mutex<Option<Instant>>,
}

impl FailureLog {
    const fn new(after: &'static str) -> Self {
        Self {
            after,
            last: Mutex::new(None),
        }
    }

    fn tell(&self, error: &FlushError) {
        if self.is_due(Instant::now()) {
            log::warn(format_args!("{}: {error}", self.after));
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet = last.is_some_and(|last| now.saturating_duration_since(last) < QUIET);
        if !quiet {
            *last = Some(now);
        }
        !quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn with_left(milliseconds: u64) -> Option<Duration> {
        let deadline = NOW + Duration::from_millis(milliseconds);
        bound(FLUSH_TIMEOUT, Some(deadline), NOW)
    }

    #[test]
    fn far_from_the_deadline_the_limit_counts() {
        assert_eq!(bound(FLUSH_TIMEOUT, None, NOW), Some(FLUSH_TIMEOUT));
        assert_eq!(with_left(60_000), Some(FLUSH_TIMEOUT));
        assert_eq!(with_left(5_250), Some(FLUSH_TIMEOUT));
    }

    #[test]
    fn near_the_deadline_a_margin_is_kept() {
        assert_eq!(with_left(5_249), Some(Duration::from_millis(4_999)));
        assert_eq!(with_left(251), Some(Duration::from_millis(1)));
    }

    #[test]
    fn with_no_time_left_there_is_no_flush() {
        assert_eq!(with_left(250), None);
        assert_eq!(with_left(0), None);
        let past = NOW - Duration::from_secs(1);
        assert_eq!(bound(FLUSH_TIMEOUT, Some(past), NOW), None);
    }

    #[test]
    fn a_limit_of_zero_turns_it_off() {
        assert_eq!(bound(Duration::ZERO, None, NOW), None);
    }

    fn timed_out(timeout: Duration, delivered: u64) -> Flushed {
        let report = FlushReport {
            delivered,
            dropped: 0,
            pending: 1,
            spooled: 0,
        };
        Err(FlushError::TimedOut { timeout, report })
    }

    #[test]
    fn after_a_flush_in_vain_the_next_are_short_and_now_and_then_one_is_not() {
        let outage = OutageMemory::default();
        let limits = [(); 12].map(|()| {
            let limit = outage.limit(FLUSH_TIMEOUT);
            outage.learn(&timed_out(limit, 0));
            limit
        });
        let mut expected = [PROBE; 12];
        expected[0] = FLUSH_TIMEOUT;
        expected[10] = FLUSH_TIMEOUT;
        assert_eq!(limits, expected);
    }

    #[test]
    fn once_something_gets_through_the_whole_limit_counts_again() {
        let report = FlushReport::default();
        for got_through in [
            Ok(report),
            Err(FlushError::Dropped { report }),
            timed_out(PROBE, 1),
        ] {
            let outage = OutageMemory::default();
            outage.learn(&timed_out(FLUSH_TIMEOUT, 0));
            assert_eq!(outage.limit(FLUSH_TIMEOUT), PROBE);
            outage.learn(&got_through);
            assert_eq!(outage.limit(FLUSH_TIMEOUT), FLUSH_TIMEOUT);
        }
    }

    #[test]
    fn a_flush_with_hardly_any_time_says_nothing_about_honeyhive() {
        let outage = OutageMemory::default();
        outage.learn(&timed_out(PROBE - Duration::from_millis(1), 0));
        assert_eq!(outage.limit(FLUSH_TIMEOUT), FLUSH_TIMEOUT);
    }

    #[test]
    fn a_limit_below_that_of_a_probe_stays() {
        let outage = OutageMemory::default();
        outage.learn(&timed_out(FLUSH_TIMEOUT, 0));
        assert_eq!(outage.limit(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_failure_is_told_once_a_minute() {
        let failures = FailureLog::new("after an invocation");
        let begin = Instant::now();
        let told = [0, 1, 59, 60, 61, 120].map(|second| {
            let now = begin + Duration::from_secs(second);
            failures.is_due(now)
        });
        assert_eq!(told, [true, false, false, true, false, true]);
    }
}
