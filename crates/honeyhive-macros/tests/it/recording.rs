//! Recordings have contents: some values are recorded and some are not, by one tracer or another.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, RwLock};

use honeyhive::{HoneyHiveTracer, testing};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::{event_of, input, output, session};

#[derive(Serialize)]
struct Query {
    text: String,
    limits: Vec<u32>,
    none: Option<u8>,
    empty: Vec<u8>,
}

/// A wrapper around one value, as `axum::Json` and `actix_web::web::Json` are, which are no `Serialize` by themselves.
#[derive(Debug)]
struct Body<T>(T);

impl<T> std::ops::Deref for Body<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[derive(Serialize)]
struct Reply {
    text: String,
}

#[honeyhive::trace]
fn reply(question: &Body<Query>) -> Result<Body<Reply>, String> {
    let text = question.text.to_uppercase();
    Ok(Body(Reply { text }))
}

#[test]
fn a_wrapper_around_one_value_is_recorded_as_that_value() {
    let query = Body(Query {
        text: "all".to_owned(),
        limits: vec![1],
        none: None,
        empty: Vec::new(),
    });
    let event = event_of(|| assert!(reply(&query).is_ok()));
    assert_eq!(input(&event, "question.text").as_deref(), Some("all"));
    assert_eq!(
        event.text("honeyhive_outputs.result.text").as_deref(),
        Some("ALL")
    );
}

/// A status, as that of HTTP: no `Serialize`.
struct Status(u16);

impl fmt::Debug for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

#[honeyhive::trace]
fn create(text: &str) -> (Status, Body<Reply>) {
    let text = text.to_uppercase();
    (Status(201), Body(Reply { text }))
}

#[honeyhive::trace]
async fn try_to_create(text: &str) -> Result<(Status, Body<Reply>), String> {
    Ok(create(text))
}

#[tokio::test]
async fn each_part_of_a_result_is_recorded_by_its_best_way() {
    let (_tracer, captured, session) = session();
    let created = session.scope(try_to_create("a"));
    assert!(created.await.is_ok());
    let recorded = captured.only_session();
    for name in ["create", "try_to_create"] {
        let event = recorded.event(name);
        let part = |key: &str| event.text(&format!("honeyhive_outputs.result.{key}"));
        assert_eq!(part("0").as_deref(), Some("201"), "{event:#?}");
        assert_eq!(part("1.text").as_deref(), Some("A"), "{event:#?}");
    }
}

#[honeyhive::trace]
fn with_handles(
    tracer: HoneyHiveTracer,
    session: &honeyhive::Session,
    shared: Body<Arc<HoneyHiveTracer>>,
    perhaps: Option<&honeyhive::Session>,
    count: u8,
) -> honeyhive::Session {
    drop((tracer, shared, perhaps, count));
    session.clone()
}

#[test]
fn handles_of_honeyhive_are_no_inputs() {
    let (tracer, captured) = testing::tracer();
    let session = tracer.create_session("handles");
    let shared = Body(Arc::new(tracer.clone()));
    let back =
        session.in_scope(|| with_handles(tracer.clone(), &session, shared, Some(&session), 7));
    assert_eq!(back.id(), session.id());
    let event = captured.only_session().event("with_handles").clone();
    let recorded = event.attributes.keys().filter_map(|key| {
        let inputs = key.strip_prefix("honeyhive_inputs.");
        inputs.or_else(|| key.strip_prefix("honeyhive_outputs."))
    });
    assert_eq!(recorded.collect::<Vec<_>>(), ["count"]);
}

#[honeyhive::trace]
fn search(query: &Query, exact: bool, weight: f64, huge: u128, path: &str) -> Vec<&'static str> {
    if exact && weight > huge as f64 && query.text == path {
        return Vec::new();
    }
    vec!["a", "b"]
}

#[test]
fn scalars_stay_native_and_maps_and_lists_are_flattened() {
    let query = Query {
        text: "all".to_owned(),
        limits: vec![1, 2],
        none: None,
        empty: Vec::new(),
    };
    let event = event_of(|| drop(search(&query, true, 0.5, u128::MAX, "/tmp")));
    let inputs: BTreeMap<_, _> = event
        .attributes
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("honeyhive_inputs.")?, value.clone())))
        .collect();
    let expected = BTreeMap::from([
        ("query.text", "all".into()),
        ("query.limits.0", 1_i64.into()),
        ("query.limits.1", 2_i64.into()),
        ("exact", true.into()),
        ("weight", 0.5.into()),
        ("huge", u128::MAX.to_string().into()),
        ("path", "/tmp".into()),
    ]);
    assert_eq!(inputs, expected);
    assert_eq!(
        event.text("honeyhive_outputs.result.1").as_deref(),
        Some("b")
    );
}

#[honeyhive::trace(skip(secret))]
fn one_secret(user: &str, secret: &str) -> usize {
    user.len() + secret.len()
}

