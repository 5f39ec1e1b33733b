//! HoneyHive that is down, slow or busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use honeyhive::evaluate::{EvaluateError, RunStatus};
use honeyhive_local::{Endpoint, Fault};

use crate::stage::{Echo, PATIENCE, Stage, evaluation, numbered, q};

#[tokio::test]
async fn a_run_that_honeyhive_refuses_is_an_error_and_the_function_is_not_called() {
    let stage = Stage::new().await;
    stage.honeyhive.fail(Fault::status(400));
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let run = honeyhive::evaluate(async move |_: Echo| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok::<_, String>(())
    });
    let error = run
        .dataset(numbered(3))
        .tracer(&stage.tracer)
        .await
        .unwrap_err();
    assert!(matches!(error, EvaluateError::Run(_)), "{error}");
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_honeyhive_that_is_busy_or_down_for_a_while_gets_everything_once() {
    for status in [503, 429] {
        let stage = Stage::new().await;
        stage
            .honeyhive
            .fail(Fault::status(status).on(Endpoint::Sessions).times(3));
        stage
            .honeyhive
            .fail(Fault::status(status).on(Endpoint::Traces).times(2));
        let report = evaluation(&stage, 20).await.unwrap();
        assert!(report.delivery().is_complete(), "{:?}", report.delivery());
        assert_eq!(stage.honeyhive.sessions().len(), 20);
        let events: usize = stage
            .honeyhive
            .sessions()
            .iter()
            .map(|session| stage.events(session).len())
            .sum();
        assert_eq!(events, 20);
    }
}

#[tokio::test]
async fn what_was_dropped_in_the_middle_of_a_run_is_missing_in_its_delivery_and_not_in_the_next_ones()
 {
    let stage = Stage::new().await;
    let refused = Fault::status(400).on(Endpoint::Traces).times(1);
    stage.honeyhive.fail(refused);
    let tracer = stage.tracer.clone();
    let report = honeyhive::evaluate(async move |dp: Echo| {
        if q(&dp) == 1 {
            // Delivers the spans of the first one, long before the run ends.
            tracer.force_flush(PATIENCE).await.unwrap_err();
        }
        Ok::<_, String>(())
    });
    let report = report
        .dataset(numbered(3))
        .max_workers(1)
        .tracer(&stage.tracer)
        .await
        .unwrap();
    assert_eq!(report.status(), RunStatus::Completed);
    let problems = &report.delivery().problems;
    assert!(problems[0].contains("1 item was dropped"), "{problems:?}");
    let next = evaluation(&stage, 5).await.unwrap();
    assert!(next.delivery().is_complete(), "{:?}", next.delivery());
}

#[tokio::test]
async fn a_honeyhive_that_stays_down_leaves_a_whole_report_that_says_what_is_missing() {
    let stage = Stage::new().await;
    stage
        .honeyhive
        .fail(Fault::status(503).on(Endpoint::Sessions));
    stage
        .honeyhive
        .fail(Fault::status(503).on(Endpoint::Traces));
    let report = evaluation(&stage, 5)
        .delivery_timeout(Duration::from_millis(300))
        .await
        .unwrap();
    assert_eq!(
        (report.status(), report.metric("exact").unwrap().estimate),
        (RunStatus::Completed, Some(1.0))
    );
    assert!(!report.delivery().is_complete());
    assert_eq!(
        stage.run().status,
        "completed",
        "the run is told in any case"
    );
    assert!(report.to_string().contains("not delivered: "), "{report}");
}
