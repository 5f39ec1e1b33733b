//! Some runs go without HoneyHive.

use std::io::ErrorKind;
use std::net::TcpListener;

use honeyhive::evaluate::{EvaluateError, RunStatus};
use honeyhive::{HoneyHiveTracer, testing};

use crate::stage::{Stage, evaluation, exact, numbered, right};
use integration_tests::harness::local_server;

#[tokio::test]
async fn an_offline_run_sends_nothing_and_has_the_same_report() {
    let stage = Stage::new().await;
    let online = evaluation(&stage, 5).name("one").await.unwrap();
    let before = stage.honeyhive.requests().len();
    let offline = evaluation(&stage, 5).name("one").offline().await.unwrap();
    assert_eq!(stage.honeyhive.requests().len(), before);
    assert_eq!(online.json_without_times(), offline.json_without_times());
    assert!(offline.delivery().is_offline && offline.delivery().is_complete());
}

#[tokio::test]
async fn a_run_in_test_mode_is_captured_with_its_status_ids_and_metrics() {
    let (tracer, captured) = testing::tracer();
    let report = honeyhive::evaluate(right)
        .dataset(numbered(2))
        .evaluator("exact", exact)
        .tracer(&tracer)
        .await
        .unwrap();
    assert_eq!(report.status(), RunStatus::Completed);
    let runs = captured.runs();
    assert_eq!(runs.len(), 1);
    assert_eq!(
        runs[0].status.as_ref().map(|status| status.as_str()),
        Some("completed")
    );
    assert_eq!(runs[0].event_ids.len(), 2);
    let sessions = captured.sessions();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0].event("right").metrics["exact"], true);
}

/// The HoneyHive would notice a connection, though nothing was ever said on it.
#[tokio::test]
async fn an_offline_run_and_one_in_test_mode_open_no_connection() {
    let honeyhive = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    honeyhive.set_nonblocking(true).unwrap();
    let builder = HoneyHiveTracer::builder()
        .api_key("hh_evaluate")
        .server_url(format!("http://{}", honeyhive.local_addr().unwrap()));
    let online = builder.clone().build().unwrap();
    let in_test_mode = builder.test_mode(true).build().unwrap();
    let run = |tracer: &HoneyHiveTracer| {
        let recording = online.clone();
        let function = async move |dp: crate::stage::Echo| {
            drop(recording.tool("inside").start());
            right(dp).await
        };
        honeyhive::evaluate(function)
            .name("one")
            .dataset(numbered(3))
            .evaluator("exact", exact)
            .tracer(tracer)
    };
    let offline = run(&online).offline().await.unwrap();
    let tested = run(&in_test_mode).await.unwrap();
    assert_eq!(offline.json_without_times(), tested.json_without_times());
    for report in [&offline, &tested] {
        assert_eq!(report.status(), RunStatus::Completed);
        assert!(report.delivery().is_offline && report.delivery().is_complete());
    }
    assert_eq!(online.stats().pending, 0, "{:?}", online.stats());
    let connected = honeyhive.accept().unwrap_err();
    assert_eq!(connected.kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_tracer_that_records_nothing_is_an_error_unless_the_run_is_offline() {
    let disabled = HoneyHiveTracer::disabled();
    let run = || {
        honeyhive::evaluate(right)
            .dataset(numbered(1))
            .tracer(&disabled)
    };
    assert!(matches!(run().await, Err(EvaluateError::Config(_))));
    assert_eq!(
        run().offline().await.unwrap().status(),
        RunStatus::Completed
    );
}

/// The test runs a program with an experiment, which prints the run's id.
#[test]
fn a_run_prints_nothing_by_itself() {
    let honeyhive = local_server().start_blocking().unwrap();
    let rows = concat!(env!("CARGO_MANIFEST_DIR"), "/python/questions.jsonl");
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_evaluate-jsonl"));
    program
        .arg(rows)
        .env("HH_API_KEY", "hh_x")
        .env("HH_API_URL", honeyhive.url());
    let output = program.output().unwrap();
    let id = honeyhive.runs()[0].run_id.clone();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{id}\n"));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
