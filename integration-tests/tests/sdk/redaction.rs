//! Secrets are planted in every field of every path, and looked for in all that HoneyHive received.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::*;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use honeyhive::http::ServerInstrumentation;
use honeyhive::opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use honeyhive::opentelemetry::{Array, InstrumentationScope, KeyValue, Value as Attribute};
use honeyhive::opentelemetry_sdk::Resource;
use honeyhive::redaction::{Place, Verdict};
use honeyhive::testing::{self, CapturedSession};
use honeyhive::{
    BuildError, Enrichment, EventId, HoneyHiveTracer, NewSession, Redaction, SessionTransport,
    Spool,
};
use honeyhive_local::{Endpoint, Fault, LocalServer};
use honeyhive_tower::HoneyHiveLayer;
use http_body_util::BodyExt as _;
use integration_tests::fuzz::holds;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

/// `Plants` has secrets, each with the place where it was put.
#[derive(Default)]
struct Plants(Mutex<Vec<String>>);

impl Plants {
    /// Returns a new secret, and notes its place.
    fn at(&self, place: impl Into<String>) -> String {
        let mut places = self.0.lock().unwrap();
        places.push(place.into());
        secret(places.len() - 1)
    }

    /// Returns the places of the secrets that arrived.
    fn found(&self, server: &LocalServer) -> Vec<String> {
        let wire = wire(server);
        let places = self.0.lock().unwrap();
        let arrived = places.iter().enumerate();
        arrived
            .filter(|(number, _)| contains(&wire, &secret(*number)))
            .map(|(_, place)| place.clone())
            .collect()
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn secret(number: usize) -> String {
    format!("SECRET-{number:04}-")
}

const PATTERN: &str = "SECRET-[0-9]{4}-";

/// Returns everything that HoneyHive received: paths, headers, bodies.
fn wire(server: &LocalServer) -> Vec<u8> {
    let mut wire = Vec::new();
    for request in server.requests() {
        wire.extend(request.path.as_bytes());
        wire.extend(request.query.unwrap_or_default().as_bytes());
        for (name, value) in &request.headers {
            wire.extend(name.as_bytes());
            wire.extend(value.as_bytes());
        }
        wire.extend(&request.body);
    }
    wire
}

fn contains(wire: &[u8], text: &str) -> bool {
    wire.windows(text.len()).any(|part| part == text.as_bytes())
}

type Setter = fn(Enrichment, Value) -> Enrichment;

const BUCKETS: [(&str, Setter); 7] = [
    ("metadata", |it, map| it.metadata(map)),
    ("metrics", |it, map| it.metrics(map)),
    ("feedback", |it, map| it.feedback(map)),
    ("inputs", |it, map| it.inputs(map)),
    ("outputs", |it, map| it.outputs(map)),
    ("config", |it, map| it.config(map)),
    ("user_properties", |it, map| it.user_properties(map)),
];

/// Returns every bucket and the error, with secrets as values, deep in them, as keys and in JSON that is text.
fn full(plants: &Plants, what: &str) -> Enrichment {
    let at = |place: &str| plants.at(format!("{what}, {place}"));
    let mut all = Enrichment::new().error(format!("it said {}", at("error")));
    for (bucket, set) in BUCKETS {
        let text = json!({"text": at(&format!("{bucket}, JSON in a text"))}).to_string();
        let key = at(&format!("{bucket}, key"));
        all = set(
            all,
            json!({
                "plain": at(bucket),
                "deep": [{"er": format!("a {} b", at(&format!("{bucket}, deep")))}],
                "text": text,
                key: true,
            }),
        );
    }
    all
}

fn sessions(tracer: &HoneyHiveTracer, plants: &Plants) {
    let at = |place: &str| plants.at(format!("start, {place}"));
    let new = |what: &str| {
        NewSession::named(format!("chat {}", at(&format!("name {what}"))))
            .source(at(&format!("source {what}")))
            .inputs(json!({"a": {"b": at(&format!("inputs {what}"))}}))
            .metadata(json!({"a": [at(&format!("metadata {what}"))]}))
            .user_properties(json!({"a": at(&format!("user properties {what}"))}))
    };
    let chat = tracer.create_session(new("at once"));
    chat.enrich(full(plants, "with the start"));
    chat.in_scope(|| drop(tracer.span("in the chat").start()));
    flush(tracer);
    chat.enrich(full(plants, "after the start"));
    flush(tracer);
    // The session's start was not sent, so all its data goes to the other session.
    let moved = tracer.create_session(
        NewSession::named("moved")
            .metadata(json!({"a": at("metadata, moved")}))
            .user_properties(json!({"a": at("user properties, moved")})),
    );
    moved.enrich(full(plants, "before a move"));
    assert_eq!(moved.link_to(chat.id()), honeyhive::Moved::Whole);
    moved.in_scope(|| drop(tracer.span("in the moved").start()));
    // The spans of this session tell its name.
    let left = tracer.create_session(plants.at("start, name of a session that was moved"));
    left.link_to(honeyhive::SessionId::new());
    left.in_scope(|| drop(tracer.span("in the left").start()));
    flush(tracer);
}

fn spans_by_hand(tracer: &HoneyHiveTracer, plants: &Plants) -> EventId {
    let at = |place: &str| plants.at(format!("span, {place}"));
    let span = tracer
        .span(format!("work {}", at("name")))
        .inputs(json!({"question": at("inputs")}))
        .config(json!({"c": at("config")}))
        .metadata(json!({"m": at("metadata")}))
        .start();
    span.outputs(json!({"answer": at("outputs")}));
    span.enrich(full(plants, "span"));
    span.event_id()
}

fn traced_functions(tracer: &HoneyHiveTracer, plants: &Plants) {
    #[honeyhive::trace(tracer = tracer, skip(tracer))]
    fn answers(tracer: &HoneyHiveTracer, question: &str, more: &Value, result: &str) -> String {
        result.to_owned()
    }

    #[honeyhive::trace(tracer = tracer, skip(tracer, message))]
    fn fails(tracer: &HoneyHiveTracer, message: String) -> Result<(), String> {
        Err(message)
    }

    let at = |place: &str| plants.at(format!("#[trace], {place}"));
    let more = json!({"list": [at("list argument")]});
    answers(tracer, &at("argument"), &more, &at("result"));
    fails(tracer, at("error")).unwrap_err();
}

fn spans_of_tracing(tracer: &HoneyHiveTracer, plants: &Plants) {
    let at = |place: &str| plants.at(format!("tracing, {place}"));
    let subscriber = Registry::default().with(tracer.tracing_layer());
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("fields", plain = at("field"), late = tracing::field::Empty);
        let _entered = span.enter();
        span.record("late", at("field, recorded later"));
        tracing::info!(
            field = at("event, field"),
            "it says {}",
            at("event, message")
        );
        tracing::error!("it failed with {}", at("error message"));
        let _error = tracing::info_span!("failing", error = at("error field")).entered();
    });
}

