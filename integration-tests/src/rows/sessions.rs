//! A request is a session.

use std::sync::Arc;

use honeyhive::{HoneyHiveTracer, SessionId};
use serde_json::json;

use crate::adapter::Adapter;
use crate::client::Client;
use crate::harness::{PATIENCE, SOURCE, Stage, assert_ended, balanced, span_names};

/// A new request is one session with its name, inputs and source, the handler's spans in it, its outputs, and its id in
/// the answer. One call starts and ends it.
pub async fn a_request_becomes_one_session_with_its_spans<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let call = stage.request("POST", "/chat/7?question=why");
    let answer = call.header("x-user-id", "ada").send().await;
    let session = stage.only_session().await;

    assert_eq!(answer.session_id().to_string(), session.session_id);
    assert_eq!(session.name.as_deref(), Some("POST /chat/{id}"));
    assert_eq!(session.source.as_deref(), Some(SOURCE));
    let inputs = json!({ "method": "POST", "path": "/chat/7", "user_id": "ada" });
    assert_eq!(json!(session.inputs), inputs);
    assert_ended(&session, 200, "complete");
    assert!(!session.metadata.contains_key("error"), "{session:#?}");
    assert_eq!(
        stage.tree(answer.session_id()),
        "POST /chat/{id}\n  turn [chain]\n    answer [model]\n"
    );
    assert_eq!((session.posts, session.updates), (1, 0));
    assert_eq!(stage.stats().accepted, 4, "a start, an end and two spans");
    assert!(stage.honeyhive.orphans().is_empty());
}

/// The next request with that header updates the same session, and starts none.
pub async fn a_request_that_names_its_session_joins_it<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let id = stage.request("POST", "/chat/7").send().await.session_id();
    stage.settle().await;
    let second = stage.request("POST", "/chat/7").in_session(id).send().await;
    assert_eq!(second.session_id(), id, "the header is echoed");
    stage.settle().await;
    let third = stage.request("GET", "/status/404").in_session(id);
    assert_eq!(third.send().await.session_id(), id);

    let session = stage.only_session().await;
    assert_eq!((session.posts, session.updates), (1, 2), "{session:#?}");
    assert_ended(&session, 404, "complete");
    assert_eq!(session.inputs["path"], "/chat/7", "as it began");
    assert_eq!(
        stage.span_names(id),
        ["answer", "answer", "turn", "turn"],
        "{}",
        stage.tree(id)
    );
    assert!(stage.honeyhive.orphans().is_empty());
}

/// A session that somebody else began is updated and never started from here.
pub async fn a_session_of_somebody_elses_is_never_started<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let id = SessionId::new();
    let answer = stage.request("GET", "/status/200").in_session(id);
    assert_eq!(answer.send().await.session_id(), id);
    // HoneyHive knows no such session and refuses the update; what counts is what was asked of it.
    let _ = stage.tracer.force_flush(PATIENCE).await;
    assert!(stage.starts().is_empty(), "{:#?}", stage.starts());
    assert!(stage.endings() > 0, "it is updated");
    assert_eq!(stage.stats().accepted, 1, "the end");
}

/// HoneyHive gets no call before the first request, and afterwards only calls about requests.
pub async fn a_server_that_waits_for_requests_says_nothing<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    stage.settle().await;
    assert!(stage.honeyhive.requests().is_empty());
    assert_eq!(stage.stats().accepted, 0);

    let id = stage
        .request("GET", "/status/200")
        .send()
        .await
        .session_id();
    assert_eq!(stage.only_session().await.session_id, id.to_string());
    assert_eq!(stage.honeyhive.requests().len(), 1);
}

/// The program's own `x-session-id` stays, with all of its lines, and the session is recorded all the same.
pub async fn the_programs_own_session_header_is_left_alone<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let answer = stage.request("GET", "/own-header").send().await;
    let values = answer.headers.get_all("x-session-id");
    assert!(values.iter().eq(crate::app::OWN_HEADERS), "{values:?}");
    assert_ended(&stage.only_session().await, 200, "complete");
}

/// Both extractors give the request's session.
pub async fn the_extractors_give_the_requests_session<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    for path in ["/strict", "/optional"] {
        let answer = stage.request("GET", path).send().await;
        assert_eq!(answer.text(), answer.session_id().to_string(), "{path}");
    }
}

