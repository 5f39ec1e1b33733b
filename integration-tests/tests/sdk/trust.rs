//! Session ids come from outside the process by another way than a header that the HTTP layers read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use honeyhive::feedback::FeedbackEndpoint;
use honeyhive::http::{RequestInfo, ServerInstrumentation, SessionTrust};
use honeyhive::opentelemetry::baggage::BaggageExt as _;
use honeyhive::opentelemetry::propagation::{Extractor as _, TextMapPropagator as _};
use honeyhive::opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use honeyhive::opentelemetry::{Context, KeyValue};
use honeyhive::opentelemetry_sdk::propagation::BaggagePropagator;
use honeyhive::{
    Enrichment, HoneyHiveTracer, NewSession, Session, SessionBudget, SessionId, json, testing,
};
// The import brings the impl for the headers of actix-web.
use honeyhive_actix as _;

const SOMEONES: &str = "9f3b8f6e-6f0a-4d3b-9a57-0d3f0d3c9b11";

/// Returns the context that a layer outside ours makes of a caller's headers.
fn with_baggage(id: &str) -> Context {
    let mut headers = HashMap::new();
    headers.insert("baggage".to_owned(), format!("honeyhive.session_id={id}"));
    BaggagePropagator::new().extract(&headers)
}

/// Records spans and enrichments while the baggage of a caller is current and no session is.
fn record(tracer: &HoneyHiveTracer, id: &str) {
    let _attached = with_baggage(id).attach();
    drop(tracer.span("ours").start());
    let foreign = tracer.provider().tracer("foreign");
    drop(foreign.start_with_context("foreign", &with_baggage(id)));
    tracer.enrich_session(Enrichment::new().metadata(json!({"by": "us"})));
    assert_eq!(
        tracer.current_session().map(|it| it.id().to_string()),
        None,
        "{id}"
    );
}

#[test]
fn without_trust_baggage_in_the_context_names_no_session() {
    let (tracer, captured) = testing::tracer();
    let _server = ServerInstrumentation::builder(tracer.clone())
        .session_trust(SessionTrust::Never)
        .build()
        .unwrap();
    record(&tracer, SOMEONES);
    let own = captured.only_session();
    assert_ne!(own.id.to_string(), SOMEONES);
    assert_eq!(own.events.len(), 2);
}

#[test]
fn every_trust_is_asked_for_baggage_in_the_context() {
    let (tracer, captured) = testing::tracer();
    let decided = |raw: &str| raw.strip_prefix("signed:")?.parse().ok();
    let _public = ServerInstrumentation::builder(tracer.clone())
        .session_trust(SessionTrust::with(decided))
        .build()
        .unwrap();
    let _internal = ServerInstrumentation::builder(tracer.clone())
        .session_trust(SessionTrust::Uuid)
        .build()
        .unwrap();
    for id in [SOMEONES, "thread_42", &format!("signed:{SOMEONES}")] {
        record(&tracer, id);
    }
    assert_ne!(captured.only_session().id.to_string(), SOMEONES);
}

#[test]
fn an_instrumentation_that_is_gone_is_asked_no_more() {
    let (tracer, captured) = testing::tracer();
    drop(
        ServerInstrumentation::builder(tracer.clone())
            .session_trust(SessionTrust::Never)
            .build()
            .unwrap(),
    );
    let _attached = with_baggage(SOMEONES).attach();
    drop(tracer.span("ours").start());
    assert_eq!(captured.only_session().id.to_string(), SOMEONES);
}

#[test]
fn an_id_in_baggage_that_says_nothing_names_no_session() {
    let (tracer, captured) = testing::tracer();
    let long = "a".repeat(257);
    for id in ["", "%20", "undefined", "None", "a%00b", &long, "%C3%A4"] {
        record(&tracer, id);
    }
    let own = captured.only_session();
    assert_eq!(own.events.len(), 14);
    assert!(tracer.stats().ignored_session_ids >= 7);
}

#[test]
fn spans_of_a_request_that_is_filtered_out_stay_here_whatever_its_baggage_says() {
    let (tracer, _captured) = testing::tracer();
    let server = ServerInstrumentation::builder(tracer.clone())
        .filter(|_| false)
        .build()
        .unwrap();
    let _attached = with_baggage(SOMEONES).attach();
    let headers = NoHeaders;
    let mut guard = server.on_request(&RequestInfo::new("GET", "/", &headers));
    guard.run(|| drop(tracer.span("inside").start()));
    assert_eq!(tracer.stats().accepted, 0);
}

struct NoHeaders;

impl honeyhive::http::Headers for NoHeaders {
    fn for_each<'h>(&'h self, _: &mut dyn FnMut(&'h str, &'h [u8])) {}
}

