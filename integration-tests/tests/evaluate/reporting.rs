//! Reports are the same for the same values, whatever order they came in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use honeyhive::evaluate::{Case, Evaluate, Gate};
use honeyhive::json;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::stage::{Echo, Stage, exact, numbered, q, right};

fn run(stage: &Stage, workers: usize) -> Evaluate<Value, Value, Value> {
    honeyhive::evaluate(async |dp: Echo| {
        for _ in 0..(q(&dp) * 7) % 5 {
            tokio::task::yield_now().await;
        }
        if q(&dp) == 7 {
            Err("seven".to_owned())
        } else {
            Ok(json!({"a": q(&dp) / 2 * 2}))
        }
    })
    .name("same")
    .dataset(numbered(60))
    .evaluator("exact", exact)
    .evaluator("third", async |case: Case<Value, Value, Value>| {
        case.outputs()["a"].as_f64().map(|a| a / 3.0)
    })
    .max_workers(workers)
    .tracer(&stage.tracer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_worker_and_fifty_one_thread_and_four_give_the_same_report_byte_by_byte() {
    let stage = Stage::new().await;
    let one = run(&stage, 1).await.unwrap();
    let fifty = run(&stage, 50).await.unwrap();
    let blocked = run(&stage, 50);
    let single_thread = tokio::task::spawn_blocking(move || blocked.block())
        .await
        .unwrap()
        .unwrap();
    for other in [&fifty, &single_thread] {
        assert_eq!(one.markdown(), other.markdown());
        assert_eq!(one.to_string(), other.to_string());
        let [left, right] = [&one, other]
            .map(|report| serde_json::to_string(&report.json_without_times()).unwrap());
        assert_eq!(left, right);
    }
    assert!(!one.json().to_string().contains("NaN"));
}

#[tokio::test]
async fn a_second_run_is_compared_datapoint_by_datapoint() {
    let stage = Stage::new().await;
    let before = run(&stage, 10).await.unwrap();
    let after = crate::stage::evaluation(&stage, 60).await.unwrap();
    let baseline = before.baseline();
    let change = after.compare(&baseline).change("exact").cloned().unwrap();
    assert_eq!((change.pairs, change.up, change.down), (59, 29, 0));
    assert!(change.is_shown());
    after.assert([Gate::no_worse_than(&baseline, "exact", 0.02).proven()]);
    assert!(
        after
            .compared_with(&baseline)
            .markdown()
            .contains("a difference")
    );
}

#[tokio::test]
async fn honeyhives_own_summary_is_read() {
    let stage = Stage::new().await;
    let report = crate::stage::evaluation(&stage, 3).await.unwrap();
    let summary = report
        .server_summary(Some("exact"), Duration::from_secs(10))
        .await
        .unwrap()
        .unwrap();
    let exact = summary
        .metrics
        .details
        .iter()
        .find(|metric| metric.metric_name == "exact")
        .unwrap();
    assert_eq!(exact.aggregate, Some(1.0));
    assert_eq!(exact.event_name.as_deref(), Some("right"));
    let offline = crate::stage::evaluation(&stage, 3).offline().await.unwrap();
    assert!(
        offline
            .server_summary(None, Duration::ZERO)
            .await
            .unwrap()
            .is_none()
    );
}

/// Starts a HoneyHive that has the older route alone, words that nobody here knows, and a metric of its own that comes
/// with the third answer.
async fn older_honeyhive() -> (String, JoinSet<()>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let result = move || {
        let own = asked.fetch_add(1, Ordering::SeqCst) >= 2;
        let metric = json!({"metric_name": "own", "metric_type": "ENSEMBLE", "event_name": "right", "aggregate": 0.25,
            "values": [0.5, null, "n/a", true], "weights": {"a": 1}});
        let details = if own { json!([metric]) } else { json!([]) };
        let summary = json!({"status": "archived", "success": true, "passed": [], "failed": [], "novelty": [1],
            "metrics": {"aggregation_function": "average", "details": details, "notes": 7},
            "datapoints": [], "event_details": [], "run_object": {"run_id": "r", "status": "archived", "shape": {}}});
        async { axum::Json(summary) }
    };
    let anything = || async { axum::Json(json!({})) };
    let router = axum::Router::new()
        .route("/v1/runs/{id}/result", axum::routing::get(result))
        .route("/v1/runs", axum::routing::post(anything))
        .route("/v1/runs/{id}", axum::routing::put(anything))
        .route("/v1/sessions", axum::routing::post(anything))
        .route("/v1/events/{id}", axum::routing::put(anything))
        .route("/opentelemetry/v1/traces", axum::routing::post(|| async {}));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut serving = JoinSet::new();
    serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, serving)
}

#[tokio::test]
async fn a_summary_of_the_older_route_with_unknown_words_is_read_and_a_metric_waited_for_with_a_limit()
 {
    let (url, _serving) = older_honeyhive().await;
    let tracer = honeyhive::HoneyHiveTracer::builder()
        .api_key("hh_evaluate")
        .server_url(url)
        .build()
        .unwrap();
    let report = honeyhive::evaluate(right)
        .dataset(numbered(1))
        .tracer(&tracer)
        .await
        .unwrap();
    let summary = async |limit| {
        let summary = report.server_summary(Some("own"), limit).await;
        summary.unwrap().unwrap()
    };
    let too_soon = summary(Duration::ZERO).await;
    assert_eq!(too_soon.metrics.details.len(), 0);
    let in_time = summary(crate::stage::PATIENCE).await;
    let own = &in_time.metrics.details[0];
    assert_eq!(own.metric_name, "own");
    assert_eq!(own.aggregate, Some(0.25));
    assert_eq!(own.metric_type.as_ref().unwrap().to_string(), "ENSEMBLE");
    assert_eq!(in_time.run.status.unwrap().to_string(), "archived");
}
