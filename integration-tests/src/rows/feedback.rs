//! People rate answers.

use honeyhive::{EventId, SessionId, SessionTrust, SigningKeys};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::adapter::Adapter;
use crate::client::{Answer, Call};
use crate::harness::{PATIENCE, Stage, StageBuilder};

/// A rating is feedback of the session or of the event that it names, and no session of its own.
pub async fn a_rating_reaches_its_session_or_its_event<A: Adapter>() {
    let stage = stage().start::<A>().await;
    let id = stage.request("POST", "/chat/7").send().await.session_id();
    let event = stage.app.tracer.span("answer").start();
    let event_id = event.event_id();
    drop(event);
    let said =
        json!({"session_id": id, "rating": true, "comment": "to the point", "tags": ["short"]});
    let answer = rate(&stage, &said).send().await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-session-id"), None);
    let said = json!({"event_id": event_id, "rating": 4});
    assert_eq!(rate(&stage, &said).send().await.status, 202);
    stage.settle().await;
    let session = stage.known(id);
    let feedback = json!({"rating": true, "comment": "to the point", "tags": ["short"]});
    assert_eq!(Value::from(session.feedback), feedback);
    let own = stage.honeyhive.sessions();
    assert_eq!(own.len(), 2, "the request's, and the tracer's of the span");
    let rated = own.iter().find(|it| it.session_id != id.to_string());
    let events = stage.honeyhive.events(&rated.unwrap().session_id);
    assert_eq!(events[0].feedback["rating"], 4);
}

/// A body that is no feedback gets an answer that says what to change, and changes nothing.
pub async fn what_is_no_feedback_is_refused<A: Adapter>() {
    let stage = stage().start::<A>().await;
    let id = SessionId::new();
    let good = json!({"session_id": id, "rating": 1});
    let form = stage.request("POST", "/feedback");
    let form = form
        .header("content-type", "text/plain")
        .body(good.to_string());
    let untyped = stage.request("POST", "/feedback").body(good.to_string());
    let long = json!({"session_id": id, "comment": "a".repeat(40_000)});
    for (what, call, status, code) in [
        (
            "a GET",
            stage.request("GET", "/feedback"),
            405,
            "method_not_allowed",
        ),
        ("a form", form, 415, "unsupported_media_type"),
        ("no type", untyped, 415, "unsupported_media_type"),
        ("too long", rate(&stage, &long), 413, "too_large"),
        (
            "no rating",
            rate(&stage, &json!({"session_id": id})),
            400,
            "invalid_feedback",
        ),
        (
            "no id",
            rate(&stage, &json!({"rating": 1})),
            400,
            "invalid_feedback",
        ),
        (
            "an id of nothing",
            rate(&stage, &json!({"session_id": "null", "rating": 1})),
            403,
            "untrusted_id",
        ),
        (
            "an event that is no UUID",
            rate(&stage, &json!({"event_id": "7", "rating": 1})),
            403,
            "untrusted_id",
        ),
    ] {
        let answer = call.send().await;
        assert_eq!(
            (answer.status, error_code(&answer)),
            (status, code.to_owned()),
            "{what}"
        );
    }
    stage.settle().await;
    assert!(stage.honeyhive.requests().is_empty());
    assert_eq!(stage.stats().ignored_session_ids, 2);
}

/// A body that says no length and has no end is read as far as the limit.
pub async fn a_body_without_an_end_is_answered_at_the_limit<A: Adapter>() {
    let stage = stage().start::<A>().await;
    let head = "POST /feedback HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    let chunk = format!("9c40\r\n{}\r\n", " ".repeat(0x9c40));
    let request = format!("{head}{chunk}");
    let mut connection = stage.connect(request.as_bytes()).await;
    let mut answer = [0; 12];
    let read = timeout(PATIENCE, connection.read_exact(&mut answer)).await;
    read.expect("an answer").expect("a whole one");
    assert_eq!(&answer, b"HTTP/1.1 413");
}

