//! The instrumentation has settings.

use std::sync::Arc;
use std::time::Duration;

use honeyhive::http::{RequestInfo, SessionStart};
use honeyhive::{SessionId, SessionTransport};
use honeyhive_local::{Endpoint, Fault, LocalEvent};
use serde_json::json;

use crate::adapter::Adapter;
use crate::harness::{Stage, assert_ended};

/// Health checks and `OPTIONS` are nobody's conversation: no session, no header, and their spans stay
/// here.
pub async fn routine_requests_are_not_traced<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    for (method, path) in [
        ("GET", "/healthz"),
        ("OPTIONS", "/chat/7"),
        ("GET", "/metrics"),
    ] {
        let answer = stage.request(method, path).send().await;
        assert_eq!(answer.header("x-session-id"), None, "{method} {path}");
    }
    stage.settle().await;
    assert!(stage.honeyhive.requests().is_empty());
    assert_eq!(stage.stats().accepted, 0, "no spans, either");
}

/// Spans of an untraced request's body are not traced either.
pub async fn the_stream_of_an_untraced_request_is_not_traced<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| builder.filter(|_| false));
    let stage = builder.start::<A>().await;
    for path in ["/tokens", "/events", "/declared"] {
        let answer = stage.request("GET", path).send().await;
        assert_eq!(answer.header("x-session-id"), None, "{path}");
    }
    stage.settle().await;
    assert_eq!(stage.stats().accepted, 0);
    assert!(stage.honeyhive.requests().is_empty());
}

/// One line of the program lets everything through.
pub async fn a_filter_can_let_everything_through<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| builder.filter(|_| true));
    let stage = builder.start::<A>().await;
    for (method, path) in [("GET", "/healthz"), ("OPTIONS", "/chat/7")] {
        let answer = stage.request(method, path).send().await;
        let session = stage.session(answer.session_id()).await;
        assert_ended(&session, 200, "complete");
        assert_eq!(stage.span_names(answer.session_id()), ["answer", "turn"]);
    }
}

/// A filter of the program's own sees method, path, route and headers.
pub async fn a_filter_decides_what_is_traced<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| {
        builder.filter(|request| {
            request.route() == Some("/status/{code}")
                && request.method() == "GET"
                && request.path() == "/status/200"
                && request.header("x-internal").is_none()
        })
    });
    let stage = builder.start::<A>().await;
    let traced = stage.request("GET", "/status/200").send().await;
    let internal = stage
        .request("GET", "/status/200")
        .header("x-internal", "1");
    assert_eq!(internal.send().await.header("x-session-id"), None);
    let other = stage.request("POST", "/chat/7").send().await;
    assert_eq!(other.header("x-session-id"), None);
    let session = stage.only_session().await;
    assert_eq!(session.session_id, traced.session_id().to_string());
}

/// The requests of `skip` are left out in addition to those that the default or a filter leaves out.
pub async fn what_is_skipped_is_left_out_besides<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| {
        builder
            .skip(|request| request.path() == "/optional")
            .skip(|request| request.header("x-internal").is_some())
            .skip(|_| panic!("on purpose"))
    });
    let stage = builder.start::<A>().await;
    let internal = stage.request("POST", "/chat/7").header("x-internal", "1");
    let left_out = [
        stage.request("GET", "/optional"),
        stage.request("GET", "/healthz"),
        stage.request("OPTIONS", "/chat/7"),
        internal,
    ];
    for call in left_out {
        assert_eq!(call.send().await.header("x-session-id"), None);
    }
    let traced = stage.request("POST", "/chat/7").send().await;
    let session = stage.only_session().await;
    assert_eq!(session.session_id, traced.session_id().to_string());
    assert!(stage.stats().callback_panics > 0);
}

/// Scanners ask for paths without a route.
pub async fn what_no_route_is_for_can_be_left_out<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| builder.skip_unmatched(true));
    let stage = builder.start::<A>().await;
    for path in ["/wp-login.php", "/.env", "/chat", "/chat/7/8"] {
        let answer = stage.request("GET", path).send().await;
        let seen = (answer.status, answer.header("x-session-id"));
        assert_eq!(seen, (404, None), "{path}");
    }
    let traced = stage.request("POST", "/chat/7").send().await;
    let session = stage.only_session().await;
    assert_eq!(session.session_id, traced.session_id().to_string());
}

