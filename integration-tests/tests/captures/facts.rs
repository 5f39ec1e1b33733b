//! Some facts about captures are not in the folder. The number of the capture is in the name of each test.

use std::collections::{BTreeSet, HashMap};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use honeyhive::opentelemetry::baggage::BaggageExt as _;
use honeyhive::opentelemetry::trace::{Tracer as _, TracerProvider as _};
use honeyhive::opentelemetry::{Context, KeyValue};
use honeyhive::{
    Enrichment, HoneyHiveTracer, NewSession, OtlpProtocol, Session, SessionId, SessionTransport,
    StartError,
};
use honeyhive_local::{Endpoint, Fault, LocalEvent};
use serde_json::{Value, json};

use crate::edits::object;
use crate::hive::{Hive, run};
use crate::meaning::Object;

/// Returns the one event of this name, after a flush.
#[track_caller]
fn event(hive: &Hive, name: &str) -> LocalEvent {
    hive.received();
    let sessions = hive.server.sessions();
    let events = sessions
        .iter()
        .flat_map(|session| hive.server.events(&session.session_id));
    let mut found: Vec<_> = events.filter(|event| event.event_name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {found:#?}");
    found.remove(0)
}

/// Returns the name of the session that an event is in.
#[track_caller]
fn session_of(hive: &Hive, name: &str) -> String {
    let event = event(hive, name);
    hive.server
        .session(&event.session_id)
        .unwrap()
        .name
        .unwrap()
}

#[test]
fn c01_and_c13_each_call_says_who_sends_it_and_a_rest_call_when() {
    let before = SystemTime::now();
    let hive = Hive::new();
    for protocol in [OtlpProtocol::HttpJson, OtlpProtocol::HttpProtobuf] {
        let settings = hive.builder().session_name("s").source("production");
        let tracer = hive.init(settings.otlp_protocol(protocol));
        drop(tracer.span("op").start());
        tracer.enrich_session(Enrichment::new().metadata(json!({"a": 1})));
    }
    hive.received();
    let nanoseconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let times = nanoseconds(before)..=nanoseconds(SystemTime::now());
    let (traces, rest): (Vec<_>, Vec<_>) = hive
        .server
        .requests()
        .into_iter()
        .partition(|request| request.path.ends_with("/traces"));
    assert_eq!((traces.len(), rest.len() >= 2), (2, true), "{rest:#?}");
    for request in traces.iter().chain(&rest) {
        let header = |name| request.header(name);
        // The recorded headers have no key.
        assert!(request.authorized, "{request:?}");
        assert_eq!(header("hh-client-language"), Some("rust"));
        assert_eq!(header("hh-client-package"), Some("honeyhive"));
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(header("hh-client-version"), Some(version));
    }
    for request in rest {
        assert_eq!(request.header("content-type"), Some("application/json"));
        let sent = request.header("hh-client-timestamp").expect("a time");
        let sent: u128 = sent.parse().expect("decimal nanoseconds");
        assert!(times.contains(&sent), "{sent} is not in {times:?}");
        assert_eq!(request.header("x-source"), None);
    }
    let kinds = traces.iter().map(|request| {
        assert_eq!(request.header("x-source"), Some("production"));
        assert_eq!(request.header("hh-client-timestamp"), None);
        request.header("content-type").expect("a kind")
    });
    let kinds: BTreeSet<_> = kinds.collect();
    let both = ["application/json", "application/x-protobuf"];
    assert_eq!(kinds, both.into());
}

#[test]
fn c03_what_a_tracers_session_begins_with_is_all_kept() {
    let hive = Hive::new();
    let new = NewSession::named("s")
        .inputs(json!({"i": 1}))
        .metadata(json!({"m": 1}))
        .user_properties(json!({"u": 1}));
    hive.tracer("s").session_start(new);
    hive.received();
    let session = hive.server.sessions().remove(0);
    assert_eq!(session.inputs["i"], 1);
    assert_eq!(session.metadata["m"], 1);
    assert_eq!(session.user_properties["u"], 1);
}

#[test]
fn c10_over_otlp_no_session_is_posted_and_no_span_is_dropped() {
    let hive = Hive::new();
    let settings = hive.builder().session_name("s");
    let tracer = hive.init(settings.session_transport(SessionTransport::Otlp));
    drop(tracer.span("without-a-session").start());
    let linked = tracer.create_session(NewSession::named("conversation").id("c-1"));
    linked.in_scope(|| drop(tracer.span("linked").start()));
    for (span, session) in [("without-a-session", "s"), ("linked", "conversation")] {
        let attributes = event(&hive, span).attributes;
        assert_eq!(attributes["honeyhive.session_auto_create"], true);
        assert_eq!(attributes["honeyhive.session_name"], session);
    }
    assert_eq!(event(&hive, "linked").session_id, linked.id().to_string());
    let paths = hive
        .server
        .requests()
        .into_iter()
        .map(|request| request.path);
    assert!(
        paths
            .into_iter()
            .all(|path| path == "/opentelemetry/v1/traces")
    );
}

#[test]
fn c11_and_c22_an_id_of_any_shape_is_the_same_session_wherever_it_is_given() {
    for id in [
        "thread_42",
        "id with space; and=semi",
        "D9B2D63D-A233-4123-847A-76838BF8A2D9",
    ] {
        let hive = Hive::new();
        let first = hive.init(hive.builder().session_name("s").session_id(id));
        drop(first.span("first").start());
        hive.received();
        let second = hive.tracer("other");
        let linked = second.create_session(NewSession::existing(id));
        linked.in_scope(|| drop(second.span("second").start()));
        assert_eq!(
            event(&hive, "first").session_id,
            event(&hive, "second").session_id
        );
        assert_eq!(
            event(&hive, "first").session_id,
            SessionId::from(id).to_string()
        );
    }
}

#[test]
fn c26_a_session_for_a_block_ends_with_the_block() {
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    run(async {
        let inside =
            tracer.with_session("block", |_| async { drop(tracer.span("inside").start()) });
        inside.await;
        assert!(Session::current().is_none());
        drop(tracer.span("after").start());
    });
    assert_eq!(session_of(&hive, "inside"), "block");
    assert_eq!(session_of(&hive, "after"), "startup");
}

#[test]
fn c27_a_span_stays_in_the_session_it_began_in() {
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    let outer = tracer.span("outer").start();
    outer.in_scope(|| {
        tracer
            .create_session("created-inside")
            .in_scope(|| drop(tracer.span("child").start()));
        drop(tracer.span("sibling-after").start());
    });
    drop(outer);
    assert_eq!(session_of(&hive, "outer"), "startup");
    assert_eq!(session_of(&hive, "child"), "created-inside");
    assert_eq!(session_of(&hive, "sibling-after"), "startup");
    let outer = event(&hive, "outer").span_id;
    for below in ["child", "sibling-after"] {
        assert_eq!(
            event(&hive, below).parent_span_id.as_ref(),
            Some(&outer),
            "{below}"
        );
    }
}

#[test]
fn c27_an_attribute_does_not_move_a_span_out_of_its_session() {
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    let foreign = tracer.provider().tracer("foreign");
    tracer.create_session("mine").in_scope(|| {
        let elsewhere = KeyValue::new("honeyhive.session_id", SessionId::new().to_string());
        drop(foreign.build(foreign.span_builder("work").with_attributes([elsewhere])));
    });
    assert_eq!(session_of(&hive, "work"), "mine");
}

#[test]
fn c29_a_thread_has_no_session_but_the_tracers_unless_it_is_taken_along() {
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    let chat = tracer.create_session("chat");
    chat.in_scope(|| {
        let parent = tracer.span("parent").start();
        parent.in_scope(|| {
            let plain = tracer.clone();
            let plain = thread::spawn(move || drop(plain.span("plain").start()));
            let along = tracer.clone();
            let along = chat.wrap(move || drop(along.span("taken-along").start()));
            plain.join().unwrap();
            thread::spawn(along).join().unwrap();
        });
    });
    assert_eq!(session_of(&hive, "plain"), "startup");
    assert_eq!(event(&hive, "plain").parent_span_id, None);
    assert_eq!(session_of(&hive, "taken-along"), "chat");
    let parent = event(&hive, "parent").span_id;
    assert_eq!(event(&hive, "taken-along").parent_span_id, Some(parent));
}

#[test]
fn c33_another_session_is_enriched_without_one_of_our_own() {
    let hive = Hive::new();
    let id = SessionId::new();
    hive.knows(id);
    let tracer = hive.tracer("never begun");
    let theirs = tracer.create_session(NewSession::existing(id));
    theirs.enrich(Enrichment::new().metadata(json!({"a": 1})));
    hive.received();
    assert_eq!(
        hive.server.session(&id.to_string()).unwrap().metadata["a"],
        1
    );
    assert_eq!(hive.server.sessions().len(), 1);
}

#[test]
fn c35_an_error_of_a_session_goes_where_there_is_room() {
    let hive = Hive::new();
    let id = SessionId::new();
    hive.knows(id);
    let theirs = hive.tracer("s").create_session(NewSession::existing(id));
    theirs.enrich(
        Enrichment::new()
            .error("late")
            .outputs("no object")
            .metrics(json!({"n": 1})),
    );
    hive.received();
    let session = hive.server.session(&id.to_string()).unwrap();
    assert_eq!(session.metadata["error"], "late");
    assert_eq!(
        session.metrics["n"], 1,
        "what is no object costs nothing else"
    );
}

/// Returns results, each with the attributes that it becomes, below `honeyhive_outputs.result`.
fn flattening() -> Vec<(Value, Value)> {
    vec![
        (json!(null), json!({})),
        (json!("text"), json!({"": "text"})),
        (json!(""), json!({"": ""})),
        (json!(true), json!({"": true})),
        (json!(-7), json!({"": -7})),
        (json!(2.5), json!({"": 2.5})),
        (json!({}), json!({})),
        (json!([]), json!({})),
        (json!({"k": {}, "l": []}), json!({})),
        (json!({"a": {"b": {"c": 1}}}), json!({".a.b.c": 1})),
        (json!({"a.b": 1}), json!({".a.b": 1})),
        (json!({"a": null, "b": 1}), json!({".b": 1})),
        (json!([null, 1]), json!({".1": 1})),
        (
            json!([1, "two", [3, {"four": 4}]]),
            json!({".0": 1, ".1": "two", ".2.0": 3, ".2.1.four": 4}),
        ),
        (json!({"héllo": "🐝"}), json!({".héllo": "🐝"})),
        // Bug 4: the wire has no such number.
        (json!(u64::MAX), json!({"": u64::MAX.to_string()})),
        // Bug 22: texts are texts, whatever they came from.
        (
            json!("2024-01-02 03:04:05"),
            json!({"": "2024-01-02 03:04:05"}),
        ),
    ]
}

/// Returns the attributes below a prefix.
fn below(event: &LocalEvent, prefix: &str) -> Object {
    let attributes = event.attributes.iter();
    let below = attributes
        .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone())));
    below.collect()
}

