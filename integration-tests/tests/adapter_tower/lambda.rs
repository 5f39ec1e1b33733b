//! `honeyhive_tower::LambdaLayer` runs with the runtime of `lambda_runtime`: the function is a process, Lambda's
//! runtime API a stand-in that notes what HoneyHive has whenever it is called.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests may"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use honeyhive::SessionId;
use honeyhive_local::{Fault, LocalServer, LocalSession};
use integration_tests::harness::PATIENCE;
use integration_tests::harness::local_server;
use lambda_example::runtime_api::{Call, FUNCTION_NAME, Outcome, RuntimeApi};
use serde_json::{Value, json};
use tokio::process::Child;

const ID: &str = "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11";
/// This time is shorter than the margin for the end of an invocation.
const HARDLY_ANY_TIME: Duration = Duration::from_millis(100);

/// `Seen` is a call of the function, and what HoneyHive had when it came.
#[derive(Debug)]
struct Seen {
    call: Call,
    sessions: Vec<LocalSession>,
    events: usize,
}

/// A `Stage` is a function and the two services that it talks to.
struct Stage {
    honeyhive: Arc<LocalServer>,
    api: RuntimeApi,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// The process, which is killed in the end.
    _function: Child,
}

impl Stage {
    async fn start() -> Self {
        Self::with("").await
    }

    /// Starts the function with these settings.
    async fn with(settings: &str) -> Self {
        let honeyhive = local_server().start().await.unwrap();
        let honeyhive = Arc::new(honeyhive);
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (there, noted) = (Arc::clone(&honeyhive), Arc::clone(&seen));
        let api = RuntimeApi::observed(move |call| {
            noted.lock().unwrap().push(Seen {
                call: call.clone(),
                sessions: there.sessions(),
                events: there.stats().events,
            });
        });
        let api = api.await.unwrap();
        let function = api
            .function(Path::new(env!("CARGO_BIN_EXE_lambda-function")))
            .env("FUNCTION_SETTINGS", settings)
            .env("HH_API_URL", honeyhive.url())
            .env("HH_API_KEY", "hh_lambda")
            .spawn()
            .unwrap();
        Self {
            honeyhive,
            api,
            seen,
            _function: function,
        }
    }

    async fn invoke(&self, event: impl Into<Vec<u8>>) -> Outcome {
        soon(self.api.invoke(event)).await
    }

    /// Invokes the function, and waits until it asks for more.
    async fn outcome(&self, event: impl Into<Vec<u8>>) -> Outcome {
        let outcome = self.invoke(event).await;
        self.idle().await;
        outcome
    }

    async fn idle(&self) {
        soon(self.api.idle()).await;
    }

    /// Invokes the function, waits until it asks for more, and returns the one session that there is then.
    async fn session_of(&self, event: impl Into<Vec<u8>>) -> LocalSession {
        self.outcome(event).await;
        let mut sessions = self.honeyhive.sessions();
        assert_eq!(sessions.len(), 1, "{sessions:#?}");
        sessions.remove(0)
    }

    fn starts(&self) -> usize {
        let calls = self.honeyhive.requests();
        let starts = calls.iter().filter(|call| call.path == "/v1/sessions");
        starts.count()
    }

    fn calls(&self) -> Vec<Call> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|seen| seen.call.clone()).collect()
    }

    /// Returns the contents of HoneyHive at the time when the function asked for an event, the `nth` time.
    fn when_it_asked(&self, nth: usize) -> (Vec<LocalSession>, usize) {
        let seen = self.seen.lock().unwrap();
        let mut asked = seen.iter().filter(|seen| seen.call == Call::Next);
        let seen = asked.nth(nth - 1).expect("it asked so often");
        (seen.sessions.clone(), seen.events)
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    let limited = tokio::time::timeout(PATIENCE, future);
    limited.await.expect("it happens")
}

fn session_id(outcome: &Outcome) -> String {
    let Outcome::Response(answer) = outcome else {
        panic!("no answer: {outcome:?}");
    };
    answer["session_id"].as_str().expect("an id").to_owned()
}

fn error_message(outcome: &Outcome) -> &str {
    let Outcome::Error(error) = outcome else {
        panic!("no error: {outcome:?}");
    };
    error["errorMessage"].as_str().expect("a message")
}

