//! Reports: the same for the same values, whatever order they came in.

use std::time::Duration;

use honeyhive::evaluate::{Case, Evaluate, Gate};
use honeyhive::json;
use serde_json::Value;

use crate::stage::{Echo, Stage, exact, numbered, q};

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
async fn honeyhives_own_summary_is_read_also_where_it_has_the_older_route() {
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