#[test]
fn a_message_is_trusted_as_the_tracer_says() {
    let id = |trust: SessionTrust, raw: &str| {
        let tracer = HoneyHiveTracer::builder()
            .test_mode(true)
            .session_trust(trust)
            .build()
            .unwrap();
        let headers = [("Baggage", format!("honeyhive.session_id={raw}"))];
        let _attached = tracer.extract(headers).attach();
        Session::current().map(|session| session.id().to_string())
    };
    let mapped = SessionId::from_correlation_id("thread_42").to_string();
    assert_eq!(id(SessionTrust::Map, "thread_42"), Some(mapped));
    assert_eq!(id(SessionTrust::Uuid, "thread_42"), None);
    assert_eq!(id(SessionTrust::Uuid, SOMEONES).as_deref(), Some(SOMEONES));
    assert_eq!(id(SessionTrust::Never, SOMEONES), None);
    for nothing in ["", "undefined", "a%00b"] {
        assert_eq!(id(SessionTrust::Map, nothing), None, "{nothing:?}");
    }
}

/// The program is asked wherever the id comes in, and whether it names a session or an event.
#[test]
fn a_program_that_decides_is_asked_only_of_what_can_be_an_id() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let decide = {
        let asked = Arc::clone(&asked);
        move |raw: &str| {
            asked.lock().unwrap().push(raw.to_owned());
            Some(SessionId::new())
        }
    };
    let (tracer, captured) = testing::tracer();
    let server = ServerInstrumentation::builder(tracer.clone())
        .session_trust(SessionTrust::with(decide.clone()))
        .build()
        .unwrap();
    let feedback = FeedbackEndpoint::new(tracer.clone()).session_trust(SessionTrust::with(decide));
    let rate = |field: &str, id: &str| {
        let body = json!({field: id, "rating": 1}).to_string();
        feedback.receive(body.as_bytes()).status_code()
    };
    let long = "a".repeat(257);
    let nothing = [
        "",
        " ",
        "undefined",
        "a\u{0}b",
        "a\nb",
        "ä",
        "\u{202e}7",
        &long,
    ];
    for id in nothing {
        for field in ["session_id", "event_id"] {
            assert_eq!(rate(field, id), 403, "{field}: {id:?}");
        }
        let headers = OneHeader("x-session-id", id);
        drop(server.on_request(&RequestInfo::new("GET", "/", &headers)));
    }
    assert_eq!(*asked.lock().unwrap(), Vec::<String>::new());
    assert_eq!(tracer.stats().ignored_session_ids, 3 * nothing.len() as u64);
    assert!(captured.sessions().iter().all(|it| it.feedback.is_empty()));

    assert_eq!(rate("event_id", "ours:7"), 202);
    assert_eq!(rate("session_id", "ours:7"), 202);
    assert_eq!(*asked.lock().unwrap(), ["ours:7", "ours:7"]);
}

struct OneHeader<'a>(&'a str, &'a str);

impl honeyhive::http::Headers for OneHeader<'_> {
    fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
        visit(self.0, self.1.as_bytes());
    }
}

#[test]
fn a_server_trusts_as_its_tracer_does_unless_told_otherwise() {
    let tracer = HoneyHiveTracer::builder()
        .test_mode(true)
        .session_trust(SessionTrust::Never)
        .build()
        .unwrap();
    let by_default = ServerInstrumentation::new(tracer.clone());
    let told = ServerInstrumentation::builder(tracer)
        .session_trust(SessionTrust::Uuid)
        .build()
        .unwrap();
    let headers = Named;
    let id = |server: &ServerInstrumentation| {
        let guard = server.on_request(&RequestInfo::new("GET", "/", &headers));
        guard.response_id().map(|id| id.to_string())
    };
    assert_ne!(id(&by_default).as_deref(), Some(SOMEONES));
    assert_eq!(id(&told).as_deref(), Some(SOMEONES));
}

struct Named;

impl honeyhive::http::Headers for Named {
    fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
        visit("x-session-id", SOMEONES.as_bytes());
    }
}

#[test]
fn ids_that_say_nothing_are_absent_wherever_one_can_be_given() {
    let (tracer, captured) = testing::tracer();
    for nothing in ["", " ", "undefined", "null", "None", "\n"] {
        let first = tracer.create_session(NewSession::named("first").id(nothing));
        let second = tracer.create_session(NewSession::existing(nothing.to_owned()));
        assert_ne!(first.id(), second.id(), "{nothing:?}");
        let id = first.id();
        first.link_to(nothing);
        assert_eq!(first.id(), id, "{nothing:?}");
    }
    assert_eq!(captured.sessions().len(), 12);
    assert_eq!(tracer.stats().ignored_session_ids, 18);
    let tracer = HoneyHiveTracer::builder()
        .test_mode(true)
        .session_id("")
        .build()
        .unwrap();
    assert_eq!(tracer.stats().ignored_session_ids, 1);
}

