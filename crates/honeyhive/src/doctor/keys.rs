//! Which key is accepted where, and what the first answers say of TLS and of the clock.

use std::time::{Duration, SystemTime};

use http::Method;
use serde_json::json;

use super::asking::{Asker, told};
use super::diagnosis::Diagnosis;
use crate::secret::KeyKind;
use crate::wire::ApiFailure;

/// A clock that differs by more is worth a word: the times of sessions and spans are those of this machine.
const SKEW: Duration = Duration::from_secs(5);

/// Asks with each key; false where no answer came at all.
pub(super) async fn check(diagnosis: &mut Diagnosis, asker: &Asker<'_>, url: &str) -> bool {
    // No JSON object, so that nothing is written: what is refused is the body, where the key is accepted.
    let asked = json!("doctor");
    let written = asker.write(Method::POST, "/v1/sessions", &asked).await;
    let is_answered = !matches!(written, Err(ApiFailure::Unanswered { .. }));
    transport(diagnosis, url, &written);
    if !is_answered {
        return false;
    }
    let kind = asker.writes_with;
    match &written {
        Err(ApiFailure::Status { status: status @ (401 | 403), message, .. }) => diagnosis.fail(
            "write key",
            format!("the {kind} is refused ({status}: {message}): is {} of this project and deployment, and still valid?", kind.variable()),
        ),
        Err(ApiFailure::Status { status: 404, .. }) => diagnosis.fail(
            "write key",
            "there is no `POST /v1/sessions` here (404): is HH_API_URL the address of a HoneyHive data plane?",
        ),
        Err(ApiFailure::Status { status: 400..=499, .. }) | Ok(_) => {
            diagnosis.pass("write key", format!("the {kind} is accepted for sessions and spans"));
        }
        Err(failure) => diagnosis.fail("write key", format!("HoneyHive fails ({}): try again later", told(failure))),
    }
    read_key(diagnosis, asker).await;
    true
}

fn transport<T>(diagnosis: &mut Diagnosis, url: &str, answer: &Result<T, ApiFailure>) {
    let is_tls = url.starts_with("https:");
    match answer {
        Err(ApiFailure::Unanswered { detail, .. }) if is_tls => diagnosis.fail(
            "tls",
            format!("no answer over TLS ({detail}): is the certificate that of this host, and is its authority trusted here? `SSL_CERT_FILE` or `.ca_certificate(..)` name another; the chain is checked in full, with the platform's roots"),
        ),
        Err(ApiFailure::Unanswered { detail, .. }) => {
            diagnosis.fail("http", format!("no answer ({detail}): is that an HTTP server?"));
        }
        _ if is_tls => diagnosis.pass("tls", "the certificate's chain is trusted, and is this host's"),
        _ => diagnosis.skip("tls", "the address is plain http: keys and texts pass unencrypted"),
    }
}

async fn read_key(diagnosis: &mut Diagnosis, asker: &Asker<'_>) {
    let asked_at = SystemTime::now();
    match asker.read("/v1/runs?limit=1").await {
        Ok(got) => {
            diagnosis.pass("project key", "accepted for reading");
            clock(diagnosis, asked_at, got.date);
        }
        Err(ApiFailure::MissingKey(_)) => diagnosis.skip(
            "project key",
            "HH_API_KEY is not set: sessions and spans need no other key than the ingestion key, and nothing is read",
        ),
        Err(ApiFailure::Status { status: status @ (401 | 403), sent, .. }) => {
            let advice = match sent {
                KeyKind::Project => "is it of this deployment, and still valid?",
                _ => "it is no project key: it may write, and reads nothing",
            };
            diagnosis.warn("project key", format!("HH_API_KEY is refused for reading ({status}): {advice}"));
        }
        Err(failure) => diagnosis.warn("project key", format!("nothing was read ({})", told(&failure))),
    }
    diagnosis.skip(
        "data plane key",
        "it is for routes that name a project, which the tracer does not know",
    );
}

fn clock(diagnosis: &mut Diagnosis, asked_at: SystemTime, date: Option<SystemTime>) {
    let Some(date) = date else {
        return diagnosis.skip("clock", "the answer has no `Date`");
    };
    let skew = date
        .duration_since(asked_at)
        .unwrap_or_else(|error| error.duration());
    let seconds = skew.as_secs();
    if skew > SKEW {
        let way = if date > asked_at {
            "behind"
        } else {
            "ahead of"
        };
        diagnosis.warn("clock", format!("this machine is {seconds} s {way} HoneyHive: sessions begin and end at wrong times; is NTP running?"));
    } else {
        diagnosis.pass(
            "clock",
            format!("within {} s of HoneyHive's", SKEW.as_secs()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::CheckOutcome;

    #[test]
    fn a_clock_that_is_off_is_told_with_its_direction() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let hour = Duration::from_secs(3_600);
        for (date, outcome, said) in [
            (Some(now), CheckOutcome::Passed, "within 5 s"),
            (Some(now + hour), CheckOutcome::Warned, "3600 s behind"),
            (Some(now - hour), CheckOutcome::Warned, "3600 s ahead of"),
            (None, CheckOutcome::Skipped, "no `Date`"),
        ] {
            let mut diagnosis = Diagnosis::default();
            clock(&mut diagnosis, now, date);
            let check = &diagnosis.checks[0];
            assert_eq!(check.outcome, outcome);
            assert!(check.detail.contains(said), "{check:?}");
        }
    }
}
