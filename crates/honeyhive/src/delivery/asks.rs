//! A call of the typed client is made, tried again where that can help, and answered.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::gate::backoff;
use super::sink::Sink;
use crate::outbox::Asked;
use crate::wire::{Answer, ApiCall, ApiFailure};

/// A call has this many attempts at the most.
const MOST_TRIES: u32 = 3;
/// No further attempt begins this long after the first.
pub(crate) const LONGEST: Duration = Duration::from_secs(10);

/// Makes a call until its answer is final, and sends that to the caller.
pub(super) async fn see_to(sink: Sink, Asked { call, reply }: Asked) {
    let began = Instant::now();
    let mut failed = 0;
    let answer = loop {
        let answer = sink.ask(&call).await;
        failed += 1;
        let wait = again(&call, &answer, failed, rand::random());
        match wait.filter(|wait| began.elapsed() + *wait < LONGEST) {
            Some(wait) => sleep(wait).await,
            None => break answer,
        }
    };
    reply.send(answer);
}

/// Returns the wait before a failed call is made again; `None` where its answer is final.
fn again(
    call: &ApiCall,
    answer: &Result<Answer, ApiFailure>,
    failed: u32,
    chance: f64,
) -> Option<Duration> {
    let (retry_after, may_be_done) = match answer {
        Err(ApiFailure::Status {
            is_transient: true,
            status,
            retry_after,
            ..
        }) => (*retry_after, !is_turned_away(*status)),
        Err(ApiFailure::Unanswered {
            may_have_arrived, ..
        }) => (None, *may_have_arrived),
        _ => return None,
    };
    let may_repeat = call.is_repeatable || !may_be_done;
    (may_repeat && failed < MOST_TRIES)
        .then(|| retry_after.unwrap_or_else(|| backoff(failed, chance)))
}

/// Returns whether a status proves that nothing was done: too early, too many requests, or no server behind the
/// gateway.
const fn is_turned_away(status: u16) -> bool {
    matches!(status, 425 | 429 | 503)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::secret::KeyKind;

    fn call(is_repeatable: bool) -> ApiCall {
        ApiCall {
            method: Method::POST,
            path: "/v1/datasets".to_owned(),
            body: None,
            takes: KeyKind::Project,
            timeout: Duration::from_secs(5),
            is_repeatable,
        }
    }

    fn status(status: u16, retry_after: Option<u64>) -> Result<Answer, ApiFailure> {
        Err(ApiFailure::Status {
            status,
            is_transient: status == 429 || status >= 500,
            retry_after: retry_after.map(Duration::from_secs),
            message: String::new(),
            sent: KeyKind::Project,
            date: None,
        })
    }

    fn unanswered(may_have_arrived: bool) -> Result<Answer, ApiFailure> {
        Err(ApiFailure::Unanswered {
            detail: String::new(),
            may_have_arrived,
        })
    }

    #[test]
    fn a_call_is_made_again_where_that_can_help_and_cannot_do_a_thing_twice() {
        let first = Some(Duration::from_millis(250));
        let asked = Some(Duration::from_secs(7));
        // The rows have the answer, the wait of a call that may be repeated, and that of one that may not.
        for (answer, repeatable, once) in [
            (Ok(Answer::default()), None, None),
            (status(400, None), None, None),
            (status(401, None), None, None),
            (status(404, None), None, None),
            (status(429, Some(7)), asked, asked),
            (status(503, None), first, first),
            (status(500, None), first, None),
            (status(504, Some(7)), asked, None),
            (unanswered(false), first, first),
            (unanswered(true), first, None),
            (Err(ApiFailure::TooLong), None, None),
            (Err(ApiFailure::TestMode), None, None),
        ] {
            for (is_repeatable, expected) in [(true, repeatable), (false, once)] {
                let found = again(&call(is_repeatable), &answer, 1, 0.5);
                assert_eq!(found, expected, "{answer:?}, repeatable: {is_repeatable}");
                assert_eq!(again(&call(is_repeatable), &answer, MOST_TRIES, 0.5), None);
            }
        }
    }
}
