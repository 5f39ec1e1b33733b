//! Functions have `#[honeyhive::trace]` where Python has `@trace`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::task::Poll;

use futures_util::future::join_all;
use futures_util::{Stream, StreamExt as _, stream};
use honeyhive::{Enrichment, EventType, HoneyHiveTracer, SessionId};
use serde::Serialize;
use serde_json::{Value, json};

use crate::edits::{attribute, failed, no_attribute, no_span, object};
use crate::hive::{Hive, run};
use crate::meaning::Meaning;
use crate::python::{Because, Bug, Python, Why};

type Tracer = HoneyHiveTracer;

pub(crate) fn over_protobuf(python: Python) {
    #[honeyhive::trace(event_type = "model", tracer = tracer)]
    fn f(tracer: &Tracer, a: &str, b: f64, c: bool, d: Option<u8>) -> Value {
        json!({"x": [1, 2.0, "s"], "y": null})
    }
    let hive = Hive::new();
    f(&hive.tracer("s"), "str", 2.5, true, None);
    python
        .but_traced()
        .but(Bug(22), no_attribute("honeyhive_inputs.d"))
        .compare(&hive);
}

pub(crate) fn event_types(python: Python) {
    #[honeyhive::trace(event_type = "model", name = "step-model", tracer = tracer)]
    fn model(tracer: &Tracer, q: &str) -> String {
        format!("out-{q}")
    }
    #[honeyhive::trace(event_type = "chain", name = "step-chain", tracer = tracer)]
    fn chain(tracer: &Tracer, q: &str) -> String {
        format!("out-{q}")
    }
    #[honeyhive::trace(event_type = "tool", name = "step-tool", tracer = tracer)]
    fn tool(tracer: &Tracer, q: &str) -> String {
        format!("out-{q}")
    }
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    model(&tracer, "model");
    chain(&tracer, "chain");
    tool(&tracer, "tool");
    // The others do not compile: crates/honeyhive-macros/tests/ui/event_type.rs.
    python
        .but_named()
        .but(Bug(27), no_span("step-session"))
        .but(Bug(27), no_span("step-banana"))
        .but(Bug(27), no_span("step-MODEL"))
        .compare(&hive);
}

pub(crate) fn async_functions(python: Python) {
    #[honeyhive::trace(event_type = "tool", tracer = tracer)]
    async fn leaf(tracer: &Tracer, i: u32) -> u32 {
        tokio::task::yield_now().await;
        i
    }
    #[honeyhive::trace(event_type = "model", tracer = tracer)]
    async fn mid(tracer: &Tracer, i: u32) -> u32 {
        leaf(tracer, i).await
    }
    #[honeyhive::trace(event_type = "chain", tracer = tracer)]
    async fn top(tracer: &Tracer) -> Vec<u32> {
        join_all([mid(tracer, 1), mid(tracer, 2)]).await
    }
    let hive = Hive::new();
    run(top(&hive.tracer("s")));
    python.but_traced().compare(&hive);
}

/// `At` is a date, as it serialises.
struct At(&'static str);

impl Serialize for At {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

struct Plain;

impl fmt::Debug for Plain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OBJ-STR")
    }
}

#[derive(Serialize)]
enum Color {
    Red,
}

#[derive(Serialize)]
struct Record {
    x: u8,
}

/// `Bad` has a `Debug` that fails.
struct Bad;

impl fmt::Debug for Bad {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no text")
    }
}

#[expect(clippy::too_many_arguments, reason = "an argument a kind")]
#[honeyhive::trace(event_type = "tool", tracer = tracer)]
fn f(
    tracer: &Tracer,
    s: &str,
    i: i64,
    fl: f64,
    b: bool,
    n: Option<u8>,
    lst: &Value,
    d: &Value,
    nested: &Value,
    obj: &Plain,
    path: &Path,
    dt: &At,
    dec: &At,
    u: SessionId,
    by: &[u8; 2],
    tup: (u8, u8),
    st: &BTreeSet<u8>,
    en: &Color,
    ie: i64,
    dc: &Record,
    dflt: &str,
    kwonly: &str,
    bad: &Bad,
) {
}

#[expect(clippy::too_many_arguments, reason = "an argument a kind")]
#[honeyhive::trace(event_type = "tool", tracer = tracer)]
fn g(
    tracer: &Tracer,
    has_datetime_inside: &Value,
    empty_list: [u8; 0],
    empty_dict: &Value,
    big_int: u128,
    neg: i64,
    inf: f64,
    nan: f64,
    uni: &str,
    non_str_keys: &BTreeMap<u8, u8>,
    self_like: u8,
) {
}

