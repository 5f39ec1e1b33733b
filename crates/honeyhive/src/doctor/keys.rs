//! [`check`] tells which key is accepted where, and what the first answer says of TLS and of the clock.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use http::Method;
use serde_json::json;

use super::asking::{Asker, Success, described};
use super::diagnosis::Diagnosis;
use crate::secret::KeyKind;
use crate::wire::{ApiFailure, Obstacle, proxy_to};

/// A clock that differs by more is worth a word: the times of sessions and spans are those of this machine.
const SKEW: Duration = Duration::from_secs(5);

const ELSEWHERE: &str =
    "is HH_API_URL the address of HoneyHive's data plane, the host alone and without a path?";

/// Makes a call with each key; false where HoneyHive was not reached.
pub(super) async fn check(diagnosis: &mut Diagnosis, asker: &Asker<'_>, url: &str) -> bool {
    let asked_at = SystemTime::now();
    let written = offer_no_session(asker, asker.writes_with).await;
    let answered_at = SystemTime::now();
    if let Err(ApiFailure::Unanswered { detail, .. }) = &written {
        unanswered(diagnosis, url, detail);
        return false;
    }
    if url.starts_with("https:") {
        diagnosis.pass(
            "tls",
            "the certificate's chain is trusted, and is this host's",
        );
    } else {
        diagnosis.skip(
            "tls",
            "the address is plain http: keys and texts pass unencrypted",
        );
    }
    write_key(diagnosis, asker.writes_with, url, &written);
    let date = match &written {
        Ok(got) => got.date,
        Err(ApiFailure::Status { date, .. }) => *date,
        Err(_) => None,
    };
    clock(diagnosis, asked_at..=answered_at, date);
    read_key(diagnosis, asker).await;
    data_plane_key(diagnosis, asker).await;
    true
}

/// Offers a session with a key. The body is no object, so that nothing is written: HoneyHive refuses it after accepting
/// the key.
async fn offer_no_session(asker: &Asker<'_>, key: KeyKind) -> Result<Success, ApiFailure> {
    let body = json!("doctor");
    asker
        .ask(Method::POST, "/v1/sessions", Some(&body), key)
        .await
}

/// Reports where the way to HoneyHive ends; the detail has advice, where there is any.
fn unanswered(diagnosis: &mut Diagnosis, url: &str, detail: &str) {
    let (name, advice) = match Obstacle::in_the_way_to(url, detail) {
        Some(it) => (name_of(it), ""),
        None if detail.contains("timed out") => (
            "http",
            "; it takes connections and does not answer: is a firewall or a proxy between? HH_API_TIMEOUT is how long an answer may take",
        ),
        None if url.starts_with("https:") => ("tls", "; is that a server of HTTPS?"),
        None => ("http", "; is that a server of HTTP, without TLS?"),
    };
    diagnosis.fail(name, format!("no answer: {detail}{advice}"));
}

const fn name_of(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::NoTls | Obstacle::OtherHost | Obstacle::Expired | Obstacle::Untrusted => "tls",
        Obstacle::NoHttp => "http",
        Obstacle::NoProxy(_) | Obstacle::ClosedProxy(_) | Obstacle::SocksProxy(_) => "proxy",
        Obstacle::NobodyListens => "tcp",
        Obstacle::NoSuchHost => "dns",
    }
}

/// Reports from the answer to a body that is no session whether the key is accepted, and what kind of server answers.
fn write_key(
    diagnosis: &mut Diagnosis,
    kind: KeyKind,
    url: &str,
    written: &Result<Success, ApiFailure>,
) {
    let (status, message, sent) =
        match written {
            Err(ApiFailure::Status {
                status,
                message,
                sent,
                ..
            }) => (*status, message.as_str(), *sent),
            Ok(_) => return diagnosis.fail(
                "write key",
                format!(
                    "no HoneyHive answers, for what is no session is a success to it: {ELSEWHERE}"
                ),
            ),
            Err(failure) => return diagnosis.fail("write key", described(failure)),
        };
    match status {
        status if is_no_session(status) => diagnosis.pass(
            "write key",
            format!("the {sent} is accepted for sessions and spans"),
        ),
        401 | 403 => diagnosis.fail(
            "write key",
            format!(
                "the {sent} is refused ({status}: {message}): {}",
                refused(kind, sent)
            ),
        ),
        407 => {
            let proxy = proxy_to(url).ok().flatten();
            let variable = proxy.map_or("HTTP_PROXY", |(variable, _)| variable);
            diagnosis.fail("proxy", format!("it wants a login (407): put name and password into the URL of {variable}, or name the server's host in NO_PROXY"));
        }
        429 => diagnosis.warn(
            "write key",
            format!("HoneyHive has too many calls of the {sent} (429): try again later"),
        ),
        300..=399 => diagnosis.fail(
            "write key",
            format!("no HoneyHive answers ({status}: {message}): {ELSEWHERE}"),
        ),
        400..=499 => diagnosis.fail(
            "write key",
            format!("there is no `POST /v1/sessions` here ({status}): {ELSEWHERE}"),
        ),
        _ => diagnosis.fail(
            "write key",
            format!("HoneyHive fails ({status}: {message}): try again later"),
        ),
    }
}