/// A limit holds for the ratings of one id in a minute; other ids are not held up by it.
pub async fn an_id_is_rated_so_many_times_a_minute<A: Adapter>() {
    let stage = stage().start::<A>().await;
    let said = json!({"session_id": SessionId::new(), "rating": true});
    for _ in 0..3 {
        assert_eq!(rate(&stage, &said).send().await.status, 202);
    }
    let answer = rate(&stage, &said).send().await;
    assert_eq!(
        (answer.status, &*error_code(&answer)),
        (429, "too_many_requests")
    );
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let other = json!({"session_id": SessionId::new(), "rating": true});
    assert_eq!(rate(&stage, &other).send().await.status, 202);
}

/// A rating must name the signed id of the response header, where ids are signed.
pub async fn a_rating_by_a_signed_id_only<A: Adapter>() {
    let keys = SigningKeys::new([7; 32]).unwrap();
    let trust = SessionTrust::signed(keys.clone());
    let stage = stage()
        .tracer(|builder| builder.session_trust(trust))
        .start::<A>()
        .await;
    let answer = stage.request("POST", "/chat/7").send().await;
    let signed = answer.header("x-session-id").unwrap().to_owned();
    let id = keys.verify(&signed).expect("an id of ours");
    let event = EventId::from(id);
    for (said, status) in [
        (json!({"session_id": signed, "rating": true}), 202),
        (json!({"session_id": id, "rating": false}), 403),
        (json!({"event_id": id, "rating": false}), 403),
        (json!({"event_id": signed, "rating": false}), 403),
        (
            json!({"event_id": keys.sign_event(event), "comment": "fine"}),
            202,
        ),
    ] {
        assert_eq!(rate(&stage, &said).send().await.status, status, "{said}");
    }
    stage.settle().await;
    let feedback = Value::from(stage.known(id).feedback);
    assert_eq!(feedback, json!({"rating": true, "comment": "fine"}));
}

/// An id that a response gave to one tenant is rated by that tenant alone.
pub async fn a_rating_by_an_id_that_is_signed_for_its_tenant<A: Adapter>() {
    let trust = SessionTrust::signed(SigningKeys::new([7; 32]).unwrap());
    let stage = Stage::builder()
        .instrumentation(|builder| {
            builder
                .skip(|it| it.path() == "/feedback")
                .session_tenant(|request| request.header("x-tenant").map(str::to_owned))
        })
        .tracer(|builder| builder.session_trust(trust))
        .start::<A>()
        .await;
    let asked = stage.request("POST", "/chat/7").header("x-tenant", "acme");
    let answer = asked.send().await;
    let signed = answer.header("x-session-id").unwrap().to_owned();
    let said = json!({"session_id": signed, "rating": true});
    let of = |tenant: &str| rate(&stage, &said).header("x-tenant", tenant);
    assert_eq!(of("acme").send().await.status, 202);
    assert_eq!(of("other").send().await.status, 403);
    assert_eq!(rate(&stage, &said).send().await.status, 403);
    let keys = SigningKeys::new([7; 32]).unwrap();
    let of_no_tenant = json!({"session_id": keys.sign(SessionId::new()), "rating": true});
    let rate = || rate(&stage, &of_no_tenant);
    assert_eq!(rate().send().await.status, 202);
    let unknown = rate().header("x-tenant", "broken");
    assert_eq!(unknown.send().await.status, 403);
}

/// Returns a stage that skips ratings: they are no conversations.
fn stage() -> StageBuilder {
    Stage::builder().instrumentation(|builder| builder.skip(|it| it.path() == "/feedback"))
}

fn rate(stage: &Stage, said: &Value) -> Call {
    stage.request("POST", "/feedback").json(said)
}

fn error_code(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(answer.text()).expect("an error is JSON");
    assert!(body["error"]["message"].is_string(), "{body}");
    body["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
