//! [`judge`] decides what becomes of a call after its answer, whether it came from memory or from disk.

use std::time::Duration;

use tokio::time::Instant;

use super::gate::{asked_for, backoff, urgent_backoff};
use super::sealed::{Parts, Sealed};
use super::sink::Sink;
use crate::report::DropReason;
use crate::wire::{Answer, Failure, Retry};

/// A call that failed this often, while others got through, is given up. Where three calls in ten fail by chance, that
/// happens to one in two hundred million.
const MOST_TRIES: u32 = 16;

/// A call for a session or an event that HoneyHive does not know has this many attempts at the most.
const UNKNOWN_TRIES: u32 = 3;
/// Such a call from disk has this many attempts at the most: the data that creates its session may be on another
/// process's disk.
const UNKNOWN_TRIES_FROM_DISK: u32 = 10;
/// A call for an unknown session first waits this long; each further wait is twice as long.
const UNKNOWN_WAIT: Duration = Duration::from_millis(500);
const LONGEST_UNKNOWN_WAIT: Duration = Duration::from_secs(30);

/// Calls on disk pause for this time after a refused key, which somebody must put right.
pub(super) const UNAUTHORIZED_PAUSE: Duration = Duration::from_secs(60);

/// A verdict depends on these facts besides the call and its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances<'a> {
    pub(super) now: Instant,
    /// So many calls on the same route have got through so far.
    pub(super) got_through: u64,
    /// The flag tells whether an item of ours may still create the call's target.
    pub(super) is_expected: bool,
    /// The flag tells whether a flush waits for the call.
    pub(super) is_urgent: bool,
    /// The jitter is a number from 0 to 1, by chance.
    pub(super) jitter: f64,
    /// The sink can make the call smaller.
    pub(super) sink: &'a Sink,
}

/// A verdict is the decision about a call after its answer.
#[derive(Debug)]
pub(super) enum Verdict {
    Delivered,
    /// The call has failed, and is tried again at that time.
    Again(Instant),
    /// The call was too large, and is made in these parts.
    Smaller(Parts),
    /// The session or event of the update is not known yet; the call is tried again at that time.
    Await(Instant),
    Drop(DropReason),
}