#[honeyhive::trace(skip_all, skip_output)]
fn all_secret(user: &str) -> Result<&str, String> {
    if user.is_empty() {
        return Err("nobody".to_owned());
    }
    Ok(user)
}

#[test]
fn what_is_skipped_is_not_recorded() {
    let event = event_of(|| assert_eq!(one_secret("ada", "x"), 4));
    assert_eq!(input(&event, "user").as_deref(), Some("ada"));
    assert_eq!(input(&event, "secret"), None);
    let event = event_of(|| assert_eq!(all_secret("ada"), Ok("ada")));
    assert_eq!((input(&event, "user"), output(&event)), (None, None));
    let event = event_of(|| assert!(all_secret("").is_err()));
    assert_eq!(event.error.as_deref(), Some("nobody"));
}

struct Agent {
    model: BTreeMap<&'static str, &'static str>,
}

impl Agent {
    #[honeyhive::trace(
        inputs = json!({"messages": [{"role": "user", "content": text}]}),
        config = self.model,
        metadata = json!({"length": text.len()}),
    )]
    fn ask(&self, text: String, _retries: u8) -> String {
        text
    }
}

#[test]
fn inputs_take_the_place_of_the_arguments_beside_config_and_metadata() {
    let model = BTreeMap::from([("model", "small")]);
    let event = event_of(|| drop(Agent { model }.ask("hi".to_owned(), 1)));
    assert_eq!(input(&event, "messages.0.content").as_deref(), Some("hi"));
    assert_eq!(input(&event, "text"), None);
    assert_eq!(
        event.text("honeyhive_config.model").as_deref(),
        Some("small")
    );
    assert_eq!(event.attributes["honeyhive_metadata.length"], 2_i64.into());
}

thread_local! {
    static EVALUATED: Cell<u32> = const { Cell::new(0) };
}

fn evaluated() -> serde_json::Value {
    EVALUATED.set(EVALUATED.get() + 1);
    json!({"a": 1})
}

#[honeyhive::trace(metadata = evaluated())]
fn with_metadata() {}

#[test]
fn expressions_are_evaluated_only_where_a_span_is_recorded() {
    with_metadata();
    assert_eq!(EVALUATED.get(), 0);
    event_of(with_metadata);
    assert_eq!(EVALUATED.get(), 1);
}

#[honeyhive::trace(metadata = json!({"length": one_secret("ada", "x")}))]
fn with_a_traced_expression() {}

#[test]
fn what_is_evaluated_for_the_recording_may_be_traced_itself() {
    let (_tracer, captured, session) = session();
    session.in_scope(with_a_traced_expression);
    let session = captured.only_session();
    let event = session.event("with_a_traced_expression");
    assert_eq!(event.attributes["honeyhive_metadata.length"], 4_i64.into());
    assert_eq!(output(session.event("one_secret")).as_deref(), Some("4"));
}

struct Faulty;

impl fmt::Debug for Faulty {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no debug")
    }
}

impl Serialize for Faulty {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("no serialize")
    }
}

#[honeyhive::trace]
fn careful(first: u8, _faulty: Faulty) -> Faulty {
    assert_eq!(first, 1);
    Faulty
}

#[test]
fn a_panic_while_recording_is_none_of_the_functions() {
    let (tracer, captured, session) = session();
    session.in_scope(|| careful(1, Faulty));
    let session = captured.only_session();
    let event = session.event("careful");
    assert_eq!(input(event, "first").as_deref(), Some("1"));
    assert_eq!((event.error.as_deref(), output(event)), (None, None));
    assert_eq!(tracer.stats().callback_panics, 2);
}

#[honeyhive::trace]
fn many(list: &[u32]) -> Result<Vec<u32>, String> {
    Ok(list.to_vec())
}

#[test]
fn too_much_is_cut_with_a_mark_and_keeps_the_session() {
    let list: Vec<u32> = (0..5_000).collect();
    let event = event_of(|| drop(many(&list)));
    assert_eq!(event.attributes["honeyhive_inputs.truncated"], true.into());
    assert_eq!(event.attributes["honeyhive_outputs.truncated"], true.into());
    assert_eq!(
        event.text("honeyhive_outputs.result.16").as_deref(),
        Some("… [cut: 5000 items in all]")
    );
    assert!(event.attributes.len() <= 64);
}

#[honeyhive::trace]
fn look(image: &[u8], pixels: &[[f32; 3]; 1000], locked: &Arc<Mutex<u8>>, deep: &App) -> Vec<f64> {
    assert!(!image.is_empty() && !pixels.is_empty() && locked.try_lock().is_err());
    assert_eq!(deep.name, "app");
    vec![0.5; 3_000_000]
}

#[derive(Serialize)]
struct App {
    name: &'static str,
    state: RwLock<Vec<u8>>,
}