/// Returns the reason for which a key is refused, and advice: `kind` was wanted, and the key looks like `sent`.
fn refused(kind: KeyKind, sent: KeyKind) -> String {
    let variable = kind.variable();
    if kind == sent {
        return format!("is {variable} of this project and deployment, and still valid?");
    }
    let place = sent.variable();
    format!("{variable} holds a {sent}, which is for {place}; write a {kind} there")
}

async fn read_key(diagnosis: &mut Diagnosis, asker: &Asker<'_>) {
    match asker.read("/v1/runs?limit=1").await {
        Ok(_) => diagnosis.pass("project key", place_of_project_key(asker).await),
        Err(ApiFailure::MissingKey(_)) => diagnosis.skip(
            "project key",
            "HH_API_KEY is not set: sessions and spans need no other key than the ingestion key, and nothing is read",
        ),
        Err(ApiFailure::Status { status: status @ (401 | 403), sent, .. }) => {
            let advice = match sent {
                KeyKind::Ingestion => "it is an ingestion key, which writes and reads nothing".to_owned(),
                _ => refused(KeyKind::Project, sent),
            };
            diagnosis.warn("project key", format!("HH_API_KEY is refused for reading ({status}): {advice}"));
        }
        Err(failure) => diagnosis.warn("project key", format!("nothing was read ({})", described(&failure))),
    }
}

/// Returns where the project key is accepted, besides what the write key has told where it is the same.
async fn place_of_project_key(asker: &Asker<'_>) -> &'static str {
    if asker.writes_with == KeyKind::Project {
        return "accepted for reading";
    }
    match offer_no_session(asker, KeyKind::Project).await {
        Err(ApiFailure::Status { status, .. }) if is_no_session(status) => {
            "accepted for reading, and for sessions and spans, which go with the ingestion key"
        }
        Err(ApiFailure::Status {
            status: 401 | 403, ..
        }) => "accepted for reading alone: sessions and spans go with the ingestion key",
        _ => "accepted for reading",
    }
}

/// Asks for the datasets of a project that does not exist: a key that is refused is refused before that.
async fn data_plane_key(diagnosis: &mut Diagnosis, asker: &Asker<'_>) {
    const NAME: &str = "data plane key";
    let asked = asker.ask(
        Method::GET,
        "/v1/projects/doctor/datasets",
        None,
        KeyKind::DataPlane,
    );
    match asked.await {
        Err(ApiFailure::MissingKey(_)) => diagnosis.skip(
            NAME,
            "HH_DATA_PLANE_API_KEY is not set: it is for routes that name a project (`client().in_project(..)`) and for no other",
        ),
        Ok(_) | Err(ApiFailure::Status { status: 400 | 422, .. }) => {
            diagnosis.pass(NAME, "accepted for routes that name a project");
        }
        Err(ApiFailure::Status { status: 404, .. }) => diagnosis.skip(
            NAME,
            "it is not refused, and the project that was asked for is not there (404), so nothing says that it is accepted",
        ),
        Err(ApiFailure::Status { status: 401, sent, .. }) => diagnosis.warn(
            NAME,
            format!("HH_DATA_PLANE_API_KEY is refused (401): {}", refused(KeyKind::DataPlane, sent)),
        ),
        // An answer of 403 may be about the project, and not about the key.
        Err(failure) => diagnosis.skip(NAME, format!("it cannot be told ({})", described(&failure))),
    }
}

/// Returns true for the statuses with which a server that validates bodies refuses what is no session.
const fn is_no_session(status: u16) -> bool {
    matches!(status, 400 | 409 | 413 | 415 | 422)
}

/// Compares the date of an answer with this machine's clock, which read `during` from the question to the answer.
fn clock(diagnosis: &mut Diagnosis, during: RangeInclusive<SystemTime>, date: Option<SystemTime>) {
    let Some(date) = date else {
        return diagnosis.skip("clock", "the answer has no `Date`");
    };
    let behind = date.duration_since(*during.end()).unwrap_or_default();
    let ahead = during.start().duration_since(date).unwrap_or_default();
    let skew = behind.max(ahead);
    if skew > SKEW {
        let seconds = skew.as_secs();
        let way = if behind > ahead { "behind" } else { "ahead of" };
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
            clock(&mut diagnosis, now..=now, date);
            let check = &diagnosis.checks[0];
            assert_eq!(check.outcome, outcome);
            assert!(check.detail.contains(said), "{check:?}");
        }
    }

    #[test]
    fn an_answer_that_takes_its_time_is_no_clock_that_is_off() {
        let asked_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let answered_at = asked_at + Duration::from_secs(20);
        for date in [asked_at, answered_at] {
            let mut diagnosis = Diagnosis::default();
            clock(&mut diagnosis, asked_at..=answered_at, Some(date));
            assert_eq!(diagnosis.checks[0].outcome, CheckOutcome::Passed);
        }
    }
}