/// The program names the user of a request: by the contents of the request, or once it has found out.
pub async fn the_program_says_whose_request_it_is<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| {
        builder.user(|request| request.header("x-forwarded-user").map(str::to_owned))
    });
    let stage = builder.start::<A>().await;
    let forwarded = |name: &str| {
        let call = stage
            .request("POST", "/chat/7")
            .header("x-user-id", "header");
        call.header("x-forwarded-user", name)
    };
    let session = stage
        .session(forwarded("ada").send().await.session_id())
        .await;
    assert_eq!(session.inputs["user_id"], "ada");
    assert_eq!(session.user_properties["user_id"], "ada");
    let session = stage
        .session(forwarded(" ").send().await.session_id())
        .await;
    assert_eq!(session.inputs["user_id"], "header");
    assert!(!session.user_properties.contains_key("user_id"));
    let linked = SessionId::new();
    drop(forwarded("ada").in_session(linked).send().await);

    let who = stage.request("GET", "/who").send().await;
    let session = stage.session(who.session_id()).await;
    assert_eq!(session.user_properties["user_id"], "ada");
    assert_eq!(
        stage.stats().refused,
        2,
        "a blank name is nobody's, by either way"
    );
}

/// The program sets names and inputs of its own; its inputs replace ours.
pub async fn the_program_names_sessions_and_adds_inputs<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| {
        builder
            .session_name(|request| format!("chat at {}", request.path()))
            .inputs(|request| json!({ "tenant": request.header("x-tenant"), "path": "hidden" }))
    });
    let stage = builder.start::<A>().await;
    let call = stage.request("POST", "/chat/7").header("x-tenant", "acme");
    call.send().await;
    let session = stage.only_session().await;
    assert_eq!(session.name.as_deref(), Some("chat at /chat/7"));
    let inputs = json!({ "method": "POST", "path": "hidden", "tenant": "acme" });
    assert_eq!(json!(session.inputs), inputs);
}

/// A blank name, such as that of a header which is not there, tells sessions from none.
pub async fn a_blank_name_is_no_name<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| builder.session_name(|_| " "));
    let stage = builder.start::<A>().await;
    stage.request("POST", "/chat/7").send().await;
    let session = stage.only_session().await;
    assert_eq!(session.name.as_deref(), Some("POST /chat/{id}"));
}

/// A user id is taken as it is, or not at all.
pub async fn a_user_id_that_cannot_be_used_is_left_out<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let long = "a".repeat(10 * 1024);
    for user in [b"".as_slice(), b"\xff\xfe", long.as_bytes()] {
        let answer = stage.request("POST", "/chat/7").header("x-user-id", user);
        let answer = answer.send().await;
        let session = stage.session(answer.session_id()).await;
        let inputs = json!({ "method": "POST", "path": "/chat/7" });
        assert_eq!(json!(session.inputs), inputs);
    }
}

/// Callbacks that panic are counted, and the defaults take their place.
pub async fn callbacks_that_panic_are_counted_and_change_nothing<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| {
        builder
            .filter(|_| -> bool { panic!("the filter") })
            .session_name(|_: &RequestInfo<'_>| -> String { panic!("the name") })
            .inputs(|_: &RequestInfo<'_>| -> serde_json::Value { panic!("the inputs") })
    });
    let stage = builder.start::<A>().await;
    let answer = stage.request("POST", "/chat/7").send().await;
    assert_eq!((answer.status, answer.text()), (200, "42"));
    let session = stage.only_session().await;
    assert_eq!(session.name.as_deref(), Some("POST /chat/{id}"));
    assert_eq!(
        json!(session.inputs),
        json!({ "method": "POST", "path": "/chat/7" })
    );
    assert_eq!(stage.stats().callback_panics, 3);
    assert_eq!(stage.span_names(answer.session_id()), ["answer", "turn"]);
}

/// An `Unwritable` value cannot be written as JSON.
struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}