pub(crate) fn arguments_of_every_kind(python: Python) {
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    f(
        &tracer,
        "str",
        42,
        1.5,
        true,
        None,
        &json!([1, "a", null, [2]]),
        &json!({"k": "v", "n": null}),
        &json!({"a": {"b": [{"c": 1}]}}),
        &Plain,
        Path::new("/x"),
        &At("2024-01-02 03:04:05"),
        &At("1.10"),
        SessionId::from("550e8400-e29b-41d4-a716-446655440000"),
        b"by",
        (1, 2),
        &BTreeSet::from([1]),
        &Color::Red,
        1,
        &Record { x: 1 },
        "given",
        "given-kw",
        &Bad,
    );
    g(
        &tracer,
        &json!({"t": "2024-01-02T00:00:00Z"}),
        [],
        &json!({}),
        1 << 70,
        -5,
        f64::INFINITY,
        f64::NAN,
        "héllo 🐝\n",
        &[(1, 2)].into(),
        2,
    );
    const FLATTENED: Why = Because("arguments are flattened as results are");
    const NONE: Why = Because("Rust has no such arguments");
    let instead = |span: &'static str, key: &'static str, leaves: Value| {
        move |it: &mut Meaning| {
            let attributes = &mut it.span(span).attributes;
            attributes.remove(&format!("honeyhive_inputs.{key}"));
            for (leaf, value) in object(leaves) {
                attributes.insert(format!("honeyhive_inputs.{key}{leaf}"), value);
            }
        }
    };
    python
        .but_traced()
        .but(Bug(22), instead("f", "n", json!({})))
        .but(
            FLATTENED,
            instead("f", "lst", json!({".0": 1, ".1": "a", ".3.0": 2})),
        )
        .but(FLATTENED, instead("f", "d", json!({".k": "v"})))
        .but(FLATTENED, instead("f", "nested", json!({".a.b.0.c": 1})))
        .but(FLATTENED, instead("f", "by", json!({".0": 98, ".1": 121})))
        .but(FLATTENED, instead("f", "tup", json!({".0": 1, ".1": 2})))
        .but(FLATTENED, instead("f", "st", json!({".0": 1})))
        .but(Bug(22), instead("f", "en", json!({"": "Red"})))
        .but(Bug(22), instead("f", "dc", json!({".x": 1})))
        .but(NONE, instead("f", "lam", json!({})))
        .but(NONE, instead("f", "args", json!({})))
        .but(NONE, instead("f", "kwargs", json!({})))
        .but(
            Bug(6),
            instead(
                "g",
                "has_datetime_inside",
                json!({".t": "2024-01-02T00:00:00Z"}),
            ),
        )
        .but(FLATTENED, instead("g", "empty_list", json!({})))
        .but(FLATTENED, instead("g", "empty_dict", json!({})))
        .but(FLATTENED, instead("g", "non_str_keys", json!({".1": 2})))
        .but(
            Bug(4),
            instead("g", "big_int", json!({"": "1180591620717411303424"})),
        )
        .compare(&hive);
}

pub(crate) fn errors(python: Python) {
    #[honeyhive::trace(event_type = "tool", tracer = tracer)]
    fn boom(tracer: &Tracer, x: u8) -> Result<(), String> {
        Err("bad value".to_owned())
    }
    #[honeyhive::trace(event_type = "tool", name = "named-async", tracer = tracer)]
    async fn aboom(tracer: &Tracer) -> Result<(), String> {
        Err("async bad".to_owned())
    }
    #[honeyhive::trace(event_type = "tool", tracer = tracer)]
    fn inner(tracer: &Tracer) -> Result<(), String> {
        Err("'k'".to_owned())
    }
    #[honeyhive::trace(event_type = "chain", tracer = tracer)]
    fn outer(tracer: &Tracer) -> Result<(), String> {
        inner(tracer)
    }
    #[honeyhive::trace(event_type = "tool", tracer = tracer)]
    fn with_error_param(tracer: &Tracer) -> u8 {
        tracer.enrich_span(Enrichment::new().error("preset"));
        1
    }
    #[honeyhive::trace(event_type = "tool", tracer = tracer)]
    async fn cancelled(tracer: &Tracer) {
        std::future::pending().await
    }
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    boom(&tracer, 1).unwrap_err();
    run(aboom(&tracer)).unwrap_err();
    outer(&tracer).unwrap_err();
    tracer.span("plain-span").start().error("in start_span");
    assert_eq!(with_error_param(&tracer), 1);
    drop(tracer.span("kbd").start());
    run(async {
        let mut cancelled = pin!(cancelled(&tracer));
        poll_fn(|cx| Poll::Ready(cancelled.as_mut().poll(cx).is_pending())).await
    });
    python
        .but_named()
        .but(Bug(21), no_span("boom_error"))
        .but(Bug(21), no_span("named-async_error"))
        .but(Bug(21), no_span("inner_error"))
        .but(Bug(21), no_span("outer_error"))
        .but(Bug(21), failed("boom", "bad value"))
        .but(Bug(21), failed("named-async", "async bad"))
        .but(Bug(21), failed("inner", "'k'"))
        .but(Bug(21), failed("outer", "'k'"))
        .but(Bug(21), failed("plain-span", "in start_span"))
        .but(Bug(21), failed("with_error_param", "preset"))
        .but(Bug(21), failed("cancelled", "cancelled"))
        .but(
            Bug(21),
            attribute("cancelled", "honeyhive_metadata.cancelled", true),
        )
        .compare(&hive);
}

