//! Code of the program that panics while something is recorded reaches nobody.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::*;
use futures_util::StreamExt as _;
use futures_util::stream;
use honeyhive::client::{EventSearch, NewDatapoint, Operator};
use honeyhive::{Enrichment, EventType, HoneyHiveTracer, NewSession, Session, evaluate, testing};
use serde::{Serialize, Serializer};
use serde_json::Value;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

/// The value panics however it is shown.
#[derive(Clone)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("on purpose")
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("on purpose")
    }
}

impl Error for Broken {}

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("on purpose")
    }
}

impl TryFrom<Broken> for EventType {
    type Error = Broken;

    fn try_from(broken: Broken) -> Result<Self, Broken> {
        Err(broken)
    }
}

/// The box of an error panics when it is opened.
#[derive(Debug)]
struct NoBox;

impl AsRef<dyn Error + 'static> for NoBox {
    fn as_ref(&self) -> &(dyn Error + 'static) {
        panic!("on purpose")
    }
}

/// The box of an error that may go to another thread panics when it is opened.
#[derive(Debug)]
struct NoSendBox;

impl AsRef<dyn Error + Send + Sync + 'static> for NoSendBox {
    fn as_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        panic!("on purpose")
    }
}

/// Has `Display` and is no error.
struct Displayed;

impl fmt::Display for Displayed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Broken, formatter)
    }
}

/// Has `Debug` and nothing else.
#[derive(Debug)]
struct Shown(Broken);

#[honeyhive::trace]
fn displayed() -> Result<(), Displayed> {
    Err(Displayed)
}

#[honeyhive::trace]
fn shown() -> Result<(), Shown> {
    Err(Shown(Broken))
}

#[honeyhive::trace]
fn boxed() -> Result<(), NoBox> {
    Err(NoBox)
}

/// The text stands for one that panics.
const UNTOLD: Option<&str> = Some("an error whose text cannot be had");

#[test]
fn an_error_whose_text_panics_comes_back_and_ends_its_span_and_its_session() {
    let (tracer, captured) = testing::tracer();
    let spans = tracer.create_session("spans");
    let span = |name| spans.span(name);
    assert!(block_on(span("run").run(async |_| Err::<(), _>(Broken))).is_err());
    assert!(
        span("blocking")
            .run_blocking(|_| Err::<(), _>(Broken))
            .is_err()
    );
    assert!(span("boxed").run_blocking(|_| Err::<(), _>(NoBox)).is_err());
    let ran = tracer.try_with_session("job", async |_| Err::<(), _>(Broken));
    assert!(block_on(ran).is_err());
    let ran = tracer.try_with_session_blocking("blocking job", |_| Err::<(), _>(Broken));
    assert!(ran.is_err());
    let ran = tracer.try_with_session_blocking("boxed job", |_| Err::<(), _>(NoBox));
    assert!(ran.is_err());

    let spans = captured.session_named("spans");
    for name in ["run", "blocking", "boxed"] {
        assert_eq!(spans.event(name).error.as_deref(), UNTOLD, "{name}");
    }
    for name in ["job", "blocking job", "boxed job"] {
        let session = captured.session_named(name);
        assert_eq!(session.metadata["outcome"], "error", "{name}");
        assert_eq!(session.error.as_deref(), UNTOLD, "{name}");
    }
}

