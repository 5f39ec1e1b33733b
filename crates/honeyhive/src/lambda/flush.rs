//! The flush after an invocation: how long it may take, and how it is waited for.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::oneshot;

use super::Inner;
use crate::error::FlushError;
use crate::outbox::{Command, Flushed, Reply};

/// How long the flush may take, unless told otherwise.
pub(super) const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// What is left of the invocation for its end.
const MARGIN: Duration = Duration::from_millis(250);
/// Who reads the log of a function that cannot deliver has read it once.
const QUIET: Duration = Duration::from_secs(60);

/// How long a flush may take that begins now; `None` where there is no time for one.
fn bound(limit: Duration, deadline: Option<SystemTime>, now: SystemTime) -> Option<Duration> {
    let left = deadline.map_or(Duration::MAX, |deadline| {
        let left = deadline.duration_since(now).unwrap_or_default();
        left.saturating_sub(MARGIN)
    });
    Some(limit.min(left)).filter(|bound| !bound.is_zero())
}

/// A flush that has begun, or not yet, or is over.
#[derive(Debug)]
pub(super) enum Flush {
    ToBegin(Option<SystemTime>),
    UnderWay(oneshot::Receiver<Flushed>),
    Over,
}

impl Flush {
    pub(super) fn poll(&mut self, inner: &Inner, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self {
                Self::ToBegin(deadline) => *self = Self::begin(inner, *deadline),
                Self::UnderWay(answer) => {
                    let flushed = ready!(Pin::new(answer).poll(cx));
                    if let Err(error) = flushed.unwrap_or(Err(FlushError::ShutDown)) {
                        inner.grumbler.grumble(&error);
                    }
                    *self = Self::Over;
                }
                Self::Over => return Poll::Ready(()),
            }
        }
    }

    fn begin(inner: &Inner, deadline: Option<SystemTime>) -> Self {
        let Some(bound) = bound(inner.flush_timeout, deadline, SystemTime::now()) else {
            tracing::debug!(target: "honeyhive", "no time is left for a flush; what is pending goes with the next invocation");
            return Self::Over;
        };
        let (reply, answer) = Reply::awaited();
        let outbox = inner.tracer.outbox();
        outbox.command(Command::Flush(bound, reply));
        Self::UnderWay(answer)
    }
}

/// Says that a flush has failed, once a minute.
#[derive(Debug, Default)]
pub(super) struct Grumbler {
    last: Mutex<Option<Instant>>,
}

impl Grumbler {
    fn grumble(&self, error: &FlushError) {
        if self.is_due(Instant::now()) {
            tracing::warn!(target: "honeyhive", "after an invocation: {error}");
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

    #[test]
    fn a_failure_is_told_once_a_minute() {
        let grumbler = Grumbler::default();
        let begin = Instant::now();
        let told = [0, 1, 59, 60, 61, 120].map(|second| {
            let now = begin + Duration::from_secs(second);
            grumbler.is_due(now)
        });
        assert_eq!(told, [true, false, false, true, false, true]);
    }
}
