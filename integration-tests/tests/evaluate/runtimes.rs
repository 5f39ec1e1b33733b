//! A run goes on in several runtimes, and some functions block.

use std::thread::ThreadId;

use honeyhive::evaluate::{ExperimentReport, RunStatus, evaluate_sync};
use honeyhive::json;

use crate::stage::{Echo, Stage, evaluation, q, right, staged};
use integration_tests::harness::local_server;

/// Runs thirty datapoints, and returns the thread of each function.
async fn threads_of(stage: &Stage) -> Vec<ThreadId> {
    let threads = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&threads);
    let notes = async move |dp: Echo| {
        tokio::task::yield_now().await;
        seen.lock().unwrap().push(std::thread::current().id());
        right(dp).await
    };
    let run = staged(honeyhive::evaluate(notes), stage, 30);
    let report = run.await.unwrap();
    assert_whole(stage, &report, 30);
    let threads = threads.lock().unwrap();
    threads.clone()
}

#[track_caller]
fn assert_whole(stage: &Stage, report: &ExperimentReport, n: usize) {
    assert_eq!(report.status(), RunStatus::Completed);
    assert!(report.delivery().is_complete(), "{:?}", report.delivery());
    assert_eq!(stage.honeyhive.sessions().len(), n);
    assert_eq!(stage.run().status, "completed");
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_goes_on_in_a_runtime_of_one_thread() {
    let stage = Stage::new().await;
    let here = std::thread::current().id();
    assert!(
        threads_of(&stage)
            .await
            .iter()
            .all(|thread| *thread == here)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_on_in_a_runtime_of_many_threads() {
    let stage = Stage::new().await;
    let here = std::thread::current().id();
    assert!(
        threads_of(&stage)
            .await
            .iter()
            .all(|thread| *thread != here)
    );
}

#[tokio::test]
async fn a_function_that_is_not_async_runs_in_its_session() {
    let stage = Stage::new().await;
    let tracer = stage.tracer.clone();
    let function = evaluate_sync(move |dp: Echo| {
        drop(tracer.tool("inside").start());
        Ok::<_, String>(json!({"a": q(&dp)}))
    });
    let run = staged(function.function_name("blocking"), &stage, 1);
    run.await.unwrap();
    let tree = stage.honeyhive.tree(&stage.only_session().session_id);
    assert!(
        tree.ends_with("\n  blocking [chain]\n    inside [tool]\n"),
        "{tree}"
    );
}

/// A blocking client has a runtime of its own, and waits in it: in a thread of another one that is a panic.
#[tokio::test(flavor = "current_thread")]
async fn functions_that_are_not_async_run_beside_each_other_and_may_have_blocking_clients() {
    let stage = Stage::new().await;
    let together = std::sync::Arc::new(std::sync::Barrier::new(4));
    let address = stage
        .honeyhive
        .url()
        .trim_start_matches("http://")
        .to_owned();
    let function = evaluate_sync(move |dp: Echo| {
        together.wait();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(tokio::net::TcpStream::connect(&*address))?;
        Ok::<_, std::io::Error>(json!({"a": q(&dp)}))
    });
    let report = staged(function, &stage, 8).max_workers(4).await.unwrap();
    assert_eq!(report.errors(), 0, "{report}");
    assert_whole(&stage, &report, 8);
}

#[test]
fn a_run_blocks_without_a_runtime() {
    let honeyhive = local_server().start_blocking().unwrap();
    let tracer = crate::stage::tracer(&honeyhive);
    let stage = Stage { honeyhive, tracer };
    let report = evaluation(&stage, 2).block().unwrap();
    assert_whole(&stage, &report, 2);
}

#[tokio::test]
async fn a_run_blocks_inside_a_blocking_thread_of_a_runtime() {
    let stage = Stage::new().await;
    let run = evaluation(&stage, 2);
    let report = tokio::task::spawn_blocking(move || run.block())
        .await
        .unwrap()
        .unwrap();
    assert_whole(&stage, &report, 2);
}