/// A row says what the program does, in a session that is current.
type Row = (&'static str, fn(&HoneyHiveTracer, &Session));

/// Returns what becomes of a row's work.
fn played(&(kind, work): &Row) -> (HoneyHiveTracer, testing::Captured) {
    let (tracer, captured) = testing::tracer();
    let session = tracer.create_session("chat");
    let subscriber = Registry::default().with(tracer.tracing_layer());
    let work = || session.in_scope(|| work(&tracer, &session));
    let work = || tracing::subscriber::with_default(subscriber, work);
    assert!(catch_unwind(AssertUnwindSafe(work)).is_ok(), "{kind}");
    (tracer, captured)
}

#[test]
fn the_text_of_an_error_that_panics_is_a_placeholder_on_whatever_it_is_recorded() {
    let of_sessions: [Row; 3] = [
        ("Session::error", |_, session| session.error(Broken)),
        ("Session::error, Debug", |_, session| {
            session.error(format_args!("{:?}", Shown(Broken)));
        }),
        ("Session::fail", |_, session| session.fail(&Broken)),
    ];
    for row in &of_sessions {
        let (_, captured) = played(row);
        assert_eq!(
            captured.only_session().error.as_deref(),
            UNTOLD,
            "{}",
            row.0
        );
    }
    let of_events: [Row; 10] = [
        ("Span::error", |_, session| {
            session.span("x").start().error(Broken)
        }),
        ("Span::fail", |_, session| {
            session.span("x").start().fail(&Broken)
        }),
        ("Err of a traced function by Display", |_, _| {
            _ = displayed()
        }),
        ("Err of a traced function by Debug", |_, _| _ = shown()),
        ("Err of a traced function by its box", |_, _| _ = boxed()),
        ("ModelCall::fail", |tracer, _| {
            _ = tracer.model_call("openai", "m").start().fail(&Broken);
        }),
        ("Recorder::fail", |tracer, _| {
            let call = tracer.model_call("openai", "m").start();
            call.recorder(None, None, None).fail(&Broken);
        }),
        ("an item of a recorded stream", |tracer, _| {
            let call = tracer.model_call("openai", "m").start();
            let items = stream::iter([Err::<Vec<u8>, _>(Broken)]);
            drop(block_on(call.record_bytes(items).collect::<Vec<_>>()));
        }),
        ("an item of a recorded stream in its box", |tracer, _| {
            let call = tracer.model_call("openai", "m").start();
            let items = stream::iter([Err::<Vec<u8>, _>(NoSendBox)]);
            drop(block_on(call.record_bytes(items).collect::<Vec<_>>()));
        }),
        ("field of a span as an error", |_, _| {
            drop(tracing::info_span!("x", error = &Broken as &dyn Error).entered());
        }),
    ];
    for row in &of_events {
        let (_, captured) = played(row);
        let session = captured.only_session();
        assert_eq!(session.events[0].error.as_deref(), UNTOLD, "{}", row.0);
    }
}

#[test]
fn the_text_of_a_field_that_panics_is_a_placeholder() {
    let rows: [Row; 5] = [
        ("field of a span by Debug", |_, _| {
            drop(tracing::info_span!("x", error = ?Broken).entered());
        }),
        ("field of a span by Display", |_, _| {
            drop(tracing::info_span!("x", error = %Broken).entered());
        }),
        ("field that is recorded later", |_, _| {
            let span = tracing::info_span!("x", error = tracing::field::Empty);
            span.record("error", tracing::field::debug(Broken));
        }),
        ("field of an event", |_, _| {
            tracing::info_span!("x").in_scope(|| tracing::error!(error = ?Broken));
        }),
        ("text of an event", |_, _| {
            tracing::info_span!("x").in_scope(|| tracing::error!("{}", Broken));
        }),
    ];
    for row in &rows {
        let (_, captured) = played(row);
        let error = captured.only_session().events[0].error.clone();
        assert_eq!(
            error.as_deref(),
            Some("a value whose text cannot be had"),
            "{}",
            row.0
        );
    }
}

#[test]
fn a_value_that_panics_while_it_is_serialised_is_refused_and_counted() {
    let rows: [Row; 10] = [
        ("Enrichment", |_, session| {
            session.enrich(Enrichment::new().outputs(Broken));
        }),
        ("a bucket of a session", |_, session| {
            session.metadata(Broken)
        }),
        ("a bucket of a span", |_, session| {
            session.span("x").start().config(Broken)
        }),
        ("SpanBuilder", |_, session| {
            drop(session.span("x").inputs(Broken).start())
        }),
        ("NewSession", |tracer, _| {
            drop(tracer.create_session(NewSession::named("other").inputs(Broken)));
        }),
        ("ModelCallBuilder::messages", |tracer, _| {
            drop(tracer.model_call("openai", "m").messages([Broken]).start());
        }),
        ("ModelCallBuilder::parameters", |tracer, _| {
            drop(tracer.model_call("openai", "m").parameters(Broken).start());
        }),
        ("ModelCall::reply", |tracer, _| {
            tracer.model_call("openai", "m").start().reply(Broken)
        }),
        ("ModelCall::record_json", |tracer, _| {
            tracer.model_call("openai", "m").start().record_json(Broken);
        }),
        ("entry of an enrichment", |_, session| {
            session.metrics([("a", Broken)])
        }),
    ];
    for row in &rows {
        let (tracer, _captured) = played(row);
        assert_eq!(tracer.stats().refused, 1, "{}", row.0);
    }
}

#[test]
fn an_event_type_whose_problem_panics_is_left_out() {
    let row: Row = ("SpanBuilder::event_type", |_, session| {
        drop(session.span("x").event_type(Broken).start());
    });
    let (_, captured) = played(&row);
    assert_eq!(captured.only_session().events.len(), 1);
}

#[test]
fn a_value_that_panics_is_the_problem_of_the_call_or_the_experiment_that_takes_it() {
    let (tracer, _captured) = testing::tracer();
    let client = tracer.client();
    let told = block_on(client.datapoints().create(&NewDatapoint::new(Broken)));
    assert!(
        told.unwrap_err()
            .to_string()
            .contains("`inputs` is no JSON")
    );
    let search = EventSearch::all().filter("metadata.tier", Operator::Is, Broken);
    let told = block_on(client.events().search(search).next()).expect("an item");
    assert!(told.unwrap_err().to_string().contains("`metadata.tier`"));

    let rows = evaluate::Dataset::new([evaluate::Row::new(Broken).ground_truth(Broken)]);
    let run = evaluate(async |_: evaluate::Datapoint<Value>| Ok::<_, Broken>(1)).tracer(&tracer);
    let told = block_on(run.name("x").metadata(Broken).dataset(rows).into_future());
    assert!(told.unwrap_err().to_string().contains("`.metadata(..)`"));
}