/// The extractor fails no request without a session: it gives one that records nothing, and warns.
pub async fn the_extractors_fail_no_request_where_there_is_no_session<A: Adapter>() {
    let no_layer = Stage::builder().bare();
    let left_out = Stage::builder().instrumentation(|builder| builder.filter(|_| false));
    let no_tracer = Stage::builder().bare().second(HoneyHiveTracer::disabled());
    for builder in [no_layer, left_out, no_tracer] {
        let stage = builder.start::<A>().await;
        for _ in 0..2 {
            let strict = stage.request("GET", "/strict").send().await;
            assert_eq!((strict.status, strict.header("x-session-id")), (200, None));
            assert!(
                strict.text().parse::<SessionId>().is_ok(),
                "{}",
                strict.text()
            );
        }
        let optional = stage.request("GET", "/optional").send().await;
        assert_eq!((optional.status, optional.text()), (200, "none"));
        stage.settle().await;
        assert_eq!(stage.stats().accepted, 0);
        assert!(stage.honeyhive.requests().is_empty());
    }
}

/// A server whose HoneyHive is not set up answers as one without it.
pub async fn a_disabled_tracer_changes_nothing<A: Adapter>() {
    let disabled = Stage::builder().bare().second(HoneyHiveTracer::disabled());
    let disabled = disabled.start::<A>().await;
    let without = Stage::builder().bare().start::<A>().await;
    for (method, path) in [
        ("POST", "/chat/7"),
        ("GET", "/tokens"),
        ("GET", "/fail"),
        ("GET", "/status/404"),
        ("GET", "/nowhere"),
    ] {
        let with = disabled.request(method, path).send().await;
        let without = without.request(method, path).send().await;
        assert_eq!(with.header("x-session-id"), None, "{path}");
        assert_eq!(with.without_session(), without.without_session(), "{path}");
    }
}

/// The route that was taken gives the name, whichever pattern fits the path, from the first request on.
pub async fn a_session_is_named_after_the_route_that_was_taken<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let requests = [
        ("POST", "/widgets/action", "POST /widgets/action"),
        ("GET", "/widgets/7", "GET /widgets/{id}"),
        ("GET", "/widgets/8", "GET /widgets/{id}"),
        ("POST", "/chat/7", "POST /chat/{id}"),
        ("GET", "/status/200", "GET /status/{code}"),
        ("GET", "/optional", "GET /optional"),
    ];
    for (method, path, name) in requests.into_iter().chain(requests) {
        let answer = stage.request(method, path).send().await;
        let session = stage.session(answer.session_id()).await;
        assert_eq!(session.name.as_deref(), Some(name));
    }
}

/// Two requests on one HTTP/2 connection, one inside the other in time, are a session each.
pub async fn requests_on_one_http2_connection_are_sessions_of_their_own<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let parked = tokio::spawn(stage.request("GET", "/park").http2().send());
    stage.app.entered.taken().await;
    let chat = stage.request("POST", "/chat/7").http2().send().await;
    stage.app.release.give();
    let parked = parked.await.expect("an answer");

    assert_ne!(parked.session_id(), chat.session_id());
    let session = stage.session(chat.session_id()).await;
    assert_ended(&session, 200, "complete");
    assert_eq!(stage.span_names(chat.session_id()), ["answer", "turn"]);
    let session = stage.known(parked.session_id());
    assert_ended(&session, 200, "complete");
    assert!(stage.span_names(parked.session_id()).is_empty());
}

/// Requests that follow each other on a kept HTTP/1 connection are a session each.
pub async fn requests_on_a_kept_connection_are_sessions_of_their_own<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let client = Client::keeping_connections(stage.address());
    let first = client.request("POST", "/chat/1").send().await;
    let second = client.request("POST", "/chat/2").send().await;
    assert_ne!(first.session_id(), second.session_id());
    stage.settle().await;
    for answer in [first, second] {
        assert_eq!(stage.span_names(answer.session_id()), ["answer", "turn"]);
    }
}

/// A server that stops ends what is under way, and the tracer delivers it before it ends.
pub async fn what_is_under_way_at_a_graceful_stop_is_delivered<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let app = Arc::clone(&stage.app);
    let parked = tokio::spawn(stage.request("GET", "/park").send());
    app.entered.taken().await;
    let stopping = tokio::spawn(stage.close());
    app.release.give();
    let id = parked.await.expect("an answer").session_id();
    let (honeyhive, tracer) = stopping.await.expect("the server stops");

    let late = tracer.create_session("after the server").id();
    tracer.shutdown(PATIENCE).await.expect("all is delivered");
    assert_eq!(balanced(&tracer).pending, 0);
    let session = honeyhive.session(&id.to_string()).expect("the session");
    assert_ended(&session, 200, "complete");
    assert!(honeyhive.session(&late.to_string()).is_some());
    assert!(span_names(&honeyhive, id).is_empty());
}