/// Inputs of the program's own that are no object do not disappear: they are kept, or counted.
pub async fn inputs_that_are_no_object_are_kept_or_counted<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| builder.inputs(|_| 7));
    let stage = builder.start::<A>().await;
    stage.request("POST", "/chat/7").send().await;
    assert_eq!(stage.only_session().await.inputs["result"], 7);
    assert_eq!(stage.stats().refused, 0);

    let builder = Stage::builder().instrumentation(|builder| builder.inputs(|_| Unwritable));
    let stage = builder.start::<A>().await;
    stage.request("POST", "/chat/7").send().await;
    let inputs = stage.only_session().await.inputs;
    assert_eq!(
        json!(inputs),
        json!({ "method": "POST", "path": "/chat/7" })
    );
    assert_eq!(stage.stats().refused, 1);
}

/// Callbacks may use the tracing of the program that they belong to.
pub async fn callbacks_may_open_a_scope_of_their_own<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| {
        builder
            .filter(|request| {
                let inside = opentelemetry::Context::new().attach();
                drop(inside);
                request.path() != "/chat/8"
            })
            .session_name(|_: &RequestInfo<'_>| {
                let _inside = opentelemetry::Context::new().attach();
                "named inside"
            })
    });
    let stage = builder.start::<A>().await;
    stage.request("POST", "/chat/8").send().await;
    stage.request("POST", "/chat/7").send().await;
    let session = stage.only_session().await;
    assert_eq!(session.name.as_deref(), Some("named inside"));
    assert_eq!(stage.stats().callback_panics, 0);
}

/// HoneyHive knows a confirmed session when the handler runs. Nothing else would have sent the start so soon.
pub async fn a_confirmed_start_is_known_before_the_handler_runs<A: Adapter>() {
    let stage = confirming(Stage::builder()).start::<A>().await;
    let parked = tokio::spawn(stage.request("GET", "/park").send());
    stage.app.entered.taken().await;
    let known = stage.honeyhive.sessions();
    stage.app.release.give();
    let answer = parked.await.expect("an answer");
    assert_eq!(known.len(), 1, "before the handler ran");
    assert_eq!(known[0].session_id, answer.session_id().to_string());
    assert_ended(&stage.only_session().await, 200, "complete");
}

fn confirming(builder: crate::harness::StageBuilder) -> crate::harness::StageBuilder {
    builder.instrumentation(|builder| builder.session_start(SessionStart::Confirmed))
}

/// A HoneyHive that never answers holds a crowd up no longer than one request.
pub async fn a_crowd_that_is_never_confirmed_is_answered_together<A: Adapter>() {
    let builder = confirming(Stage::builder());
    let builder = builder.tracer(|builder| builder.api_timeout(Duration::from_millis(300)));
    let stage = builder.start::<A>().await;
    stage.honeyhive.fail(Fault::hang().on(Endpoint::Sessions));
    let asking = || tokio::spawn(stage.request("POST", "/chat/7").send());
    let crowd: Vec<_> = (0..40).map(|_| asking()).collect();
    for request in crowd {
        let answer = tokio::time::timeout(Duration::from_secs(20), request).await;
        let answer = answer
            .expect("not after the end of the outage")
            .expect("an answer");
        assert_eq!(answer.status, 200);
    }
}

/// A HoneyHive that fails or never answers changes nothing about the response.
pub async fn a_start_that_is_never_confirmed_holds_nobody_up_for_ever<A: Adapter>() {
    for fault in [
        Fault::status(500),
        Fault::status(401),
        Fault::hang(),
        Fault::close(),
    ] {
        let builder = confirming(Stage::builder());
        let builder = builder.tracer(|builder| builder.api_timeout(Duration::from_millis(200)));
        let stage = builder.start::<A>().await;
        stage.honeyhive.fail(fault.on(Endpoint::Sessions));
        for _ in 0..2 {
            let answer = stage.request("POST", "/chat/7").send().await;
            assert_eq!((answer.status, answer.text()), (200, "42"));
            let _ = answer.session_id();
        }
        assert!(stage.stats().accepted > 0);
    }
}

