//! [`judge`]: what becomes of a call after its answer, whether it came from memory or from disk.

use std::time::Duration;

use tokio::time::Instant;

use super::gate::{asked_for, backoff};
use super::sealed::{Body, Sealed};
use super::sink::Sink;
use crate::report::DropReason;
use crate::wire::{Answer, Failure};

/// A call that failed so often, while others got through, is given up. Where three calls in ten fail by chance,
/// that happens to one in two hundred million.
const MOST_TRIES: u32 = 16;

/// So often HoneyHive is asked again for a session or an event that it does not know.
const UNKNOWN_TRIES: u32 = 3;
/// What is on disk is asked for longer: another process may have there what creates it.
const UNKNOWN_TRIES_FROM_DISK: u32 = 10;
/// The first wait for what is unknown; each further one is twice as long.
const UNKNOWN_WAIT: Duration = Duration::from_millis(500);
const LONGEST_UNKNOWN_WAIT: Duration = Duration::from_secs(30);

/// A refused key is somebody's to put right: what is on disk waits for that.
pub(super) const UNAUTHORIZED_PAUSE: Duration = Duration::from_secs(60);

/// What the verdict depends on besides the call and its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances<'a> {
    pub(super) now: Instant,
    /// How many calls on the same way have got through so far.
    pub(super) got_through: u64,
    /// Something of ours may still create what the call updates.
    pub(super) is_expected: bool,
    /// A number from 0 to 1, by chance.
    pub(super) jitter: f64,
    /// What can make the call smaller.
    pub(super) sink: &'a Sink,
}

/// What becomes of a call.
#[derive(Debug)]
pub(super) enum Verdict {
    Delivered,
    /// It failed, and is tried again then.
    Again(Instant),
    /// It was too large, and is made in these parts.
    Smaller(Parts),
    /// What it updates is not known yet, and is asked for again then.
    Await(Instant),
    Drop(DropReason),
}

/// A call that was too large.
#[derive(Debug)]
pub(super) enum Parts {
    /// In two calls, with how many items are in each.
    Halves([(Body, u64); 2]),
    /// With its texts cut to so many bytes.
    Cut(Body, usize),
}

/// Says what becomes of a call after its answer.
pub(super) fn judge(
    call: &Sealed,
    answer: &Result<Answer, Failure>,
    at: &Circumstances<'_>,
) -> Verdict {
    let Err(failure) = answer else {
        return Verdict::Delivered;
    };
    match failure {
        Failure::Transient { retry_after, .. } => again(call, *retry_after, at),
        Failure::Refused { status: 413, .. } => match at.sink.smaller(call) {
            Some(parts) => Verdict::Smaller(parts),
            None => Verdict::Drop(DropReason::TooLarge),
        },
        Failure::Refused {
            status: 401 | 403, ..
        } => {
            if call.home.is_disk() {
                Verdict::Again(at.now + UNAUTHORIZED_PAUSE)
            } else {
                Verdict::Drop(DropReason::Unauthorized)
            }
        }
        Failure::Refused { status: 404, .. } if call.target.is_update() => unknown(call, at),
        Failure::Refused { .. } => Verdict::Drop(DropReason::Rejected),
    }
}

fn again(call: &Sealed, retry_after: Option<Duration>, at: &Circumstances<'_>) -> Verdict {
    let failed = call.tries.failed + 1;
    let before = call.tries.others_before.unwrap_or(at.got_through);
    if failed >= MOST_TRIES && at.got_through > before {
        return Verdict::Drop(DropReason::RetriesExhausted);
    }
    let wait = retry_after.map_or_else(|| backoff(failed, at.jitter), asked_for);
    Verdict::Again(at.now + wait)
}

fn unknown(call: &Sealed, at: &Circumstances<'_>) -> Verdict {
    let most = if call.home.is_disk() {
        UNKNOWN_TRIES_FROM_DISK
    } else {
        UNKNOWN_TRIES
    };
    if !at.is_expected && call.tries.unknown >= most {
        return Verdict::Drop(DropReason::Rejected);
    }
    let wait = UNKNOWN_WAIT * (1 << call.tries.unknown.min(10));
    Verdict::Await(at.now + wait.min(LONGEST_UNKNOWN_WAIT))
}