#[test]
fn c43_and_c61_results_and_enrichments_are_flattened_alike() {
    #[honeyhive::trace(name = "returned", tracer = tracer, skip(tracer))]
    fn returned(tracer: &HoneyHiveTracer, argument: Value) -> Value {
        argument
    }
    for (value, leaves) in flattening() {
        let hive = Hive::new();
        let tracer = hive.tracer("s");
        returned(&tracer, value.clone());
        let span = tracer.span("enriched").start();
        span.enrich(Enrichment::new().outputs(json!({"result": value})));
        drop(span);
        let leaves = object(leaves);
        for (name, prefix) in [
            ("returned", "honeyhive_outputs.result"),
            ("returned", "honeyhive_inputs.argument"),
            ("enriched", "honeyhive_outputs.result"),
        ] {
            assert_eq!(
                below(&event(&hive, name), prefix),
                leaves,
                "{value} of {name}, {prefix}"
            );
        }
    }
}

#[test]
fn c61_a_very_long_text_is_not_cut() {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let text = "x".repeat(100_000);
    let span = tracer.span("long").start();
    span.outputs(json!({"text": text}));
    drop(span);
    assert_eq!(event(&hive, "long").outputs["text"], text);
}

#[test]
fn c47_a_traced_function_takes_config_metadata_and_inputs() {
    #[honeyhive::trace(
        tracer = tracer,
        config = json!({"model": "m"}),
        metadata = json!({"k": {"v": 1}}),
        inputs = json!({"q": question}),
    )]
    fn ask(tracer: &HoneyHiveTracer, question: &str) -> u8 {
        42
    }
    let hive = Hive::new();
    ask(&hive.tracer("s"), "6 * 7?");
    let event = event(&hive, "ask");
    assert_eq!(Value::from(event.config), json!({"model": "m"}));
    assert_eq!(Value::from(event.metadata), json!({"k": {"v": 1}}));
    assert_eq!(Value::from(event.inputs), json!({"q": "6 * 7?"}));
    assert_eq!(Value::from(event.outputs), json!({"result": 42}));
}