#[tokio::test]
async fn an_invocation_is_one_session_with_its_request_id_and_its_event() {
    let stage = Stage::start().await;
    let event = json!({"message": "hi", "many": [1, 2.5, null]});
    let outcome = stage.outcome(event.to_string()).await;
    let sessions = stage.honeyhive.sessions();
    let [session] = sessions.as_slice() else {
        panic!("one session: {sessions:#?}");
    };
    assert_eq!(session.session_id, session_id(&outcome));
    assert_eq!(session.name.as_deref(), Some(FUNCTION_NAME));
    assert_eq!(Value::from(session.inputs.clone()), json!({"event": event}));
    assert_eq!(session.metadata["request_id"], "request-1");
    assert_eq!(session.metadata["cold_start"], true);
    assert_eq!(session.metadata["outcome"], "complete");
    assert_eq!(
        stage.honeyhive.tree(&session.session_id),
        format!("{FUNCTION_NAME}\n  work [tool]\n")
    );
    assert_eq!((stage.starts(), session.metadata.get("error")), (1, None));
}

#[tokio::test]
async fn only_the_first_invocation_of_an_environment_is_a_cold_start() {
    let stage = Stage::start().await;
    for _ in 0..3 {
        stage.outcome("{}").await;
    }
    let sessions = stage.honeyhive.sessions();
    let cold = sessions.iter().map(|it| it.metadata["cold_start"].clone());
    assert_eq!(cold.collect::<Vec<_>>(), [true, false, false]);
}

#[tokio::test]
async fn an_event_with_a_session_id_goes_on_in_that_session() {
    let stage = Stage::start().await;
    let id = session_id(&stage.outcome("{}").await);
    let again = json!({ "session_id": id }).to_string();
    assert_eq!(session_id(&stage.outcome(again).await), id);
    let sessions = stage.honeyhive.sessions();
    assert_eq!((sessions.len(), stage.starts()), (1, 1), "{sessions:#?}");
    assert_eq!(sessions[0].metadata["request_id"], "request-2");
    assert_eq!(
        stage.honeyhive.tree(&id),
        format!("{FUNCTION_NAME}\n  work [tool]\n  work [tool]\n")
    );
}

#[tokio::test]
async fn a_session_that_nobody_has_begun_is_created_by_the_spans_of_its_invocation() {
    let stage = Stage::start().await;
    let event = json!({"session_id": "conversation 7"});
    let session = stage.session_of(event.to_string()).await;
    let expected = SessionId::from_correlation_id("conversation 7");
    assert_eq!(session.session_id, expected.to_string());
    assert_eq!(session.metadata["outcome"], "complete");
    assert!(session.auto_created);
    let (then, events) = stage.when_it_asked(2);
    assert_eq!(
        (then[0].metadata["outcome"].as_str(), events),
        (Some("complete"), 1)
    );
}

#[tokio::test]
async fn everything_has_arrived_before_the_next_event_is_asked_for() {
    let stage = Stage::start().await;
    for invocations in 1..=5 {
        stage.outcome("{}").await;
        let (sessions, events) = stage.when_it_asked(invocations + 1);
        assert_eq!((sessions.len(), events), (invocations, invocations));
        let last = sessions.last().unwrap();
        assert_eq!(last.metadata["outcome"], "complete", "{last:#?}");
    }
}

#[tokio::test]
async fn the_answer_does_not_wait_for_the_flush() {
    let stage = Stage::start().await;
    stage.outcome("{}").await;
    let seen = stage.seen.lock().unwrap();
    let answered = seen
        .iter()
        .find(|seen| matches!(seen.call, Call::Response(_)));
    assert!(answered.unwrap().sessions.is_empty(), "{seen:#?}");
}

#[tokio::test]
async fn a_honeyhive_that_hangs_holds_up_neither_the_answer_nor_beyond_the_deadline_the_next_event()
{
    let stage = Stage::start().await;
    stage.honeyhive.fail(Fault::hang());
    let limit = Duration::from_secs(1);
    let outcome = soon(stage.api.invoke_within(limit, "{}")).await;
    assert!(matches!(outcome, Outcome::Response(_)));
    // The function's own limit is an hour, so it is the deadline that ends this.
    stage.idle().await;
    let response = Call::Response("request-1".to_owned());
    assert_eq!(stage.calls(), [Call::Next, response, Call::Next]);
    assert_eq!(stage.when_it_asked(2), (vec![], 0));

    stage.honeyhive.heal();
    // Invocations do not wait for everything until something has got through.
    let mut invocations = 1;
    while stage.when_it_asked(invocations + 1).1 < invocations {
        stage.outcome("{}").await;
        invocations += 1;
    }
    let (sessions, events) = stage.when_it_asked(invocations + 1);
    assert_eq!((sessions.len(), events), (invocations, invocations));
}

