//! Each datapoint is in a session of its own, whatever its function does and whatever is around the run.

use std::collections::BTreeMap;
use std::future::IntoFuture as _;
use std::time::Duration;

use honeyhive::evaluate::{Case, Outcome};
use honeyhive::{HoneyHiveTracer, json};
use serde_json::Value;

use crate::stage::{Echo, Stage, evaluation, exact, numbered, q, right};
use integration_tests::harness::local_server;

/// Asserts that every event and every session of a run carries the three ids of its datapoint, and that nothing is in
/// another session.
pub(crate) fn assert_apart(stage: &Stage, spans: usize) {
    let sessions = stage.honeyhive.sessions();
    for session in &sessions {
        let events = stage.events(session);
        assert_eq!(
            events.len(),
            spans,
            "{:#?}",
            stage.honeyhive.tree(&session.session_id)
        );
        for event in events {
            for id in ["run_id", "dataset_id", "datapoint_id"] {
                assert_eq!(
                    event.metadata.get(id),
                    session.metadata.get(id),
                    "{id} of {}",
                    event.event_name
                );
            }
            if let Some(q) = event.attributes.get("q") {
                assert_eq!(
                    *q, session.inputs["q"],
                    "{} is in another session",
                    event.event_name
                );
            }
        }
    }
    assert!(stage.honeyhive.orphans().is_empty());
}

fn mark(tracer: &HoneyHiveTracer, name: &'static str, q: u64) {
    use opentelemetry::trace::TraceContextExt as _;
    let span = tracer.tool(name).start();
    let attribute = opentelemetry::KeyValue::new("q", i64::try_from(q).unwrap());
    span.context().span().set_attribute(attribute);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_datapoints_with_spans_of_all_kinds_are_a_thousand_sessions_with_three_ids_on_each_span()
 {
    assert_each_is_in_its_session(1000).await;
}

async fn assert_each_is_in_its_session(n: usize) {
    let stage = Stage::new().await;
    let tracer = stage.tracer.clone();
    let traced = Traced::by(&tracer);
    let report = honeyhive::evaluate(async move |dp: Echo| {
        let q = q(&dp);
        mark(&tracer, "nested", q);
        tokio::task::yield_now().await;
        let (in_task, in_thread) = (tracer.clone(), tracer.clone());
        dp.session()
            .spawn(async move { mark(&in_task, "spawned", q) })
            .await
            .unwrap();
        dp.session()
            .spawn_blocking(move || mark(&in_thread, "blocking", q))
            .await
            .unwrap();
        traced.record(q);
        let foreign = opentelemetry::trace::TracerProvider::tracer(tracer.provider(), "foreign");
        opentelemetry::trace::Span::end(&mut opentelemetry::trace::Tracer::start(
            &foreign, "foreign",
        ));
        Ok::<_, String>(json!({"a": q}))
    })
    .dataset(numbered(n))
    .evaluator("exact", exact)
    .evaluator("later", async |_: Case<Value, Value, Value>| true)
    .max_workers(50)
    .delivery_timeout(Duration::from_secs(300))
    .tracer(&stage.tracer)
    .await
    .unwrap();
    assert_eq!(report.count(Outcome::Ok), n);
    assert!(report.delivery().is_complete(), "{:?}", report.delivery());
    assert_eq!(stage.honeyhive.sessions().len(), n);
    assert_apart(&stage, 7);
}

/// `Traced` is a subscriber of `tracing` with HoneyHive's layer.
#[derive(Clone)]
struct Traced(tracing::Dispatch);

impl Traced {
    fn by(tracer: &HoneyHiveTracer) -> Self {
        use tracing_subscriber::layer::SubscriberExt as _;
        let subscriber = tracing_subscriber::registry().with(tracer.tracing_layer());
        Self(subscriber.into())
    }

    fn record(&self, q: u64) {
        tracing::dispatcher::with_default(&self.0, || {
            drop(tracing::info_span!("traced", q).entered());
        });
    }
}

#[tokio::test]
async fn an_outer_session_adopts_nothing_and_a_default_tracer_takes_nothing() {
    let stage = Stage::new().await;
    // The first tracer of a process is its default.
    let outer = stage.tracer.create_session("outer");
    let guard = outer.enter();
    let span = stage.tracer.chain("around").start();
    let run = span
        .scope(async { evaluation(&stage, 5).await })
        .await
        .unwrap();
    drop((guard, span));
    stage
        .tracer
        .force_flush(crate::stage::PATIENCE)
        .await
        .unwrap();
    assert_eq!(run.count(Outcome::Ok), 5);
    let outer_tree = stage.honeyhive.tree(&outer.id().to_string());
    assert_eq!(outer_tree, "outer\n  around [chain]\n");
    assert_eq!(stage.honeyhive.sessions().len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_at_once_in_one_process_do_not_mix_and_traced_functions_are_in_their_datapoints_session()
 {
    #[honeyhive::trace(event_type = "tool")]
    async fn looked_up(q: u64) -> u64 {
        tokio::task::yield_now().await;
        q
    }

    let stage = Stage::new().await;
    let run = |name: &'static str| {
        honeyhive::evaluate(async move |dp: Echo| {
            Ok::<_, String>(json!({"name": name, "q": looked_up(q(&dp)).await}))
        })
        .name(name)
        .dataset(numbered(50))
        .tracer(&stage.tracer)
    };
    let (left, right) = tokio::join!(run("left").into_future(), run("right").into_future());
    let (left, right) = (left.unwrap(), right.unwrap());
    assert_ne!(left.run_id(), right.run_id());
    let mut of_runs: BTreeMap<String, usize> = BTreeMap::new();
    for session in stage.honeyhive.sessions() {
        let run = if session.outputs["name"] == "left" {
            &left
        } else {
            &right
        };
        assert_eq!(session.metadata["run_id"], run.run_id());
        let events = stage.events(&session).into_iter();
        let mut names: Vec<_> = events.map(|event| event.event_name).collect();
        names.sort_unstable();
        assert_eq!(names, ["function", "looked_up"]);
        *of_runs.entry(run.name().to_owned()).or_default() += 1;
    }
    assert_eq!(of_runs.into_values().collect::<Vec<_>>(), [50, 50]);
}

#[tokio::test]
async fn a_sampled_tracer_drops_no_datapoint() {
    let honeyhive = local_server().start().await.unwrap();
    let tracer = HoneyHiveTracer::builder()
        .api_key("hh_evaluate")
        .server_url(honeyhive.url())
        .sampling(honeyhive::SessionSampling::ratio(0.0))
        .build()
        .unwrap();
    let stage = Stage { honeyhive, tracer };
    honeyhive::evaluate(right)
        .dataset(numbered(20))
        .tracer(&stage.tracer)
        .await
        .unwrap();
    assert_eq!(stage.honeyhive.sessions().len(), 20);
}