#[test]
fn c63_an_earlier_event_keeps_the_inputs_and_the_error_it_is_given() {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let span = tracer.span("earlier").start();
    let id = span.event_id();
    drop(span);
    let later = Enrichment::new()
        .inputs(json!({"q": 1}))
        .outputs(json!({"a": 2}))
        .error("found out later");
    tracer.enrich_event(id, later);
    let event = event(&hive, "earlier");
    assert_eq!(event.outputs["a"], 2);
    // An update of HoneyHive's has room for them in the metadata only.
    assert_eq!(event.metadata["inputs"], json!({"q": 1}));
    assert_eq!(event.metadata["error"], "found out later");
}

type Attributes = &'static [(&'static str, &'static str)];

/// Asserts the types of spans that other libraries make, by what they say of themselves.
#[track_caller]
fn assert_types(cases: &[(&str, Attributes, &str)]) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let foreign = tracer.provider().tracer("foreign");
    for (name, attributes, _) in cases {
        let attributes = attributes
            .iter()
            .map(|(key, value)| KeyValue::new(*key, *value));
        let span = foreign
            .span_builder(name.to_string())
            .with_attributes(attributes);
        drop(foreign.build(span));
    }
    for (name, attributes, expected) in cases {
        assert_eq!(
            event(&hive, name).event_type,
            *expected,
            "{name}: {attributes:?}"
        );
    }
}