#[test]
fn recording_is_bounded_before_it_is_done_and_waits_for_no_lock() {
    let locked = Arc::new(Mutex::new(1));
    let app = App {
        name: "app",
        state: RwLock::default(),
    };
    // The recording must not wait for locks, so the test holds them both.
    let _held = (locked.lock(), app.state.write());
    let image = vec![0xff; 5 * 1024 * 1024];
    let mut allocated = None;
    let event = event_of(|| {
        let info = allocation_counter::measure(|| {
            look(&image, &[[0.1; 3]; 1000], &locked, &app);
        });
        allocated = Some(info);
    });
    let text = |name| input(&event, name).expect(name);
    let bytes = "ff ".repeat(16);
    assert_eq!(text("image"), format!("5242880 bytes: {bytes}…"));
    assert_eq!(text("pixels.0.2"), "0.1");
    assert!(event.attributes.contains_key("honeyhive_inputs.truncated"));
    assert_eq!(text("locked"), "[behind a lock]");
    assert_eq!(
        (text("deep.name"), text("deep.state")),
        ("app".to_owned(), "[behind a lock]".to_owned())
    );
    let result = event.text("honeyhive_outputs.result.16");
    assert_eq!(result.as_deref(), Some("… [cut: 3000000 items in all]"));
    // The result itself is 24 MB.
    let most = allocated.map(|it: allocation_counter::AllocationInfo| it.bytes_max);
    assert!(most < Some(24_000_000 + 400_000), "{most:?}");
}

#[honeyhive::trace]
fn peek(shared: &RwLock<Option<f32>>) -> Result<u8, Box<dyn Error>> {
    assert!(shared.try_read().is_ok());
    Err(Box::new(std::io::Error::other(NoRoute(fmt::Error))))
}

#[derive(Debug)]
struct NoRoute(fmt::Error);

impl fmt::Display for NoRoute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no route")
    }
}

impl Error for NoRoute {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn what_nobody_holds_is_looked_at_and_an_error_is_told_with_its_causes() {
    let event = event_of(|| assert!(peek(&RwLock::new(Some(0.9))).is_err()));
    assert_eq!(event.attributes["honeyhive_inputs.shared"], 0.9.into());
    assert_eq!(
        event.error.as_deref(),
        Some("no route: an error occurred when formatting an argument")
    );
}

static OWN: LazyLock<(HoneyHiveTracer, testing::Captured)> = LazyLock::new(testing::tracer);

#[honeyhive::trace(tracer = OWN.0)]
fn with_a_tracer_of_its_own() {}

#[honeyhive::trace(tracer = tracer, skip(tracer))]
fn with_an_argument(tracer: &Arc<HoneyHiveTracer>) {}

#[honeyhive::trace]
fn with_the_sessions_tracer() {}

#[test]
fn each_tracer_records_its_own() {
    let (first, first_captured) = testing::tracer();
    let (second, second_captured) = testing::tracer();
    let outer = first.create_session("first");
    let inner = second.create_session("second");
    outer.in_scope(|| {
        with_the_sessions_tracer();
        inner.in_scope(|| {
            with_the_sessions_tracer();
            with_an_argument(&Arc::new(first.clone()));
        });
        with_a_tracer_of_its_own();
    });
    let first = first_captured.only_session();
    assert_eq!(first.events.len(), 2);
    assert_eq!(first.event("with_an_argument").name, "with_an_argument");
    assert_eq!(second_captured.only_session().events.len(), 1);
    // The call is outside every session of its own tracer, so that tracer makes one.
    assert_eq!(OWN.1.only_session().events.len(), 1);
}

#[test]
fn a_session_without_its_tracer_records_nothing() {
    let session = testing::tracer().0.create_session("left over");
    let mut ran = false;
    session.in_scope(|| {
        with_the_sessions_tracer();
        ran = true;
    });
    assert!(ran);
}

#[test]
fn after_a_shutdown_functions_still_run() {
    let (tracer, captured, session) = session();
    tracer.provider().shutdown().expect("it shuts down");
    session.in_scope(with_metadata);
    assert_eq!(captured.only_session().events.len(), 0);
}

#[test]
fn nothing_recording_costs_no_allocation() {
    let query = "query".to_owned();
    // The thread's stack of contexts is made when it is first looked at.
    five(0, true, 0.5, &query, "path");
    let info = allocation_counter::measure(|| {
        std::hint::black_box(five(1, true, 0.5, &query, "path"));
    });
    assert_eq!(info.count_total, 0);
}

#[honeyhive::trace(event_type = "tool")]
fn five(first: i64, second: bool, third: f64, fourth: &str, fifth: &str) -> i64 {
    first + i64::from(second) + third as i64 + fourth.len() as i64 + fifth.len() as i64
}

#[test]
fn a_span_with_five_arguments_costs_twelve_allocations_at_the_most() {
    let (_tracer, captured, session) = session();
    let query = "query".to_owned();
    let info = session.in_scope(|| {
        five(1, true, 0.5, &query, "path");
        allocation_counter::measure(|| {
            std::hint::black_box(five(1, true, 0.5, &query, "path"));
        })
    });
    assert!(info.count_total <= 12, "{info:?}");
    assert_eq!(captured.only_session().events.len(), 2);
}
