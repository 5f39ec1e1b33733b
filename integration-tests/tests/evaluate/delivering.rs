//! HoneyHive is down, slow or busy.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use honeyhive::HoneyHiveTracer;
use honeyhive::evaluate::{EvaluateError, ExperimentReport, RunStatus};
use honeyhive_local::{Endpoint, Fault, LocalServer};

use crate::stage::{Echo, PATIENCE, Stage, evaluation, exact, numbered, q, right, tracer};
use integration_tests::harness::local_server;

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
async fn a_honeyhive_that_is_not_there_is_an_error_and_the_function_is_not_called() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let hangs = local_server().start().await.unwrap();
    hangs.fail(Fault::hang());
    let timeout = Duration::from_millis(200);
    for url in [nobody, hangs.url()] {
        let tracer = HoneyHiveTracer::builder()
            .api_key("hh_evaluate")
            .server_url(url)
            .api_timeout(timeout)
            .build()
            .unwrap();
        let run = honeyhive::evaluate(async |_: Echo| -> Result<(), String> {
            panic!("no function is called without a run");
        });
        let run = run.dataset(numbered(3)).tracer(&tracer).into_future();
        // The run makes three tries in ten seconds, and the last may take as long as a call may.
        let ended = tokio::time::timeout(Duration::from_secs(10) + timeout, run).await;
        let error = ended.expect("an end in time").unwrap_err();
        assert!(matches!(error, EvaluateError::Run(_)), "{error}");
    }
    let tries = hangs.requests().into_iter();
    assert_eq!(tries.filter(|it| it.path == "/v1/runs").count(), 3);
}

/// Runs 60 datapoints whose HoneyHive is gone from the 20th call of the function on; where it `returns`, once it was
/// missed.
async fn broken_off(
    honeyhive: &Arc<LocalServer>,
    returns: bool,
    limit: Duration,
) -> ExperimentReport {
    let tracer = tracer(honeyhive);
    let it = Arc::clone(honeyhive);
    let run = honeyhive::evaluate(async move |dp: Echo| {
        match q(&dp) {
            20 => it.fail(Fault::reset()),
            40 => {
                let missed = |it: &LocalServer| {
                    let requests = it.requests();
                    requests.iter().filter(|call| call.status.is_none()).count() > 10
                };
                assert!(it.wait_until(PATIENCE, missed).await);
                if returns {
                    it.heal();
                }
            }
            _ => {}
        }
        right(dp).await
    });
    run.dataset(numbered(60))
        .evaluator("exact", exact)
        .max_workers(1)
        .delivery_timeout(limit)
        .tracer(&tracer)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_honeyhive_that_is_down_in_the_middle_gets_everything_once_it_is_back() {
    let honeyhive = Arc::new(local_server().start().await.unwrap());
    let report = broken_off(&honeyhive, true, PATIENCE).await;
    assert!(report.delivery().is_complete(), "{:?}", report.delivery());
    let sessions = honeyhive.sessions();
    assert_eq!(sessions.len(), 60);
    for session in sessions {
        assert_eq!(session.outputs["a"], session.inputs["q"]);
        let events = honeyhive.events(&session.session_id);
        assert_eq!(events.len(), 1, "{events:#?}");
        assert_eq!(events[0].metrics["exact"], true);
    }
    assert_eq!(honeyhive.runs()[0].status, "completed");
}

#[tokio::test]
async fn a_honeyhive_that_is_down_until_the_end_leaves_a_whole_report_in_the_time_that_delivery_has()
 {
    let honeyhive = Arc::new(local_server().start().await.unwrap());
    let limit = Duration::from_millis(300);
    let run = broken_off(&honeyhive, false, limit);
    let report = tokio::time::timeout(PATIENCE, run)
        .await
        .expect("delivery is not waited for beyond its limit");
    assert_eq!(
        (report.status(), report.metric("exact").unwrap().estimate),
        (RunStatus::Completed, Some(1.0))
    );
    let problems = report.delivery().problems.join("\n");
    assert!(
        problems.contains("the run is not marked as completed"),
        "{problems}"
    );
    assert_eq!(report.delivery().problems.len(), 2, "{problems}");
    assert_eq!(honeyhive.runs()[0].status, "pending");
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