#[test]
fn c73_the_type_is_what_a_span_says_of_its_kind() {
    const KIND: &str = "openinference.span.kind";
    const OPERATION: &str = "gen_ai.operation.name";
    assert_types(&[
        ("llm", &[(KIND, "LLM")], "model"),
        ("lower case", &[(KIND, "llm")], "model"),
        ("chain", &[(KIND, "CHAIN")], "chain"),
        ("agent", &[(KIND, "AGENT")], "chain"),
        ("tool", &[(KIND, "TOOL")], "tool"),
        ("retriever", &[(KIND, "RETRIEVER")], "tool"),
        ("embedding", &[(KIND, "EMBEDDING")], "tool"),
        ("reranker", &[(KIND, "RERANKER")], "tool"),
        ("guardrail", &[(KIND, "GUARDRAIL")], "tool"),
        ("unheard of", &[(KIND, "EVALUATOR")], "tool"),
        (
            "gen_ai before openinference",
            &[(KIND, "TOOL"), (OPERATION, "chat")],
            "model",
        ),
        (
            "openinference after",
            &[(KIND, "LLM"), (OPERATION, "unheard_of")],
            "model",
        ),
        (
            "explicit",
            &[("honeyhive_event_type", "chain"), (OPERATION, "chat")],
            "chain",
        ),
        // Bug 26: the event counts like every other.
        (
            "explicit tool",
            &[("honeyhive_event_type", "tool"), (KIND, "CHAIN")],
            "tool",
        ),
        ("with a dot", &[("honeyhive.event_type", "model")], "tool"),
    ]);
}

#[test]
fn c73_a_raw_event_type_counts_after_the_explicit_one() {
    const RAW: &str = "honeyhive_event_type_raw";
    assert_types(&[
        ("raw", &[(RAW, "model")], "model"),
        (
            "before the conventions",
            &[(RAW, "chain"), ("gen_ai.operation.name", "chat")],
            "chain",
        ),
        (
            "after the explicit one",
            &[(RAW, "model"), ("honeyhive_event_type", "tool")],
            "tool",
        ),
    ]);
}

