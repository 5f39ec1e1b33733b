//! Somebody ends a run: by a signal, by a budget, by dropping it.

use std::future::IntoFuture as _;
use std::sync::Arc;

use honeyhive::evaluate::{Outcome, RunStatus};
use honeyhive_local::{Fault, LocalServer};
use tokio::sync::{Notify, oneshot};

use crate::stage::{Echo, PATIENCE, Stage, evaluation, numbered, outcomes, q};

#[tokio::test]
async fn a_budget_ends_a_run_that_is_cancelled_and_nothing_more_begins() {
    let stage = Stage::new().await;
    let report = honeyhive::evaluate(async |dp: Echo| {
        dp.record("cost", 1.0);
        Ok::<_, String>(())
    })
    .dataset(numbered(20))
    .stop_when(|progress| progress.sum("cost") > 4.5)
    .max_workers(1)
    .tracer(&stage.tracer)
    .await
    .unwrap();
    assert_eq!(
        (
            report.status(),
            report.count(Outcome::Ok),
            report.count(Outcome::NotRun)
        ),
        (RunStatus::Cancelled, 5, 15)
    );
    assert_eq!(
        report.metric("cost").unwrap().n,
        5,
        "what did not run has no score"
    );
    assert_eq!(
        (stage.run().status.as_str(), stage.run().event_ids.len()),
        ("cancelled", 5)
    );
}

#[tokio::test]
async fn a_signal_cancels_a_run_and_what_runs_is_dropped_after_a_while() {
    let stage = Stage::new().await;
    let (cancel, signal) = oneshot::channel::<()>();
    let cancel = Arc::new(std::sync::Mutex::new(Some(cancel)));
    let report = honeyhive::evaluate(async move |dp: Echo| {
        if q(&dp) == 1 {
            cancel.lock().unwrap().take().unwrap().send(()).unwrap();
            std::future::pending::<()>().await;
        }
        Ok::<_, String>(())
    })
    .dataset(numbered(5))
    .max_workers(1)
    .cancel_on(signal)
    .tracer(&stage.tracer)
    .await
    .unwrap();
    assert_eq!(outcomes(&report)[..2], [Outcome::Ok, Outcome::NotRun]);
    assert_eq!(
        (report.status(), report.count(Outcome::NotRun)),
        (RunStatus::Cancelled, 4)
    );
    assert_eq!(stage.run().status, "cancelled");
    let dropped = stage
        .honeyhive
        .sessions()
        .into_iter()
        .find(|session| session.inputs["q"] == 1)
        .unwrap();
    let text = serde_json::to_string(&dropped).unwrap();
    assert!(text.contains("cancelled"), "{text}");
}

#[tokio::test]
async fn a_run_that_is_dropped_is_cancelled() {
    let stage = Stage::new().await;
    let began = Arc::new(Notify::new());
    let told = Arc::clone(&began);
    let run = honeyhive::evaluate(async move |dp: Echo| {
        if q(&dp) == 1 {
            told.notify_one();
            std::future::pending::<()>().await;
        }
        Ok::<_, String>(())
    })
    .dataset(numbered(3))
    .max_workers(1)
    .tracer(&stage.tracer);
    let task = tokio::spawn(run.into_future());
    began.notified().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert!(
        stage
            .honeyhive
            .wait_until(PATIENCE, |it| it.runs()[0].status == "cancelled")
            .await
    );
    assert_eq!(
        stage.run().event_ids.len(),
        2,
        "the sessions that have begun"
    );
}

#[tokio::test]
async fn progress_is_told_after_each_trial() {
    let stage = Stage::new().await;
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&told);
    evaluation(&stage, 4)
        .on_progress(move |progress| {
            seen.lock()
                .unwrap()
                .push((progress.done(), progress.total(), progress.sum("exact")))
        })
        .max_workers(1)
        .await
        .unwrap();
    assert_eq!(
        *told.lock().unwrap(),
        [(1, 4, 1.0), (2, 4, 2.0), (3, 4, 3.0), (4, 4, 4.0)]
    );
}

#[tokio::test]
async fn a_run_that_is_dropped_while_it_is_made_is_cancelled() {
    let stage = Stage::new().await;
    let is_asked = |it: &LocalServer| it.requests().iter().any(|it| it.path == "/v1/runs");
    stage.honeyhive.fail(Fault::status(503).times(1));
    let task = tokio::spawn(evaluation(&stage, 3).into_future());
    // The second try comes later, and finds nobody who waits for it.
    assert!(stage.honeyhive.wait_until(PATIENCE, is_asked).await);
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let is_cancelled = |it: &LocalServer| it.runs().iter().any(|it| it.status == "cancelled");
    assert!(stage.honeyhive.wait_until(PATIENCE, is_cancelled).await);
    assert_eq!(stage.run().event_ids.len(), 0);
}
