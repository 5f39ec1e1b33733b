//! A run goes well: the tests look at its calls, sessions and spans.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use honeyhive::evaluate::{Case, Dataset, RunStatus, Score};
use honeyhive::json;
use serde_json::Value;

use crate::stage::{Echo, PATIENCE, Stage, evaluation, exact, numbered, right, staged};

#[tokio::test]
async fn each_datapoint_is_a_session_with_the_functions_span_its_metrics_and_what_would_be_right() {
    let stage = Stage::new().await;
    let report = honeyhive::evaluate(right)
        .name("  support-bot ")
        .dataset(numbered(3))
        .evaluator("exact", exact)
        .evaluator("length", async |case: Case<Value, Value, Value>| {
            Score::new(case.outputs().to_string().len())
                .explanation("as text")
                .extra("is_short", true)
        })
        .tracer(&stage.tracer)
        .await
        .unwrap();
    assert_eq!(report.status(), RunStatus::Completed);
    assert!(report.delivery().is_complete(), "{:?}", report.delivery());

    let run = stage.run();
    assert_eq!(
        (run.name.as_deref(), run.status.as_str()),
        (Some("support-bot"), "completed")
    );
    let sessions = stage.honeyhive.sessions();
    assert_eq!(sessions.len(), 3);
    let ids: Vec<_> = report
        .datapoints()
        .iter()
        .filter_map(|trial| trial.session_id())
        .collect();
    assert_eq!(run.event_ids, ids, "in the order of the dataset");
    for trial in report.datapoints() {
        let session = stage
            .honeyhive
            .session(trial.session_id().unwrap())
            .unwrap();
        let position = session.inputs["q"].clone();
        assert_eq!(session.name.as_deref(), Some("support-bot"));
        assert_eq!(session.source.as_deref(), Some("evaluation"));
        assert_eq!(session.metadata["run_id"], report.run_id());
        assert_eq!(session.metadata["dataset_id"], report.dataset_id());
        assert_eq!(session.metadata["datapoint_id"], trial.datapoint_id());
        assert_eq!(session.outputs["a"], position);
        assert_eq!(session.feedback["ground_truth"], json!({"a": position}));
        assert!(session.end_time.is_some());
        let tree = stage.honeyhive.tree(&session.session_id);
        assert_eq!(
            tree,
            "support-bot\n  right [chain]\n  evaluator: length [chain]\n"
        );
        let events = stage.events(&session);
        let call = events
            .iter()
            .find(|event| event.event_name == "right")
            .unwrap();
        assert_eq!(call.inputs["q"], position);
        assert_eq!(call.outputs["result"]["a"], position);
        assert_eq!(call.metrics["exact"], true);
        assert_eq!(call.metrics["length"], 7);
        assert_eq!(call.metrics["length_explanation"], "as text");
        assert_eq!(call.metrics["length_is_short"], true);
        let judge = events
            .iter()
            .find(|event| event.event_name == "evaluator: length")
            .unwrap();
        assert_eq!(judge.metadata["evaluator"], "length");
    }
}

#[tokio::test]
async fn a_run_takes_two_calls_a_datapoint_at_most_and_its_spans_go_together() {
    let stage = Stage::new().await;
    let n = 200;
    evaluation(&stage, n).max_workers(50).await.unwrap();
    let sessions = stage.calls("POST", "/v1/sessions") + stage.calls("PUT", "/v1/events");
    let runs = stage.calls("POST", "/v1/runs") + stage.calls("PUT", "/v1/runs");
    assert!(sessions <= 2 * n, "{sessions} calls about {n} sessions");
    assert_eq!(runs, 2);
    let all = stage.honeyhive.requests().len();
    assert!(all <= 2 * n + n.div_ceil(512) + 3, "{all} calls");
    assert_eq!(stage.honeyhive.stats().events, n);
}

#[tokio::test]
async fn a_function_that_takes_its_time_has_two_calls_a_datapoint_all_the_same() {
    let stage = Stage::new().await;
    let report = honeyhive::evaluate(async |dp: Echo| {
        // The session's start has gone out by then.
        tokio::time::sleep(Duration::from_millis(700)).await;
        right(dp).await
    })
    .dataset(numbered(40))
    .max_workers(40)
    .tracer(&stage.tracer)
    .await
    .unwrap();
    assert_eq!(report.count(honeyhive::evaluate::Outcome::Ok), 40);
    assert_eq!(stage.calls("POST", "/v1/sessions"), 40);
    let all = stage.honeyhive.requests().len();
    assert!(all <= 2 * 40 + 1 + 3, "{all} calls");
}

#[tokio::test]
async fn a_run_of_seconds_sends_its_spans_in_whole_batches_all_the_same() {
    let stage = Stage::new().await;
    let n = 24;
    honeyhive::evaluate(async |dp: Echo| {
        tokio::time::sleep(Duration::from_millis(100)).await;
        right(dp).await
    })
    .dataset(numbered(n))
    .evaluator("exact", exact)
    .max_workers(1)
    .tracer(&stage.tracer)
    .await
    .unwrap();
    let batches = stage.calls("POST", "/opentelemetry");
    let all = stage.honeyhive.requests().len();
    assert!(
        all <= 2 * n + n.div_ceil(512) + 3,
        "{all} calls, {batches} of them with spans"
    );
    // The spans that wait at the end are one batch, and those whose sessions begin with it another.
    assert!(batches <= 2, "{batches} calls with spans");
    assert_eq!(stage.honeyhive.stats().events, n);
}