#[tokio::test]
async fn a_honeyhive_that_hangs_on_does_not_hold_up_every_event_as_long() {
    let stage = Stage::start().await;
    stage.honeyhive.fail(Fault::hang());
    let limit = Duration::from_secs(1);
    soon(stage.api.invoke_within(limit, "{}")).await;
    // The function's own limit is an hour, and the deadline a minute off.
    for _ in 0..3 {
        stage.outcome("{}").await;
    }
    assert_eq!(stage.when_it_asked(5), (vec![], 0));
}

#[tokio::test]
async fn near_the_deadline_no_flush_is_begun_and_the_data_goes_with_the_next_invocation() {
    let stage = Stage::start().await;
    stage.honeyhive.fail(Fault::status(503));
    let outcome = soon(stage.api.invoke_within(HARDLY_ANY_TIME, "{}")).await;
    let first = session_id(&outcome);
    stage.idle().await;
    assert_eq!(stage.when_it_asked(2), (vec![], 0));

    stage.honeyhive.heal();
    let second = session_id(&stage.outcome("{}").await);
    let (sessions, events) = stage.when_it_asked(3);
    let mut ids: Vec<_> = sessions.iter().map(|it| &it.session_id).collect();
    ids.sort();
    let mut expected = [&first, &second];
    expected.sort();
    assert_eq!((ids.as_slice(), events), (expected.as_slice(), 2));
}

#[tokio::test]
async fn a_flush_that_is_turned_off_is_not_waited_for() {
    let stage = Stage::with("no-flush").await;
    stage.honeyhive.fail(Fault::hang());
    stage.outcome("{}").await;
    stage.outcome("{}").await;
    assert_eq!(stage.when_it_asked(3), (vec![], 0));
}

#[tokio::test]
async fn a_handler_that_fails_is_an_error_of_its_session_and_the_answer_is_the_same() {
    let stage = Stage::start().await;
    let event = json!({"do": "fail"}).to_string();
    let session = stage.session_of(event.clone()).await;
    assert_eq!(session.metadata["outcome"], "error");
    assert_eq!(session.metadata["error"], "the model is down");

    let without = Stage::with("bare").await;
    let outcomes = (
        stage.invoke(event.clone()).await,
        without.invoke(event).await,
    );
    assert_eq!(outcomes.0, outcomes.1);
    assert_eq!(error_message(&outcomes.0), "the model is down");
}

#[tokio::test]
async fn a_handler_that_panics_is_a_panic_of_its_session_and_the_function_goes_on() {
    let stage = Stage::start().await;
    let event = json!({"do": "panic"}).to_string();
    let outcome = stage.outcome(event).await;
    assert_eq!(
        error_message(&outcome),
        "Lambda panicked: the handler gave up"
    );
    let sessions = stage.honeyhive.sessions();
    assert_eq!(sessions[0].metadata["outcome"], "panicked");
    let error = &sessions[0].metadata["error"];
    assert_eq!(error, "panicked: the handler gave up");
    stage.outcome("{}").await;
    assert_eq!(
        stage.honeyhive.sessions()[1].metadata["outcome"],
        "complete"
    );
}

#[tokio::test]
async fn without_a_word_from_the_handler_an_invocation_was_answered() {
    let stage = Stage::with("bare").await;
    let events = [json!({}), json!({"do": "fail"}), json!({"do": "panic"})];
    for event in events.map(|event| event.to_string()) {
        stage.outcome(event).await;
    }
    stage.outcome("{nonsense").await;
    for session in stage.honeyhive.sessions() {
        assert_eq!(session.metadata["outcome"], "answered");
        assert!(!session.metadata.contains_key("error"));
    }
}

#[tokio::test]
async fn an_event_that_is_no_json_is_marked() {
    let stage = Stage::start().await;
    let session = stage.session_of("{nonsense").await;
    assert_eq!(session.metadata["event_not_recorded"], "not_json");
    assert_eq!(session.metadata["event_bytes"], 9);
    assert!(session.inputs.is_empty());
    assert_eq!(session.metadata["outcome"], "error");
}

#[tokio::test]
async fn an_event_that_never_reaches_the_handler_is_an_error_of_its_session() {
    let stage = Stage::start().await;
    let outcome = stage.outcome("{nonsense").await;
    assert!(matches!(outcome, Outcome::Error(_)), "{outcome:?}");
    stage.outcome("{}").await;
    let sessions = stage.honeyhive.sessions();
    assert_eq!(sessions[0].metadata["outcome"], "error");
    let error = &sessions[0].metadata["error"];
    let never_ran = "the runtime answered before the handler ran; its log says why";
    assert_eq!(error, never_ran);
    assert_eq!(sessions[1].metadata["outcome"], "complete");
    assert!(!sessions[1].metadata.contains_key("error"));
}