/// Decides about a call after its answer.
pub(super) fn judge(
    call: &Sealed,
    answer: &Result<Answer, Failure>,
    at: &Circumstances<'_>,
) -> Verdict {
    let Err(failure) = answer else {
        return Verdict::Delivered;
    };
    match failure {
        Failure::Transient { retry, .. } => again(call, *retry, at),
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

fn again(call: &Sealed, retry: Retry, at: &Circumstances<'_>) -> Verdict {
    let failed = call.tries.failed + 1;
    let before = call.tries.others_before.unwrap_or(at.got_through);
    // A call that is to come later is not one that never gets through.
    if retry == Retry::Soon && call.tries.unasked + 1 >= MOST_TRIES && at.got_through > before {
        return Verdict::Drop(DropReason::RetriesExhausted);
    }
    let wait = match retry {
        Retry::After(asked) => asked_for(asked),
        Retry::Soon | Retry::Fewer if at.is_urgent => urgent_backoff(failed, at.jitter),
        Retry::Soon | Retry::Fewer => backoff(failed, at.jitter),
    };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::claim::Claim;
    use crate::delivery::gate::{LONGEST_BACKOFF, LONGEST_PAUSE};
    use crate::delivery::sealed::{Body, Home, Target, Tries};
    use crate::model::id::SessionId;
    use crate::spool::{Kind, Ticket};

    /// A test expects a kind of verdict, without its content.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Expected {
        Delivered,
        Again(Duration),
        Cut,
        Await(Duration),
        Drop(DropReason),
    }

    const JITTER: f64 = 0.5;

    fn call(target: Target, on_disk: bool, tries: Tries) -> Sealed {
        let body = match target {
            Target::Traces => Body::Plain(Vec::new()),
            _ => Body::Json(br#"{"session_name":"short"}"#.as_slice().into()),
        };
        let mut call = Sealed::new(target, body, Claim::none(), Instant::now());
        call.tries = tries;
        if on_disk {
            call.home = Home::Disk(Ticket::of(Kind::Update));
        }
        call
    }

    fn circumstances() -> Circumstances<'static> {
        Circumstances {
            now: Instant::now(),
            got_through: 9,
            is_expected: false,
            is_urgent: false,
            jitter: JITTER,
            sink: &Sink::Nowhere,
        }
    }

    fn verdict_of(call: &Sealed, answer: &Result<Answer, Failure>, is_expected: bool) -> Expected {
        let at = Circumstances {
            is_expected,
            ..circumstances()
        };
        let now = at.now;
        match judge(call, answer, &at) {
            Verdict::Delivered => Expected::Delivered,
            Verdict::Again(then) => Expected::Again(then - now),
            Verdict::Smaller(_) => Expected::Cut,
            Verdict::Await(then) => Expected::Await(then - now),
            Verdict::Drop(reason) => Expected::Drop(reason),
        }
    }

    fn refused(status: u16) -> Result<Answer, Failure> {
        let message = String::new();
        Err(Failure::Refused { status, message })
    }

    fn transient(retry: Retry) -> Result<Answer, Failure> {
        let detail = String::new();
        Err(Failure::Transient { retry, detail })
    }

    fn targets() -> [Target; 3] {
        let id = SessionId::new();
        [Target::Start(id), Target::Update(id), Target::Traces]
    }

    fn tried(failed: u32, unknown: u32, others_before: Option<u64>) -> Tries {
        Tries {
            failed,
            unasked: failed,
            unknown,
            others_before,
            not_before: None,
        }
    }

    #[test]
    fn whatever_the_call_and_wherever_it_waits() {
        let seconds = Duration::from_secs;
        let after = |asked| transient(Retry::After(seconds(asked)));
        for target in targets() {
            for on_disk in [false, true] {
                let of = |tries| call(target, on_disk, tries);
                let fresh = of(Tries::default());
                let row = |answer| verdict_of(&fresh, &answer, false);
                assert_eq!(row(Ok(Answer::default())), Expected::Delivered);
                for retry in [Retry::Soon, Retry::Fewer] {
                    assert_eq!(row(transient(retry)), Expected::Again(seconds(1) / 4));
                }
                assert_eq!(row(after(7)), Expected::Again(seconds(7)));
                assert_eq!(row(after(86_400)), Expected::Again(seconds(300)));
                for status in [400, 405, 409, 422, 501] {
                    assert_eq!(row(refused(status)), Expected::Drop(DropReason::Rejected));
                }
                assert_eq!(row(refused(413)), Expected::Drop(DropReason::TooLarge));
                for status in [401, 403] {
                    let expected = if on_disk {
                        Expected::Again(UNAUTHORIZED_PAUSE)
                    } else {
                        Expected::Drop(DropReason::Unauthorized)
                    };
                    assert_eq!(row(refused(status)), expected, "{target:?}");
                }
                let last = MOST_TRIES - 1;
                let at_the_last = |answer| verdict_of(&of(tried(last, 0, Some(8))), &answer, false);
                let exhausted = Expected::Drop(DropReason::RetriesExhausted);
                assert_eq!(at_the_last(transient(Retry::Soon)), exhausted);
                let later = at_the_last(transient(Retry::Fewer));
                assert_eq!(later, Expected::Again(LONGEST_BACKOFF / 2));
                assert_eq!(at_the_last(after(7)), Expected::Again(seconds(7)));
                let asked = Tries {
                    unasked: 0,
                    ..tried(last, 0, Some(8))
                };
                let once = verdict_of(&of(asked), &transient(Retry::Soon), false);
                assert_eq!(once, Expected::Again(LONGEST_BACKOFF / 2), "429 until then");
                for others_before in [Some(9), None] {
                    let in_an_outage = of(tried(last, 0, others_before));
                    let again = verdict_of(&in_an_outage, &transient(Retry::Soon), false);
                    assert!(matches!(again, Expected::Again(_)), "{again:?}");
                }
            }
        }
    }

    #[test]
    fn a_call_that_a_flush_waits_for_rests_no_longer_than_a_probe_of_an_outage() {
        let call = call(targets()[0], false, tried(9, 0, None));
        for (is_urgent, longest) in [(false, LONGEST_BACKOFF), (true, LONGEST_PAUSE)] {
            let at = Circumstances {
                is_urgent,
                ..circumstances()
            };
            let verdict = judge(&call, &transient(Retry::Soon), &at);
            let expected = at.now + longest.mul_f64(JITTER);
            assert!(
                matches!(verdict, Verdict::Again(then) if then == expected),
                "{verdict:?}"
            );
        }
    }

    #[test]
    fn what_is_not_known_is_awaited_so_often() {
        let [start, update, traces] = targets();
        let half = Duration::from_millis(500);
        let rejected = Expected::Drop(DropReason::Rejected);
        // The columns have the target, whether it is on disk, the attempts that found nothing, whether an item may
        // create it, and the verdict.
        let table = [
            (start, false, 0, false, rejected),
            (start, false, 0, true, rejected),
            (start, true, 0, false, rejected),
            (start, true, 0, true, rejected),
            (traces, false, 0, false, rejected),
            (traces, false, 0, true, rejected),
            (traces, true, 0, false, rejected),
            (traces, true, 0, true, rejected),
            (update, false, 0, false, Expected::Await(half)),
            (update, false, 0, true, Expected::Await(half)),
            (update, false, 2, false, Expected::Await(4 * half)),
            (update, false, 2, true, Expected::Await(4 * half)),
            (update, false, 3, false, rejected),
            (update, false, 3, true, Expected::Await(8 * half)),
            (update, true, 3, false, Expected::Await(8 * half)),
            (update, true, 3, true, Expected::Await(8 * half)),
            (
                update,
                true,
                9,
                false,
                Expected::Await(LONGEST_UNKNOWN_WAIT),
            ),
            (update, true, 9, true, Expected::Await(LONGEST_UNKNOWN_WAIT)),
            (update, true, 10, false, rejected),
            (
                update,
                true,
                10,
                true,
                Expected::Await(LONGEST_UNKNOWN_WAIT),
            ),
        ];
        for (target, on_disk, unknown, is_expected, expected) in table {
            // Tries that failed are counted apart.
            let call = call(target, on_disk, tried(15, unknown, Some(0)));
            let verdict = verdict_of(&call, &refused(404), is_expected);
            assert_eq!(verdict, expected, "{target:?} {on_disk} {unknown}");
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_cut() {
        let mut call = call(targets()[0], false, Tries::default());
        let body = serde_json::json!({"session_name": "x".repeat(1_000_000)});
        call.body = Body::Json(body.to_string().into());
        assert_eq!(verdict_of(&call, &refused(413), false), Expected::Cut);
    }
}