pub(crate) fn streams(python: Python) {
    #[honeyhive::trace(event_type = "tool", tracer = tracer)]
    fn child(tracer: &Tracer, i: u32) -> u32 {
        i
    }
    #[honeyhive::trace(event_type = "model", tracer = tracer)]
    fn r#gen(tracer: &Tracer, n: u32) -> impl Stream<Item = u32> {
        stream::iter(0..n).map(|i| child(tracer, i))
    }
    #[honeyhive::trace(event_type = "model", tracer = tracer)]
    fn agen(tracer: &Tracer, n: u32) -> impl Stream<Item = u32> {
        stream::iter(0..n).then(async |i| child(tracer, i))
    }
    /// Makes the items of a stream its output, and puts the spans of the work below it.
    fn whole(name: &str) -> impl FnOnce(&mut Meaning) {
        move |it| {
            let items = [it.take_span("child"), it.take_span("child")];
            let span = it.span(name);
            span.children.extend(items);
            span.attributes.remove("honeyhive_outputs.result");
            for index in 0..2 {
                let key = format!("honeyhive_outputs.result.{index}");
                span.attributes.insert(key, json!(index));
            }
        }
    }
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    run(async {
        assert_eq!(r#gen(&tracer, 2).collect::<Vec<_>>().await, [0, 1]);
        assert_eq!(agen(&tracer, 2).collect::<Vec<_>>().await, [0, 1]);
    });
    python
        .but_traced()
        .but(Bug(24), whole("gen"))
        .but(Bug(24), whole("agen"))
        .compare(&hive);
}

pub(crate) fn event_types_as_paths(python: Python) {
    #[honeyhive::trace(
        event_type = EventType::Model,
        name = "enum-step",
        tracer = tracer,
        skip(tracer)
    )]
    fn f(tracer: &Tracer) -> u8 {
        1
    }
    #[honeyhive::trace(
        event_type = EventType::Chain,
        name = "strenum-step",
        tracer = tracer,
        skip(tracer)
    )]
    fn g(tracer: &Tracer) -> u8 {
        1
    }
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    assert_eq!(f(&tracer) + g(&tracer), 2);
    python.but_named().compare(&hive);
}

pub(crate) fn bare_and_methods(python: Python) {
    #[honeyhive::trace(event_type = "model")]
    async fn a1(x: u8) -> u8 {
        x
    }
    #[honeyhive::trace]
    fn bare(x: u8) -> u8 {
        x
    }
    #[honeyhive::trace()]
    fn empty_parens(x: u8) -> u8 {
        x
    }
    struct Svc(u8);
    impl Svc {
        #[honeyhive::trace(event_type = "tool", name = "Svc.pub")]
        fn public(&self, v: u8) -> u8 {
            self.0 + v
        }
        #[honeyhive::trace(event_type = "tool", name = "Svc.apub")]
        async fn apub(&self, v: u8) -> u8 {
            self.0 + v
        }
    }
    struct K(u8);
    impl K {
        #[honeyhive::trace(event_type = "tool")]
        fn m(&self, v: u8) -> u8 {
            self.0 + v
        }
        #[honeyhive::trace(event_type = "tool")]
        fn c(v: u8) -> u8 {
            v
        }
    }
    #[honeyhive::trace(event_type = "tool")]
    async fn a2() -> u8 {
        1
    }
    let hive = Hive::new();
    let tracer = hive.tracer("s");
    let session = tracer.session_start(honeyhive::NewSession::default());
    run(session.scope(async {
        a1(1).await;
        bare(1);
        empty_parens(1);
        Svc(0).public(1);
        Svc(0).apub(2).await;
        K(0).m(1);
        K::c(2);
        a2().await;
    }));
    python.but_named().compare(&hive);
}

pub(crate) fn no_tracer_yet(python: Python) {
    #[honeyhive::trace(event_type = "tool")]
    fn f(x: u8) -> u8 {
        x
    }
    let hive = Hive::new();
    // The default tracer belongs to the process, which other tests share.
    let is_child = hive.runs(&python, || {
        assert_eq!(f(1), 1);
        let settings = HoneyHiveTracer::builder().project("p").session_name("s");
        let tracer = settings.build().unwrap();
        let _guard = tracer.shutdown_guard();
        HoneyHiveTracer::set_default(tracer);
        assert_eq!(f(2), 2);
    });
    if !is_child {
        python.but_traced().compare(&hive);
    }
}

pub(crate) fn an_error_that_names_the_tracer(python: Python) {
    #[honeyhive::trace(event_type = "tool", tracer = tracer, skip(tracer, calls))]
    fn f(tracer: &Tracer, calls: &mut u32) -> Result<(), String> {
        *calls += 1;
        Err("Tracer error: from user code".to_owned())
    }
    let hive = Hive::new();
    let mut calls = 0;
    f(&hive.tracer("s"), &mut calls).unwrap_err();
    assert_eq!(calls, 1, "bug 25");
    python
        .but_traced()
        .but(Bug(21), failed("f", "Tracer error: from user code"))
        .compare(&hive);
}