/// A span around the request carries its inputs and outputs and is the parent of the handler's.
pub async fn a_request_span_carries_inputs_and_outputs<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| builder.request_span(true));
    let stage = builder.start::<A>().await;
    let call = stage.request("POST", "/chat/7").header("x-user-id", "ada");
    let id = call.send().await.session_id();
    let session = stage.only_session().await;
    assert_ended(&session, 200, "complete");
    assert_eq!(
        stage.tree(id),
        "POST /chat/{id}\n  POST /chat/{id} [chain]\n    turn [chain]\n      answer [model]\n"
    );
    let span = assert_request_span(&stage, id, 200);
    // Milliseconds as an `f64` are exact to a quarter of a microsecond.
    let is_same = |one: f64, other: f64| (one - other).abs() < 0.002;
    assert!(is_same(span.start_time_ms, session.start_time), "{span:#?}");
    assert!(
        is_same(span.end_time_ms, session.end_time.unwrap()),
        "{span:#?}"
    );
}

fn assert_request_span(stage: &Stage, id: SessionId, status: u16) -> LocalEvent {
    let events = stage.honeyhive.events(&id.to_string());
    let span = events.into_iter().find(|event| event.kind == "server");
    let span = span.expect("a request span");
    let inputs = json!({ "method": "POST", "path": "/chat/7", "user_id": "ada" });
    assert_eq!(json!(span.inputs), inputs);
    assert_eq!(span.outputs["status_code"], status);
    assert_eq!(span.metadata["outcome"], "complete");
    span
}

/// `SessionTransport::Otlp` makes no REST call at all; ingestion makes the session from its spans.
pub async fn over_otlp_there_is_no_rest_call<A: Adapter>() {
    let builder = Stage::builder();
    let builder = builder.tracer(|builder| builder.session_transport(SessionTransport::Otlp));
    let stage = builder.start::<A>().await;
    let call = stage.request("POST", "/chat/7").header("x-user-id", "ada");
    let id = call.send().await.session_id();
    let session = stage.only_session().await;
    assert_eq!(session.session_id, id.to_string());
    assert!(session.auto_created && session.posts == 0, "{session:#?}");
    assert_eq!(session.name.as_deref(), Some("POST /chat/{id}"));
    assert_request_span(&stage, id, 200);
    let calls = stage.honeyhive.requests();
    let rest = calls
        .iter()
        .find(|call| call.path != "/opentelemetry/v1/traces");
    assert!(rest.is_none(), "{rest:#?}");
}

/// The request span over OTLP tells of a panic, and of a request in an existing session, too.
pub async fn over_otlp_the_request_span_says_how_it_ended<A: Adapter>() {
    let builder = Stage::builder();
    let builder = builder.tracer(|builder| builder.session_transport(SessionTransport::Otlp));
    let stage = builder.start::<A>().await;
    let id = stage.request("POST", "/chat/7").send().await.session_id();
    let panicking = stage.request("GET", "/panic").in_session(id);
    assert!(panicking.attempt().await.is_err());
    stage.settle().await;
    let events = stage.honeyhive.events(&id.to_string());
    let span = events.iter().find(|event| event.event_name == "GET /panic");
    let span = span.expect("the request span of the second request");
    assert_eq!(span.metadata["outcome"], "panicked");
    assert_eq!(span.outputs["status_code"], 500);
    let error = span.error.as_deref().unwrap_or_default();
    assert!(error.contains(crate::app::PANIC_TEXT), "{span:#?}");
}

/// Applications share the settings of one instrumentation; they are not copied.
pub async fn one_tracer_serves_several_servers<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let instrumentation = honeyhive::http::ServerInstrumentation::new(stage.tracer.clone());
    let running = A::serve(crate::adapter::Setup {
        compressed: false,
        instrumentations: vec![instrumentation],
        app: Arc::clone(&stage.app),
    })
    .await;
    let there = crate::client::Client::new(running.address);
    let first = stage.request("POST", "/chat/1").send().await.session_id();
    let second = there.request("POST", "/chat/2").send().await.session_id();
    stage.settle().await;
    assert_eq!(stage.span_names(first), ["answer", "turn"]);
    assert_eq!(stage.span_names(second), ["answer", "turn"]);
    assert_eq!(stage.starts().len(), 2);
    running.stop().await;
}