#[test]
fn what_leaves_has_the_session_first_and_others_members_whole() {
    let (tracer, _captured) = testing::tracer();
    let session = tracer.create_session("chat");
    let others = (0..64).map(|it| KeyValue::new(format!("key{it:02}"), "a b%,;"));
    let mut headers = HashMap::from([(
        "baggage".to_owned(),
        "user=ada;secret;level=1,plan=pro".to_owned(),
    )]);
    let cx = BaggagePropagator::new().extract(&headers);
    {
        let _attached = cx.attach();
        session.inject(&mut headers);
    }
    let id = session.id();
    let ours = format!("honeyhive.session_id={id},session_id={id}");
    assert_eq!(
        headers["baggage"],
        format!("{ours},plan=pro,user=ada;secret;level=1")
    );

    let _attached = Context::new().with_baggage(others).attach();
    session.inject(&mut headers);
    let sent = &headers["baggage"];
    assert!(sent.starts_with(&ours), "{sent}");
    assert_eq!(sent.split(',').count(), 64);
    let back = BaggagePropagator::new().extract(&headers);
    let value = back.baggage().get("key00").map(ToString::to_string);
    assert_eq!(value.as_deref(), Some("a b%,;"));
    let received = tracer.extract(&headers);
    let _attached = received.attach();
    assert_eq!(Session::current().map(|it| it.id()), Some(id));
}

#[test]
fn lists_in_several_lines_are_one_to_a_propagator() {
    struct Lines;
    impl honeyhive::http::Headers for Lines {
        fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
            visit("tracestate", b"a=1");
            visit("baggage", b"x=1");
            visit("tracestate", b"b=2");
            visit("x-user-id", b"ada");
            visit("x-user-id", b"bob");
        }
    }
    let request = RequestInfo::new("GET", "/", &Lines);
    assert_eq!(request.get("tracestate"), Some("a=1,b=2"));
    assert_eq!(request.get("baggage"), Some("x=1"));
    assert_eq!(request.get("x-user-id"), Some("ada"));
    assert_eq!(request.get("absent"), None);
}

#[test]
fn headers_of_every_kind_carry_a_session() {
    let (tracer, _captured) = testing::tracer();
    let session = tracer.create_session("chat");
    let span = session.in_scope(|| tracer.span("call").start());
    let _attached = span.context().attach();
    let id = Some(session.id());
    let received = |cx: Context| {
        assert!(cx.span().span_context().is_remote());
        let _attached = cx.attach();
        Session::current().map(|session| session.id())
    };

    let mut map = HashMap::new();
    session.inject(&mut map);
    assert_eq!(received(tracer.extract(&map)), id);

    let mut http = http::HeaderMap::new();
    http.append("baggage", "old=1".parse().unwrap());
    http.append("baggage", "old=2".parse().unwrap());
    session.inject(&mut http);
    assert_eq!(http.get_all("baggage").iter().count(), 1);
    assert_eq!(received(tracer.extract(&http)), id);

    let mut actix = actix_web::http::header::HeaderMap::new();
    session.inject(&mut actix);
    assert_eq!(received(tracer.extract(&actix)), id);

    let mut pairs: Vec<(String, String)> = vec![("Baggage".to_owned(), "old=1".to_owned())];
    session.inject(&mut pairs);
    assert_eq!(pairs.len(), 2, "{pairs:?}");
    assert_eq!(received(tracer.extract(pairs)), id);

    let mut raw: Vec<(&str, Vec<u8>)> = Vec::new();
    session.inject(&mut |name, value: &str| raw.push((name, value.as_bytes().to_vec())));
    assert_eq!(received(tracer.extract(raw)), id);
}

#[test]
fn a_rating_is_no_turn_of_its_session() {
    let budget = SessionBudget::new()
        .turns(1)
        .on_passed(|passed| panic!("{passed:?}"));
    let (tracer, captured) = testing::tracer_with(|builder| builder.session_budget(budget));
    let session = tracer.create_session("chat");
    let endpoint = FeedbackEndpoint::new(tracer.clone());
    let body = format!(r#"{{"session_id": "{}", "rating": true}}"#, session.id());
    assert_eq!(endpoint.receive(body.as_bytes()).status_code(), 202);
    assert_eq!(session.usage().map(|it| it.turns), Some(1));
    assert_eq!(captured.only_session().feedback["rating"], true);
    assert_eq!(tracer.stats().callback_panics, 0);
}