#[tokio::test]
async fn an_event_that_is_too_large_is_marked_and_still_links() {
    let stage = Stage::start().await;
    let large = "x".repeat(256 * 1024);
    let session = stage.session_of(json!({"text": large}).to_string()).await;
    assert_eq!(session.metadata["event_not_recorded"], "too_large");
    assert_eq!(
        session.metadata["event_bytes"],
        large.len() + r#"{"text":""}"#.len()
    );
    assert!(session.inputs.is_empty());

    let linked = json!({"text": large, "session_id": session.session_id});
    let outcome = stage.outcome(linked.to_string()).await;
    assert_eq!(session_id(&outcome), session.session_id);
}

#[tokio::test]
async fn session_ids_that_are_not_usable_are_absent() {
    let stage = Stage::start().await;
    let bad = [
        json!(""),
        json!("x".repeat(257)),
        json!("line\nbreak"),
        json!("été"),
        json!(7),
        json!([ID]),
        json!(null),
    ];
    for (count, value) in bad.iter().enumerate() {
        let event = json!({ "session_id": value }).to_string();
        session_id(&stage.outcome(event).await);
        assert_eq!(stage.starts(), count + 1, "{value}");
    }
    // The field is not at the top.
    stage
        .outcome(json!({"body": {"session_id": ID}}).to_string())
        .await;
    assert_eq!(stage.starts(), bad.len() + 1);
}

#[tokio::test]
async fn an_id_is_taken_as_far_as_it_is_trusted() {
    let stage = Stage::with("trust-never").await;
    let event = json!({ "session_id": ID }).to_string();
    let session = stage.session_of(event).await;
    assert_ne!(session.session_id, ID);
    assert_eq!(stage.starts(), 1);
}

#[tokio::test]
async fn capture_event_false_leaves_the_event_out() {
    let stage = Stage::with("no-capture").await;
    let session = stage
        .session_of(json!({"secret": "s3cret"}).to_string())
        .await;
    assert!(session.inputs.is_empty(), "{session:#?}");
    assert!(!session.metadata.contains_key("event_not_recorded"));
    let bodies = stage.honeyhive.requests();
    assert!(
        bodies
            .iter()
            .all(|call| !call.body.windows(6).any(|it| it == b"s3cret"))
    );
}

#[tokio::test]
async fn two_layers_of_one_tracer_are_one_session() {
    let stage = Stage::with("twice").await;
    let session = stage.session_of("{}").await;
    assert_eq!(session.metadata["outcome"], "complete");
    assert_eq!(stage.when_it_asked(2).0.len(), 1);
}

#[tokio::test]
async fn a_layer_that_begins_no_session_flushes_what_others_have_begun() {
    let stage = Stage::with("flush-only").await;
    stage.outcome("{}").await;
    let (sessions, events) = stage.when_it_asked(2);
    assert_eq!((sessions.len(), events), (1, 1));
    assert_ne!(sessions[0].name.as_deref(), Some(FUNCTION_NAME));
}

/// Returns the event of a request, as an API gateway makes it.
fn request(headers: &Value) -> String {
    let event = json!({
        "version": "2.0",
        "rawPath": "/chat",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": {"method": "POST", "path": "/chat"}},
        "isBase64Encoded": false,
    });
    event.to_string()
}

#[tokio::test]
async fn behind_lambda_http_the_requests_are_sessions_and_arrive_in_time() {
    let stage = Stage::with("http,flush-only").await;
    let outcome = stage.outcome(request(&json!({}))).await;
    let Outcome::Response(answer) = outcome else {
        panic!("no answer: {outcome:?}");
    };
    let id = answer["headers"]["x-session-id"].as_str().expect("an id");
    let (sessions, events) = stage.when_it_asked(2);
    assert_eq!((sessions.len(), events), (1, 1));
    assert_eq!(sessions[0].session_id, id);
    assert_eq!(sessions[0].name.as_deref(), Some("POST /chat"));
    assert_eq!(sessions[0].metadata["outcome"], "complete");

    stage.outcome(request(&json!({"x-session-id": id}))).await;
    let (sessions, events) = stage.when_it_asked(3);
    assert_eq!((sessions.len(), events, stage.starts()), (1, 2, 1));
}