#[tokio::test]
async fn a_stored_dataset_of_250_is_read_by_four_calls_and_keeps_its_ids() {
    let stage = Stage::new().await;
    let rows = (0..250).map(|q| json!({"inputs": {"q": q}, "ground_truth": {"a": q}}));
    let id = stage.honeyhive.seed_dataset("stored", rows);
    let report = honeyhive::evaluate(right)
        .dataset(Dataset::stored(&id))
        .evaluator("exact", exact)
        .max_workers(50)
        .tracer(&stage.tracer)
        .await
        .unwrap();
    let reads = stage.calls("GET", "/v1/datasets") + stage.calls("GET", "/v1/datapoints");
    assert_eq!(reads, 4);
    assert_eq!(report.metric("exact").unwrap().estimate, Some(1.0));
    let run = stage.run();
    assert_eq!(run.dataset_id.as_deref(), Some(id.as_str()));
    assert!(!run.metadata.contains_key("offline_dataset_id"));
    assert_eq!(run.datapoint_ids.len(), 250);
}

#[tokio::test]
async fn a_dataset_that_is_not_there_or_not_whole_is_an_error_before_any_call_of_the_function() {
    let stage = Stage::new().await;
    let unknown = honeyhive::evaluate(right)
        .dataset(Dataset::stored("nowhere"))
        .tracer(&stage.tracer)
        .await;
    assert!(unknown.unwrap_err().to_string().contains("nowhere"));
    assert!(stage.honeyhive.runs().is_empty());
}

#[tokio::test]
async fn texts_lists_nulls_and_numbers_arrive_as_objects_and_the_function_sees_its_own_type() {
    for value in [
        json!("hi"),
        json!([1, 2]),
        json!(null),
        json!(42),
        json!({"x": 1}),
    ] {
        let stage = Stage::new().await;
        let row = [(value.clone(), None::<Value>)];
        let seen = value.clone();
        honeyhive::evaluate(async move |dp: Echo| {
            assert_eq!(*dp.inputs(), seen);
            Ok::<_, String>(dp.inputs().clone())
        })
        .dataset(Dataset::new(row))
        .tracer(&stage.tracer)
        .await
        .unwrap();
        let session = stage.only_session();
        let call = &stage.events_named("function")[0];
        if value.is_object() {
            assert_eq!(
                (session.inputs["x"].clone(), session.outputs["x"].clone()),
                (json!(1), json!(1))
            );
        } else {
            assert_eq!(session.inputs["input"], value, "inputs of {value}");
            assert_eq!(session.outputs["value"], value, "outputs of {value}");
            if !value.is_null() {
                assert!(
                    call.inputs.contains_key("input") && call.outputs.contains_key("result"),
                    "{call:#?}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_functions_run_at_once_than_there_are_workers() {
    let stage = Stage::new().await;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, seen) = (Arc::clone(&running), Arc::clone(&most));
    let all_at_once = Arc::new(tokio::sync::Barrier::new(7));
    honeyhive::evaluate(async move |_: Echo| {
        let count = now.fetch_add(1, Ordering::SeqCst) + 1;
        seen.fetch_max(count, Ordering::SeqCst);
        // The function goes on when seven are here, so seven do run at once.
        all_at_once.wait().await;
        now.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, String>(())
    })
    .dataset(numbered(70))
    .max_workers(7)
    .tracer(&stage.tracer)
    .await
    .unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 7);
}

#[tokio::test]
async fn the_span_of_a_function_ends_before_its_evaluator_begins_and_has_its_metrics() {
    let stage = Stage::new().await;
    let judged = async |_: Case<Value, Value, Value>| {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = since_epoch.unwrap().as_secs_f64() * 1_000.0;
        // A span that were still open would last this much longer.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Score::new(true).extra("began", now)
    };
    let run = staged(honeyhive::evaluate(right), &stage, 8).function_name("brief");
    run.evaluator("judged", judged).await.unwrap();
    let sessions = stage.honeyhive.sessions();
    let calls: Vec<_> = sessions
        .iter()
        .flat_map(|session| stage.events(session))
        .filter(|event| event.event_name == "brief")
        .collect();
    assert_eq!(calls.len(), 8);
    for call in calls {
        assert_eq!(call.metrics["judged"], true);
        let began = call.metrics["judged_began"].as_f64().unwrap();
        // The clock of a span has whole milliseconds at the worst.
        assert!(call.end_time_ms < began + 1.0, "{call:?}");
    }
}

#[tokio::test]
async fn recorded_sessions_are_a_dataset_with_what_people_said_would_be_right() {
    let stage = Stage::new().await;
    for q in 0..3 {
        let session = stage
            .tracer
            .create_session(honeyhive::NewSession::named("chat").inputs(json!({"q": q})));
        session.outputs(json!({"a": 0}));
        if q != 1 {
            session.feedback(json!({"ground_truth": {"a": q}}));
        }
        session.in_scope(|| drop(stage.tracer.tool("inside").start()));
    }
    stage.tracer.force_flush(PATIENCE).await.unwrap();
    let client = stage.tracer.client();
    let recorded = client
        .events()
        .search(honeyhive::client::EventSearch::sessions());
    let dataset = Dataset::from_sessions(recorded).await.unwrap();
    let report = honeyhive::evaluate(right)
        .dataset(dataset)
        .evaluator("exact", exact)
        .tracer(&stage.tracer)
        .await
        .unwrap();
    assert_eq!(report.datapoints().len(), 3);
    let metric = report.metric("exact").unwrap();
    assert_eq!(
        (metric.n, metric.skipped, metric.estimate),
        (2, 1, Some(1.0))
    );
}
