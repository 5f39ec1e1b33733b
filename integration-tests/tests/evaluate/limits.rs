//! A run limits the rate at which functions begin, and its memory and room.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use honeyhive::HoneyHiveTracer;
use honeyhive::evaluate::{Outcome, RateLimit, Retry, RunStatus};
use honeyhive_local::{Endpoint, Fault};
use tokio::time::Instant;

use crate::stage::{Echo, PATIENCE, Stage, evaluation, numbered};
use integration_tests::harness::local_server;

#[tokio::test(start_paused = true)]
async fn thirty_functions_at_ten_a_second_begin_within_2_9_seconds_and_the_wait_is_no_latency() {
    let starts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&starts);
    let report = honeyhive::evaluate(async move |_: Echo| {
        seen.lock().unwrap().push(Instant::now());
        Ok::<_, String>(())
    })
    .dataset(numbered(30))
    .rate_limit(RateLimit::per_second(10))
    .timeout(Duration::from_millis(90))
    .offline()
    .await
    .unwrap();
    let starts = starts.lock().unwrap();
    assert_eq!(starts.len(), 30);
    let spent = starts[29] - starts[0];
    let (least, most) = (Duration::from_millis(2_700), Duration::from_millis(3_100));
    assert!(spent >= least && spent <= most, "{spent:?}");
    for pair in starts.windows(2) {
        let apart = pair[1] - pair[0];
        assert!(apart >= Duration::from_millis(99), "{apart:?}");
    }
    assert_eq!(
        report.errors(),
        0,
        "no wait counts against the timeout: {report}"
    );
    for trial in report.datapoints() {
        assert!(trial.latency().unwrap() < Duration::from_millis(90));
    }
}

#[tokio::test]
async fn nothing_is_dropped_where_functions_are_faster_than_delivery() {
    let stage = with_room_for(400).await;
    let report = evaluation(&stage, 600).max_workers(8).await.unwrap();
    assert_eq!(report.status(), RunStatus::Completed);
    assert!(report.delivery().is_complete(), "{:?}", report.delivery());
    assert_eq!(stage.tracer.stats().dropped.total(), 0);
    assert_eq!(stage.honeyhive.sessions().len(), 600);
}

/// Returns a stage whose tracer lets so many items wait.
async fn with_room_for(items: usize) -> Stage {
    let honeyhive = local_server().start().await.unwrap();
    let tracer = HoneyHiveTracer::builder()
        .api_key("hh_evaluate")
        .server_url(honeyhive.url())
        .max_pending_items(items)
        .build()
        .unwrap();
    Stage { honeyhive, tracer }
}

#[tokio::test]
async fn a_report_says_how_many_items_its_own_run_dropped() {
    let stage = with_room_for(50).await;
    stage.honeyhive.fail(Fault::hang().on(Endpoint::Sessions));
    let tracer = stage.tracer.clone();
    let report = honeyhive::evaluate(async move |_: Echo| {
        (0..200).for_each(|_| drop(tracer.tool("one of many").start()));
        Ok::<_, String>(())
    })
    .dataset(numbered(1))
    .delivery_timeout(Duration::from_millis(100))
    .tracer(&stage.tracer)
    .await
    .unwrap();
    let dropped = stage.tracer.stats().dropped.total();
    assert!(dropped >= 100, "{dropped}");
    let expected = format!("{dropped} items were dropped; the tracer's `stats()` say why");
    assert!(
        report.delivery().problems.contains(&expected),
        "{:?}",
        report.delivery()
    );
    assert!(!report.delivery().is_complete());
    stage.honeyhive.heal();
    stage.tracer.force_flush(PATIENCE).await.ok();
    let next = evaluation(&stage, 2).await.unwrap();
    assert!(next.delivery().is_complete(), "{:?}", next.delivery());
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_stays_full_is_waited_for_a_minute_and_then_drops() {
    let stage = with_room_for(50).await;
    stage.honeyhive.fail(Fault::hang().on(Endpoint::Sessions));
    let began = Instant::now();
    let report = evaluation(&stage, 100)
        .max_workers(1)
        .delivery_timeout(Duration::from_millis(100))
        .await
        .unwrap();
    assert!(began.elapsed() >= Duration::from_secs(60));
    assert_eq!(report.count(Outcome::Ok), 100);
    let problems = report.delivery().problems.join(", ");
    assert!(problems.contains("items were dropped"), "{problems}");
}

#[tokio::test]
async fn the_longest_duration_is_no_limit_and_no_panic() {
    let stage = Stage::new().await;
    let run = evaluation(&stage, 2)
        .timeout(Duration::MAX)
        .evaluator_timeout(Duration::MAX)
        .delivery_timeout(Duration::MAX);
    let report = run.await.unwrap();
    assert!(report.delivery().is_complete(), "{:?}", report.delivery());
    let summary = report.server_summary(Some("exact"), Duration::MAX);
    assert!(summary.await.unwrap().is_some());

    let (cancel, signal) = tokio::sync::oneshot::channel::<()>();
    let cancel = Arc::new(Mutex::new(Some(cancel)));
    let report = honeyhive::evaluate(async move |dp: Echo| {
        if crate::stage::q(&dp) == 0 {
            return Err("come back never".to_owned());
        }
        drop(cancel.lock().unwrap().take());
        Ok(())
    })
    .dataset(numbered(2))
    .max_workers(1)
    .retries(1)
    .retry_if(|_| Retry::after(Duration::MAX))
    .cancel_on(signal)
    .offline()
    .await
    .unwrap();
    assert_eq!(report.status(), RunStatus::Cancelled);
    let outcomes = crate::stage::outcomes(&report);
    assert_eq!(outcomes, [Outcome::NotRun, Outcome::Ok]);
}

#[tokio::test]
async fn fullness_is_the_share_of_the_room_that_is_taken() {
    let stage = with_room_for(10).await;
    assert!(stage.tracer.fullness().abs() < f64::EPSILON);
    stage.honeyhive.fail(Fault::hang().on(Endpoint::Sessions));
    let sessions: Vec<_> = (0..4).map(|_| stage.tracer.create_session("one")).collect();
    assert!((stage.tracer.fullness() - 0.4).abs() < 1e-9);
    stage.honeyhive.heal();
    drop(sessions);
    stage.tracer.force_flush(PATIENCE).await.unwrap();
    assert!(stage.tracer.fullness().abs() < f64::EPSILON);
}
