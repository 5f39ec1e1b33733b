//! How often functions begin, and how much memory and room a run takes.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use honeyhive::evaluate::{RateLimit, RunStatus};

use crate::stage::{Echo, Stage, evaluation, numbered};

#[tokio::test]
async fn functions_begin_no_more_often_than_the_limit_says_and_the_wait_is_no_latency() {
    let stage = Stage::new().await;
    let starts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&starts);
    let report = honeyhive::evaluate(async move |_: Echo| {
        seen.lock().unwrap().push(Instant::now());
        Ok::<_, String>(())
    })
    .dataset(numbered(6))
    .rate_limit(RateLimit::per_second(10))
    .timeout(Duration::from_millis(90))
    .tracer(&stage.tracer)
    .await
    .unwrap();
    let starts = starts.lock().unwrap();
    let spent = starts[5] - starts[0];
    assert!(
        spent >= Duration::from_millis(490),
        "five intervals of 100 ms took {spent:?}"
    );
    assert_eq!(
        report.errors(),
        0,
        "no wait counts against the timeout: {report}"
    );
    assert!(
        report
            .datapoints()
            .iter()
            .all(|trial| trial.latency().unwrap() < Duration::from_millis(90))
    );
}

#[tokio::test]
async fn nothing_is_dropped_where_functions_are_faster_than_delivery() {
    let honeyhive = honeyhive_local::LocalServer::builder()
        .start()
        .await
        .unwrap();
    let tracer = honeyhive::HoneyHiveTracer::builder()
        .api_key("hh_evaluate")
        .server_url(honeyhive.url())
        .max_pending_items(400)
        .build()
        .unwrap();
    let stage = Stage { honeyhive, tracer };
    let report = evaluation(&stage, 600).max_workers(8).await.unwrap();
    assert_eq!(report.status(), RunStatus::Completed);
    assert!(report.delivery().is_complete(), "{:?}", report.delivery());
    assert_eq!(stage.tracer.stats().dropped.total(), 0);
    assert_eq!(stage.honeyhive.sessions().len(), 600);
}