fn foreign_spans(tracer: &HoneyHiveTracer, plants: &Plants) {
    let at = |place: &str| plants.at(format!("foreign span, {place}"));
    let scope = InstrumentationScope::builder("somebody's")
        .with_attributes([KeyValue::new("scope", at("scope attribute"))])
        .build();
    let foreign = tracer.provider().tracer_with_scope(scope);
    let messages = json!([{"role": "user", "content": at("gen_ai messages, old")}]);
    let parts =
        json!([{"role": "assistant", "parts": [{"type": "text", "content": at("gen_ai parts")}]}]);
    let texts = [at("texts").into(), "other".into()];
    let linked = SpanContext::new(
        TraceId::from(7),
        SpanId::from(7),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let mut span = foreign
        .span_builder(at("name"))
        .with_attributes([
            KeyValue::new("db.statement", format!("select '{}'", at("attribute"))),
            KeyValue::new("texts", Attribute::Array(Array::String(texts.into()))),
            KeyValue::new("gen_ai.input.messages", messages.to_string()),
            KeyValue::new("gen_ai.output.messages", parts.to_string()),
            KeyValue::new("honeyhive_inputs_raw", at("suggested inputs")),
            KeyValue::new("honeyhive_error", at("honeyhive_error")),
            KeyValue::new("honeyhive_event_id", at("an event id that is none")),
            KeyValue::new("honeyhive.session_auto_create", at("a flag that is none")),
            KeyValue::new("honeyhive.source", at("source")),
            KeyValue::new(at("attribute key"), true),
        ])
        .with_links(vec![Link::new(
            linked,
            vec![KeyValue::new("link", at("link"))],
            0,
        )])
        .start(&foreign);
    let event = [
        KeyValue::new("exception.message", at("event attribute")),
        KeyValue::new(
            "honeyhive.session_id",
            at("event attribute of a routing name"),
        ),
    ];
    span.add_event(at("event name"), event.to_vec());
    span.set_status(Status::error(at("status")));
    span.end();
}

/// Makes a request over the HTTP layer, as far as the program and the client decide what is recorded.
async fn request(tracer: &HoneyHiveTracer, plants: &Plants) {
    let at = |place: &str| plants.at(format!("request, {place}"));
    let (name, inputs) = (at("session name"), at("inputs"));
    let path = format!("/{}", at("path"));
    let layer = ServerInstrumentation::builder(tracer.clone())
        .session_name(move |_: &_| name.clone())
        .inputs(move |_: &_| json!({"query": {"q": inputs}}))
        .request_span(true)
        .build()
        .unwrap();
    let layer = HoneyHiveLayer::from(layer);
    let router = Router::new().fallback(get(|| async { "" })).layer(layer);
    let request = http::Request::get(&path)
        .header("x-user-id", at("user id"))
        .body(Body::empty())
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
}

fn everything(tracer: &HoneyHiveTracer, plants: &Plants) {
    sessions(tracer, plants);
    let event = spans_by_hand(tracer, plants);
    flush(tracer);
    tracer.enrich_event(event, full(plants, "enrich_event"));
    flush(tracer);
    other_spans(tracer, plants);
    flush(tracer);
}

fn other_spans(tracer: &HoneyHiveTracer, plants: &Plants) {
    traced_functions(tracer, plants);
    spans_of_tracing(tracer, plants);
    foreign_spans(tracer, plants);
    block_on(request(tracer, plants));
}

#[test]
fn no_planted_secret_leaves_by_any_way_in_any_encoding() {
    for protocol in PROTOCOLS {
        for transport in [SessionTransport::Rest, SessionTransport::Otlp] {
            let server = server();
            let plants = Plants::default();
            let tracer = builder(&server)
                .otlp_protocol(protocol)
                .session_transport(transport)
                .redaction(Redaction::new().pattern(PATTERN))
                .build()
                .unwrap();
            everything(&tracer, &plants);
            assert_eq!(plants.found(&server), [""; 0], "{protocol:?} {transport:?}");
            assert!(!contains(&wire(&server), "SECRET"));
            assert!(tracer.stats().redacted >= plants.all().len() as u64);
            assert_eq!(tracer.stats().dropped.total(), 0);
        }
    }
}

#[test]
fn what_waits_on_disk_was_masked_before_it_went_there() {
    let server = server();
    server.fail(Fault::status(503));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("masked-{}", uuid::Uuid::new_v4().simple()));
    let plants = Plants::default();
    let spooling = |redaction| {
        let spool = Spool::new(&folder);
        builder(&server).spool(spool).redaction(redaction).build()
    };
    let first = spooling(Redaction::new().pattern(PATTERN)).unwrap();
    let chat = first.create_session(NewSession::named(plants.at("start, name")));
    chat.enrich(full(&plants, "on disk"));
    chat.in_scope(|| {
        let event = spans_by_hand(&first, &plants);
        first.enrich_event(event, full(&plants, "enrich_event"));
        other_spans(&first, &plants);
    });
    drop(first.shutdown_blocking(Duration::ZERO));
    assert_eq!(first.stats().pending, first.stats().spooled);

    // The next process masks nothing, and yet nothing is there to be seen.
    server.heal();
    let next = spooling(Redaction::none()).unwrap();
    flush(&next);
    assert!(next.stats().delivered > 0);
    assert_eq!(plants.found(&server), [""; 0]);
    assert!(!contains(&wire(&server), "SECRET"));
    drop(next.shutdown_blocking(Duration::ZERO));
    std::fs::remove_dir_all(folder).unwrap();
}