#[test]
fn c76_baggage_of_others_is_no_business_of_a_span() {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let baggage = [
        ("tenant", "acme"),
        ("project", "theirs"),
        ("source", "theirs"),
        ("parent_id", "theirs"),
        ("run_id", "theirs"),
        ("dataset_id", "theirs"),
        ("session_id", "no-uuid-so-not-ours"),
        ("honeyhive_tracer_id", "140737488355328"),
    ];
    let baggage = baggage.map(|(key, value)| KeyValue::new(key, value));
    {
        let _guard = Context::current_with_baggage(baggage).attach();
        drop(tracer.span("work").start());
    }
    let event = event(&hive, "work");
    let session = hive.server.session(&event.session_id).unwrap();
    assert_eq!(session.name.as_deref(), Some("s"));
    let attributes = Value::from(event.attributes).to_string();
    for stranger in ["baggage.", "acme", "theirs", "no-uuid", "140737488355328"] {
        assert!(!attributes.contains(stranger), "{stranger}: {attributes}");
    }
}

#[test]
fn c77_what_leaves_the_process_is_the_session_and_the_span_where_it_is_asked_for() {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let session = tracer.session_start(NewSession::default());
    let mut headers: HashMap<String, String> = HashMap::new();
    session.inject(&mut headers);
    let id = session.id();
    let mut members: Vec<_> = headers["baggage"].split(',').collect();
    members.sort_unstable();
    let expected = [
        format!("honeyhive.session_id={id}"),
        format!("session_id={id}"),
    ];
    assert_eq!(members, expected);
    assert!(
        !headers.contains_key("traceparent"),
        "there is no span: {headers:?}"
    );
}

#[test]
fn c77_what_comes_in_is_the_callers_session_and_span() {
    let hive = Hive::new();
    let (caller, called) = (hive.tracer("caller"), hive.tracer("called"));
    let chat = caller.create_session("chat");
    let mut headers = HashMap::new();
    let call = chat.in_scope(|| caller.span("call").start());
    call.in_scope(|| chat.inject(&mut headers));
    drop(call);
    hive.received();
    {
        let _guard = called.extract(&headers).attach();
        called.enrich_session(Enrichment::new().metadata(json!({"seen": true})));
        drop(called.span("served").start());
    }
    let call = event(&hive, "call");
    let served = event(&hive, "served");
    assert_eq!(served.session_id, call.session_id);
    assert_eq!(served.parent_span_id, Some(call.span_id));
    assert_eq!(
        hive.server.session(&call.session_id).unwrap().metadata["seen"],
        true
    );
}

#[test]
fn c95_headers_are_read_in_any_case_decoded_and_without_their_properties() {
    const SPAN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (name, parent) in [
        ("baggage", "traceparent"),
        ("Baggage", "Traceparent"),
        ("BAGGAGE", "TRACEPARENT"),
    ] {
        let hive = Hive::new();
        let tracer = hive.tracer("s");
        let headers = [
            (name, "a=1,honeyhive.session_id=id%20x;prop=1, b = 2"),
            (parent, SPAN),
        ];
        {
            let _guard = tracer.extract(headers).attach();
            drop(tracer.span("served").start());
        }
        let served = event(&hive, "served");
        assert_eq!(
            served.session_id,
            SessionId::from("id x").to_string(),
            "{name}"
        );
        assert_eq!(
            served.parent_span_id.as_deref(),
            Some("b7ad6b7169203331"),
            "{parent}"
        );
    }
}

#[test]
fn c106_and_c123_a_session_that_fails_leaves_nobody_elses_current() {
    let hive = Hive::new();
    let tracer = hive.tracer("startup");
    run(async {
        let first = tracer.acreate_session("first user").await.unwrap();
        first.in_scope(|| drop(tracer.span("of the first").start()));
        hive.received();
        hive.server
            .fail(Fault::status(400).on(Endpoint::Sessions).times(1));
        let refused = tracer.acreate_session("second user");
        let second = refused.session();
        assert!(matches!(refused.await, Err(StartError::Rejected { .. })));
        // The thread is the same, as a worker would reuse it.
        second.in_scope(|| drop(tracer.span("of the second").start()));
        drop(tracer.span("of nobody").start());
    });
    assert_eq!(session_of(&hive, "of the first"), "first user");
    assert_eq!(session_of(&hive, "of the second"), "second user");
    assert_eq!(session_of(&hive, "of nobody"), "startup");
}