/// The tests above prove something only if all planted secrets arrive without redaction.
#[test]
fn without_redaction_everything_planted_arrives() {
    for protocol in PROTOCOLS {
        let server = server();
        let plants = Plants::default();
        let unredacted = builder(&server)
            .otlp_protocol(protocol)
            .redaction(Redaction::none());
        let tracer = unredacted.build().unwrap();
        everything(&tracer, &plants);
        assert_eq!(plants.found(&server), plants.all(), "{protocol:?}");
        assert_eq!(tracer.stats().redacted, 0);
    }
}

/// A `Long` text is one that `Debug` would format, at length.
struct Long(String);

impl std::fmt::Debug for Long {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[honeyhive::trace]
fn reads(_text: Long) {}

/// Makes texts that are cut before they are redacted: everywhere the cut takes the last letter of `SECRET-0007-`.
fn across_every_cut(tracer: &HoneyHiveTracer) {
    let text = |cut: usize| {
        let filler = "x ".repeat(cut / 2);
        format!("{}{} and more{filler}", &filler[..cut - 11], secret(7))
    };
    let long = text(1024 * 1024);
    let session = NewSession::named("chat").inputs(json!({"a": long}));
    let session = tracer.create_session(session.metadata(json!({"a": [long]})));
    session.enrich(Enrichment::new().outputs(json!({"a": long})).error(&long));
    // Each has a flush of its own: a debug build takes its time for texts of this length.
    flush(tracer);
    session.in_scope(|| {
        drop(tracer.span("by hand").inputs(json!({"a": long})).start());
        reads(Long(text(64 * 1024)));
    });
    flush(tracer);
    session.in_scope(|| {
        let mut span = tracer.provider().tracer("foreign").start(text(1024));
        span.set_attribute(KeyValue::new("a", long.clone()));
        span.add_event("event", vec![KeyValue::new("a", long.clone())]);
        span.set_status(Status::error(long.clone()));
    });
    flush(tracer);
}

#[test]
fn a_secret_that_was_cut_does_not_leave_in_part() {
    let arrives = |redaction| {
        let server = server();
        let tracer = builder(&server).redaction(redaction).build().unwrap();
        across_every_cut(&tracer);
        contains(&wire(&server), "SECRET-0007")
    };
    assert!(!arrives(Redaction::new().pattern(PATTERN)));
    // The text is a secret only by the pattern.
    assert!(arrives(Redaction::new()));
}

#[test]
fn what_is_named_like_a_secret_is_masked_by_default() {
    /// The number is longer than what an id or a time has by chance.
    const PIN: u64 = 4_711_081_547_110_815;
    const NAMES: [&str; 6] = [
        "authorization",
        "Cookie",
        "api_key",
        "dbPassword",
        "client.secret",
        "refresh-token",
    ];
    let server = server();
    let tracer = builder(&server)
        .otlp_protocol(honeyhive::OtlpProtocol::HttpJson)
        .build()
        .unwrap();
    let plants = Plants::default();
    let secrets = |what: &str| {
        let object =
            NAMES.map(|name| (name.to_owned(), plants.at(format!("{what}, {name}")).into()));
        let object = Value::Object(Map::from_iter(object));
        // The names stand beside their values, as lists of headers are serialised.
        let pairs = NAMES.map(|name| json!([name, plants.at(format!("{what}, pair of {name}"))]));
        let named = NAMES.map(
            |name| json!({"name": name, "value": plants.at(format!("{what}, value of {name}"))}),
        );
        json!({
            "n": {"deep": [&object]},
            "text": object.to_string(),
            "pin": {"password": PIN},
            "pairs": pairs,
            "pairs_text": json!([pairs, named]).to_string(),
            "named": named,
        })
    };
    let chat = tracer.create_session(
        NewSession::named("chat")
            .inputs(secrets("inputs"))
            .metadata(secrets("metadata"))
            .user_properties(secrets("user properties")),
    );
    for (bucket, set) in BUCKETS {
        chat.enrich(set(Enrichment::new(), secrets(bucket)));
    }
    let usage = json!({"token": "stays", "max_tokens": 7, "author": "stays", "has_password": true,
        "required": ["password", "email"], "option": {"name": "password", "is_shown": true}});
    chat.enrich(Enrichment::new().config(usage.clone()));
    chat.in_scope(|| {
        let span = tracer.span("work").inputs(secrets("span")).start();
        let cut = format!(
            r#"{{"a": 1, "api_key": "{}", "b": "#,
            plants.at("JSON that is cut")
        );
        span.outputs(json!({"cut": cut, "list": [{"set-cookie": [plants.at("list")]}]}));
    });
    flush(&tracer);

    assert_eq!(plants.found(&server), [""; 0]);
    assert!(!contains(&wire(&server), &PIN.to_string()));
    let config = session(&server, chat.id()).config;
    for (key, value) in usage.as_object().unwrap() {
        assert_eq!(&config[key], value, "{key}");
    }
}

#[test]
fn keys_and_paths_mean_the_same_in_sessions_and_in_spans() {
    let server = server();
    let redaction = Redaction::none()
        .key("ssn")
        .path("inputs.users.*.email")
        .path("outputs")
        .path("gen_ai.input.messages.*.content");
    let tracer = builder(&server).redaction(redaction).build().unwrap();
    let inputs = json!({
        "users": [{"email": "a@b", "name": "Ada", "customerSsn": 123}],
        "email": "stays",
        "ssn": {"first": "x", "known": true},
    });
    let chat = tracer.create_session(NewSession::named("chat").inputs(&inputs));
    chat.enrich(Enrichment::new().outputs(json!({"answer": 42, "more": {"a": 1}})));
    chat.in_scope(|| {
        let span = tracer.span("work").inputs(&inputs).start();
        let messages = json!([{"role": "user", "content": "mine"}]).to_string();
        let cx = span.context();
        let cx = cx.span();
        cx.set_attribute(KeyValue::new("gen_ai.input.messages", messages));
    });
    flush(&tracer);

    let of_session = session(&server, chat.id());
    let users = json!([{"email": "<redacted>", "name": "Ada", "customerSsn": "<redacted>"}]);
    assert_eq!(of_session.inputs["users"], users);
    assert_eq!(of_session.inputs["email"], "stays");
    assert_eq!(of_session.inputs["ssn"], "<redacted>");
    let outputs = json!({"answer": "<redacted>", "more": "<redacted>"});
    assert_eq!(Value::Object(of_session.outputs), outputs);
    let of_span = event(&server, "work").inputs;
    assert_eq!(of_span["users"], users);
    assert_eq!(
        of_span["ssn"],
        json!({"first": "<redacted>", "known": "<redacted>"})
    );
    assert_eq!(tracer.stats().redacted, 3 + 2 + 4 + 1);
}

#[test]
fn a_hook_sees_where_a_field_stands_and_decides() {
    let server = server();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let saw = Arc::clone(&seen);
    let redaction = Redaction::new().hook(move |field| {
        let place = (field.place(), field.path().to_owned());
        saw.lock().unwrap().push((place, field.value().to_owned()));
        match field.key() {
            "email" => Verdict::Replace("somebody".to_owned()),
            "age" => Verdict::Mask,
            _ => Verdict::Keep,
        }
    });
    let tracer = builder(&server).redaction(redaction).build().unwrap();
    let inputs = json!({"user": {"email": "a@b", "age": 36, "password": "x"}, "ratio": 0.5});
    let chat = tracer.create_session(NewSession::named("chat").inputs(&inputs));
    chat.in_scope(|| drop(tracer.span("work").inputs(&inputs).start()));
    flush(&tracer);

    let cleaned = json!({
        "user": {"email": "somebody", "age": "<redacted>", "password": "<redacted>"},
        "ratio": 0.5,
    });
    assert_eq!(Value::Object(session(&server, chat.id()).inputs), cleaned);
    assert_eq!(Value::Object(event(&server, "work").inputs), cleaned);
    let seen = seen.lock().unwrap();
    for place in [Place::SessionStart, Place::Span] {
        let of = |path: &str, value: &str| ((place, path.to_owned()), value.to_owned());
        assert!(seen.contains(&of("inputs.user.email", "a@b")), "{seen:?}");
        assert!(seen.contains(&of("inputs.ratio", "0.5")));
        assert!(seen.contains(&of(
            "name",
            if place == Place::Span { "work" } else { "chat" }
        )));
    }
    assert!(!seen.iter().any(|(_, value)| value == "x"));
}

#[test]
fn a_hook_that_panics_costs_the_content_and_leaves_the_skeleton() {
    let server = server();
    let redaction = Redaction::new().pattern("ada").hook(|field| {
        assert!(field.key() != "bad", "the hook panics");
        Verdict::Keep
    });
    let tracer = builder(&server)
        .project("shop")
        .redaction(redaction)
        .build()
        .unwrap();
    let bad = json!({"a": "CONTENT", "bad": "CONTENT", "z": "CONTENT"});
    let chat = tracer.create_session(
        NewSession::named("chat of ada")
            .inputs(&bad)
            .metadata(json!({"m": "CONTENT"})),
    );
    chat.enrich(Enrichment::new().outputs(&bad).error("CONTENT"));
    chat.enrich(Enrichment::new().feedback(json!({"good": 1})));
    chat.in_scope(|| {
        let outer = tracer.span("work of ada").inputs(&bad).start();
        outer.error("CONTENT");
        outer.in_scope(|| drop(tracer.span("good").inputs(json!({"x": "kept"})).start()));
    });
    flush(&tracer);

    assert!(!contains(&wire(&server), "CONTENT"));
    let stored = session(&server, chat.id());
    assert_eq!(stored.name.as_deref(), Some("chat of <redacted>"));
    assert_eq!(stored.metadata["redaction_failed"], true);
    assert_eq!(stored.feedback["good"], 1);
    let tree = "chat of <redacted>\n  work of <redacted> [chain]\n    good [tool]\n";
    assert_eq!(server.tree(&chat.id().to_string()), tree);
    assert_eq!(event(&server, "good").inputs["x"], "kept");
    let stats = tracer.stats();
    assert_eq!((stats.callback_panics, stats.dropped.total()), (3, 0));
}

/// The hook gives another answer each time, as one that makes up pseudonyms does.
#[test]
fn what_is_tried_again_says_the_same_and_is_counted_once() {
    let server = server();
    server.fail(Fault::status(503).on(Endpoint::Sessions).times(2));
    server.fail(Fault::status(503).on(Endpoint::Traces).times(2));
    server.fail(Fault::status(503).on(Endpoint::Events).times(2));
    let asked = AtomicU64::new(0);
    let redaction = Redaction::new().hook(move |field| match field.key() {
        "user" => Verdict::Replace(format!("user {}", asked.fetch_add(1, Ordering::Relaxed))),
        _ => Verdict::Keep,
    });
    let tracer = builder(&server).redaction(redaction).build().unwrap();
    let user = json!({"user": "ada"});
    let chat = tracer.create_session(NewSession::named("chat").inputs(&user));
    chat.enrich(Enrichment::new().metrics(&user));
    chat.in_scope(|| drop(tracer.span("work").inputs(&user).start()));
    flush(&tracer);

    for path in [
        "/v1/sessions".to_owned(),
        format!("/v1/events/{}", chat.id()),
    ] {
        let mut requests = server.requests();
        requests.retain(|request| request.path == path);
        assert_eq!(requests.len(), 3, "{path}");
        assert!(
            requests.iter().all(|it| it.body == requests[0].body),
            "{path}"
        );
    }
    let stats = tracer.stats();
    assert_eq!((stats.redacted, stats.retried), (3, 6));
}

#[test]
fn an_option_at_the_largest_number_of_a_list_costs_no_content() {
    const KEY: &str = "args.18446744073709551615";
    let (server, tracer) = connected();
    let span = tracer.span("run").start();
    let option = KeyValue::new(KEY, "--password");
    span.context().span().set_attribute(option);
    drop(span);
    flush(&tracer);
    assert_eq!(event(&server, "run").attributes[KEY], "--password");
    assert_eq!(tracer.stats().callback_panics, 0);
}

#[test]
fn test_mode_captures_what_would_have_left() {
    let (tracer, captured) = testing::tracer();
    let chat = tracer.create_session(NewSession::named("chat").inputs(json!({"password": "x"})));
    chat.in_scope(|| drop(tracer.span("work").inputs(json!({"apiKey": "x"})).start()));
    let session = captured.only_session();
    assert_eq!(session.inputs["password"], "<redacted>");
    let key = session.event("work").text("honeyhive_inputs.apiKey");
    assert_eq!(key.as_deref(), Some("<redacted>"));
}

#[test]
fn a_bad_pattern_is_an_error_when_the_tracer_is_built() {
    let build = |pattern: &str| {
        let redaction = Redaction::new().pattern(pattern);
        HoneyHiveTracer::builder()
            .test_mode(true)
            .redaction(redaction)
            .build()
    };
    for bad in ["(unclosed", r"\d*"] {
        let error = build(bad).unwrap_err();
        assert!(matches!(&error, BuildError::InvalidPattern { pattern, .. } if pattern == bad));
        assert!(error.to_string().contains("redaction pattern"), "{error}");
    }
    build(r"\d+").unwrap();
}

/// Generates texts that programs make, with secrets in them that have a name: JSON in every state, what `Debug` makes,
/// URLs.
fn named() -> impl Strategy<Value = String> {
    const NAMES: [&str; 8] = [
        "password",
        "api_key",
        "apiKey",
        "dbPassword",
        "authorization",
        "access-token",
        "Set-Cookie",
        "client_secret",
    ];
    let name = || prop::sample::select(&NAMES[..]);
    // The secret is a part of what is hidden, and what stands beside it may be anything.
    let value = || "[a-z ]{0,3}".prop_map(|around| format!("{around}HIDDEN{around}"));
    let word = || "[a-z]{0,3}".prop_map(|around| format!("HIDDEN{around}"));
    let json = (name(), value(), "[a-z \"{\\[:=]{0,6}").prop_map(|(name, value, beside)| {
        json!({"a": beside, name: value, "b": {name: [value, {"c": value}]}}).to_string()
    });
    let twice = (name(), value()).prop_map(|(name, value)| {
        format!(r#"{{"user": {{"{name}": "{value}"}}, "user": "ada", "{name}": "{value}", "{name}": true}}"#)
    });
    let escaped = (name(), value()).prop_map(|(name, value)| {
        let (first, rest) = name.split_at(1);
        let first = u32::from(first.as_bytes()[0]);
        format!(r#"{{"\u{first:04x}{rest}": "{value}", "half": "\ud83d"}}"#)
    });
    let lines = (name(), value()).prop_map(|(name, value)| {
        format!("{{\"{name}\": \"{value}\"}}\n{{\"{name}\": \"{value}\"}}")
    });
    let debug = (name(), value()).prop_map(|(name, value)| {
        let name = name.replace('-', "_");
        format!("Login {{ user: \"ada\", {name}: {value:?}, inner: Some(Inner {{ {name}: Some({value:?}) }}) }}")
    });
    let headers = (name(), value()).prop_map(|(name, value)| {
        let map = std::collections::BTreeMap::from([(name, value.as_str()), ("host", "x")]);
        format!("Request {{ method: GET, headers: {map:?}, pairs: [({name:?}, {value:?})] }}")
    });
    let assignment = (name(), word(), "[ ,;&\n]")
        .prop_map(|(name, value, next)| format!("{name}={value}{next}n=1 {name} = {value:?}"));
    let url = (name(), word()).prop_map(|(name, value)| {
        format!("error for url (https://u:{value}@h/a?q=1&{name}={value}&key={value}&sig={value})")
    });
    let pairs = (name(), value()).prop_map(|(name, value)| {
        json!([[name, value], ["content", "tea"], [name, {"a": value}]]).to_string()
    });
    let named =
        (name(), value(), any::<bool>()).prop_map(|(name, value, is_first)| match is_first {
            true => format!(r#"[{{"name": "{name}", "value": "{value}"}}]"#),
            false => format!(r#"[{{"value": {{"a": "{value}"}}, "n": 1, "key": "{name}"}}]"#),
        });
    let option = (name(), word(), value()).prop_map(|(name, value, quoted)| {
        format!("run --{name} {value} --{name} \"{quoted}\" --user ada")
    });
    let options = (name(), value())
        .prop_map(|(name, value)| json!(["run", format!("--{name}"), value, "--user"]).to_string());
    let element = (name(), value(), value()).prop_map(|(name, value, other)| {
        format!("<a><user>ada</user><{name}>{value}</{name}><{name}><b>{other}</b></{name}></a>")
    });
    let block = (name(), word(), value()).prop_map(|(name, word, value)| {
        format!("\na: 1\n{name}:\n  {word}\nb:\n  {name}: |\n    {value}\n    {value}\n  c: 1\n")
    });
    let tagged = (name(), word(), word()).prop_map(|(name, word, value)| {
        format!("\na: 1\n{name}: !!str {word}\nb:\n  {name}: &a !local |\n    {value}\n{name}:={word}\n{name}=={word}\n")
    });
    let attribute = (name(), value()).prop_map(|(name, value)| {
        format!("<user {name}=\"{value}\"/><add key=\"{name}\" value=\"{value}\"/>")
    });
    let wide = (name(), value()).prop_map(|(name, value)| {
        let wide = |symbol: char| char::from_u32(u32::from(symbol) + 0xfee0).unwrap_or(symbol);
        let wide: String = name.chars().map(wide).collect();
        format!("{{\"{wide}\": \"{value}\", \"n\": 1}}")
    });
    let whole = prop_oneof![
        json,
        twice,
        escaped,
        lines,
        debug,
        headers,
        assignment,
        url,
        pairs,
        named,
        option,
        options,
        element,
        block,
        tagged,
        attribute,
        wide,
        unnamed(word(), value())
    ];
    // The text is surrounded by blanks and marks, ends that are missing, quotes of another text.
    (whole, "[a-z \"{\\[:,=]{0,4}", 0_usize..8, 0_usize..12).prop_map(|(text, before, how, cut)| {
        match how {
            0 => format!("\u{feff}{text}"),
            1 => format!(" \n{text}\0"),
            2 => format!("{before} {text}"),
            3 => text.chars().take(text.chars().count() - cut).collect(),
            4 => format!("{text:?}"),
            5 => format!("Outer {{ text: {text:?}, n: 1 }}"),
            6 => json!([text]).to_string(),
            _ => text,
        }
    })
}

/// Generates texts with secrets in them that are known by what stands around them.
fn unnamed(
    word: impl Strategy<Value = String>,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    let form = prop::sample::select(
        &[
            "-----BEGIN RSA PRIVATE KEY-----\n@W\n@W\n-----END RSA PRIVATE KEY-----\n",
            "Authorization: Digest username=\"@W\", response=\"@V\", opaque=@W\n",
            "ALTER USER ada IDENTIFIED BY '@V'; ALTER ROLE ada PASSWORD '@V'",
            "mysql -uroot -p@W db; curl -u ada:@W h; run --token @W --token=@W",
            "//ada:@W@db/main https%3A%2F%2Fada%3A@W%40h%2Fb",
        ][..],
    );
    (form, word, value)
        .prop_map(|(form, word, value)| form.replace("@W", &word).replace("@V", &value))
}

/// Generates JSON with secrets somewhere: in texts, in keys, in JSON within texts, in numbers.
fn planted() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z \"{\\[:]{0,8}".prop_map(Value::from),
        ("[a-z ]{0,4}", "[a-z ]{0,4}").prop_map(|(a, b)| format!("{a}SECRET{b}").into()),
        named().prop_map(Value::from),
        Just(json!(4_242_424_242_u64)),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    text.prop_recursive(5, 48, 4, |inner| {
        let key = prop_oneof![
            "[a-z.]{0,5}",
            Just("SECRET".to_owned()),
            Just("a SECRET".to_owned())
        ];
        let object = proptest::collection::btree_map(key, inner.clone(), 0..4);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object.prop_map(|it| Value::Object(it.into_iter().collect())),
            inner.clone().prop_map(|it| it.to_string().into()),
            inner.prop_map(|it| json!({"password": {"deep": [it, "HIDDEN"]}, "api_key": "HIDDEN"})),
        ]
    })
}

#[derive(Debug)]
struct Text(#[expect(dead_code, reason = "it is for `Debug`")] String);

#[honeyhive::trace]
fn debugs(_text: Text) -> Result<(), String> {
    Err("no".to_owned())
}

fn send_everywhere(tracer: &HoneyHiveTracer, value: &Value) {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let chat = tracer.create_session(NewSession::named(text.clone()).inputs(json!({"v": value})));
    chat.enrich(
        Enrichment::new()
            .feedback(json!({"v": value}))
            .error(text.clone()),
    );
    chat.in_scope(|| {
        let span = tracer
            .span(text.clone())
            .inputs(json!({"v": value}))
            .start();
        span.error(&text);
        let cx = span.context();
        for key in [
            "gen_ai.prompt",
            "gen_ai.input.messages",
            "gen_ai.output.messages",
            "gen_ai.tool.call.result",
            "llm.input_messages.0.message.content",
            "url.full",
            "exception.message",
        ] {
            cx.span().set_attribute(KeyValue::new(key, text.clone()));
        }
        let line = vec![KeyValue::new("line", text.clone())];
        cx.span().add_event(text.clone(), line);
        let _ = debugs(Text(text.clone()));
    });
}

/// The test runs for an hour with `HH_FUZZ_SECONDS=3600 cargo test -p integration-tests --test sdk
/// redaction::no_planted_secret_survives`.
#[test]
fn no_planted_secret_survives_in_any_byte_that_is_sent() {
    let values = proptest::collection::vec(planted(), 1..8);
    holds(&(values, any::<bool>()), |(values, as_json)| {
        let server = server();
        let redaction = Redaction::new().pattern("SECRET").pattern("4242424242");
        let tracer = builder(&server).redaction(redaction);
        let protocol = match as_json {
            true => honeyhive::OtlpProtocol::HttpJson,
            false => honeyhive::OtlpProtocol::HttpProtobuf,
        };
        let tracer = tracer.otlp_protocol(protocol).build().unwrap();
        values
            .iter()
            .for_each(|value| send_everywhere(&tracer, value));
        flush(&tracer);
        let wire = wire(&server);
        for secret in ["SECRET", "4242424242", "HIDDEN"] {
            prop_assert!(!contains(&wire, secret), "{secret}");
        }
        // Nothing was lost over it.
        let events: usize = server
            .sessions()
            .iter()
            .map(|it| server.events(&it.session_id).len())
            .sum();
        prop_assert_eq!(events, 2 * values.len());
        Ok(())
    });
}

/// A second in memory has room for far more inputs; the test above covers what OTLP and HTTP make of them.
#[test]
fn no_planted_secret_is_in_what_a_test_captures() {
    let values = proptest::collection::vec(planted(), 1..3);
    holds(&values, |values| {
        let redaction = Redaction::new().pattern("SECRET").pattern("4242424242");
        let (tracer, captured) = testing::tracer_with(|it| it.redaction(redaction));
        values
            .iter()
            .for_each(|value| send_everywhere(&tracer, value));
        let text = captured.sessions().iter().map(all_of).collect::<String>();
        for secret in ["SECRET", "4242424242", "HIDDEN"] {
            prop_assert!(!text.contains(secret), "{secret}");
        }
        Ok(())
    });
}

/// Returns everything that a captured session says.
fn all_of(session: &CapturedSession) -> String {
    let buckets = [
        &session.inputs,
        &session.outputs,
        &session.metadata,
        &session.feedback,
    ];
    let buckets = buckets.map(|it| Value::Object(it.clone()).to_string());
    let events = session.events.iter().map(|event| {
        let attributes = event.attributes.iter();
        let attributes: String = attributes
            .map(|(key, value)| format!("{key} {}\n", value.as_str()))
            .collect();
        format!("{} {:?} {attributes}", event.name, event.error)
    });
    let events: String = events.collect();
    format!(
        "{:?} {:?} {} {events}",
        session.name,
        session.error,
        buckets.concat()
    )
}

#[test]
fn a_quote_that_is_missing_within_a_text_hides_nothing_of_the_text_around() {
    let within = r#"pairs: [("password", "HIDDEN"#;
    let around = json!([[within, {"api_key": "HIDDEN", "password": {"deep": ["\"", "HIDDEN"]}}]]);
    for value in [
        around.clone(),
        json!(around.to_string()),
        json!(json!([around.to_string()]).to_string()),
        json!(format!("{:?}", around.to_string())),
    ] {
        let server = server();
        let tracer = builder(&server).build().unwrap();
        send_everywhere(&tracer, &value);
        flush(&tracer);
        assert!(!contains(&wire(&server), "HIDDEN"), "{value}");
    }
}

/// The name and the value beside it are an item of a list each: a layout of messages would tear them apart.
#[test]
fn a_name_beside_its_value_is_masked_before_messages_are_laid_out() {
    for value in [
        json!([["password", "HIDDEN"]]),
        json!([["authorization", "HIDDEN"], ["content", "tea"]]),
        json!([["role", "user"], ["api_key", "HIDDEN"]]),
        json!({"messages": [["password", "HIDDEN"]]}),
        json!({"role": "user", "content": [["password", "HIDDEN"]]}),
        json!([{"role": "user", "parts": [[["password", "HIDDEN"]]]}]),
        json!({"role": "user", "name": "password", "value": "HIDDEN"}),
        json!(r#"[{"value": "HIDDEN", "n": {"a": [1]}, "name": "password"}]"#),
        json!([["role", "tool", ["--password", "HIDDEN"]]]),
    ] {
        for value in [value.clone(), value.to_string().into()] {
            let server = server();
            let tracer = builder(&server).build().unwrap();
            send_everywhere(&tracer, &value);
            flush(&tracer);
            assert!(!contains(&wire(&server), "HIDDEN"), "{value}");
        }
    }
}

#[test]
fn what_is_masked_in_messages_is_masked_where_they_are_laid_out_and_the_hook_is_asked_once_of_each()
{
    let server = server();
    let redaction = Redaction::new()
        .path("gen_ai.input.messages.*.content")
        .hook(|field| match field.key() {
            "content" if field.value() != "<redacted>" => {
                Verdict::Replace(format!("{} letters", field.value().len()))
            }
            _ => Verdict::Keep,
        });
    let tracer = builder(&server).redaction(redaction).build().unwrap();
    let mut span = tracer.provider().tracer("foreign").start("chat");
    for (key, role) in [
        ("gen_ai.input.messages", "user"),
        ("gen_ai.output.messages", "assistant"),
    ] {
        let messages = json!([{"role": role, "content": "mine"}]).to_string();
        span.set_attribute(KeyValue::new(key, messages));
    }
    span.end();
    flush(&tracer);

    let chat = event(&server, "chat");
    assert_eq!(chat.inputs["chat_history"][0]["content"], "<redacted>");
    assert_eq!(chat.outputs["content"], "4 letters");
}

#[test]
fn options_elements_blocks_and_bearers_are_masked_wherever_they_are_sent() {
    for value in [
        json!("mysql --user ada --password HIDDEN db"),
        json!("run --db-password 'a HIDDEN b' now"),
        json!(["mysql", "--password", "HIDDEN"]),
        json!({"args": ["--api-key", "HIDDEN", "--port", 80]}),
        json!(json!({"args": ["--api-key", "HIDDEN"]}).to_string()),
        json!(r#"Command { args: ["curl", "--api-key", "HIDDEN"] }"#),
        json!(r#""mysql" "--password" "HIDDEN""#),
        json!("<login><user>ada</user><password>HIDDEN</password></login>"),
        json!("<credentials><user>HIDDEN</user></credentials>"),
        json!("a:\n  private_key: |\n    HIDDEN\n    HIDDEN\n  b: 1"),
        json!("db:\n  password:\n    HIDDEN\n  port: 1"),
        json!("it said: Bearer eyJhbGciOiJIUzI1NiJ9.HIDDEN"),
    ] {
        let server = server();
        let tracer = builder(&server).build().unwrap();
        send_everywhere(&tracer, &value);
        let texts = value.as_array().cloned().unwrap_or_default();
        let texts: Vec<_> = texts
            .iter()
            .filter_map(|it| Some(it.as_str()?.to_owned().into()))
            .collect();
        let mut span = tracer.provider().tracer("foreign").start("process");
        let texts = Attribute::Array(Array::String(texts));
        span.set_attribute(KeyValue::new("process.command_args", texts));
        span.end();
        flush(&tracer);
        assert!(!contains(&wire(&server), "HIDDEN"), "{value}");
    }
}

#[test]
fn a_redaction_shows_its_rules_in_debug() {
    let redaction = Redaction::new().key("ssn").hook(|_| Verdict::Keep);
    let text = format!("{redaction:?}");
    assert!(
        text.contains("ssn") && text.contains("hook: true"),
        "{text}"
    );
}

#[test]
fn the_resource_passes_the_redaction_like_everything_else() {
    const SECRET: &str = "planted-Qw7-resource";
    let resource = || {
        Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", "chat"),
                KeyValue::new("db.password", SECRET),
                KeyValue::new("process.command_line", format!("chat token-{SECRET}")),
            ])
            .build()
    };
    for protocol in PROTOCOLS {
        let server = server();
        let tracer = builder(&server)
            .otlp_protocol(protocol)
            .redaction(Redaction::new().pattern("token-[A-Za-z0-9-]+"))
            .resource(resource())
            .build()
            .unwrap();
        drop(tracer.span("work").start());
        flush(&tracer);
        for request in server.requests() {
            let sent = String::from_utf8_lossy(&request.body);
            assert!(!sent.contains(SECRET), "{protocol:?}: {sent}");
        }
        let traces = server
            .requests()
            .into_iter()
            .find(|it| it.path.ends_with("/traces"));
        assert!(String::from_utf8_lossy(&traces.unwrap().body).contains("chat"));
    }
    // A hook that panics takes all but what identifies the service.
    let server = server();
    let tracer = builder(&server)
        .redaction(Redaction::new().hook(|_| panic!("the hook fails")))
        .resource(resource())
        .build()
        .unwrap();
    drop(tracer.span("work").start());
    flush(&tracer);
    for request in server.requests() {
        assert!(!String::from_utf8_lossy(&request.body).contains(SECRET));
    }
    assert!(tracer.stats().callback_panics > 0);
}
