//! Runs go on after their process was killed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use honeyhive::evaluate::{Evaluate, EvaluateError, RunStatus, failed_datapoints};
use honeyhive::json;
use serde_json::Value;

use crate::stage::{Echo, Stage, exact, numbered, q};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("honeyhive-resume-{}-{name}", std::process::id())))
    }

    fn journal(&self) -> PathBuf {
        self.0.join("run.jsonl")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

type Called = Arc<Mutex<BTreeSet<u64>>>;

/// Returns a run whose function notes its datapoint, and fails for those of a list.
fn run(stage: &Stage, called: &Called, fails: &'static [u64]) -> Evaluate<Value, Value, Value> {
    let called = Arc::clone(called);
    honeyhive::evaluate(async move |dp: Echo| {
        called.lock().unwrap().insert(q(&dp));
        if fails.contains(&q(&dp)) {
            Err("down")
        } else {
            Ok(json!({"a": q(&dp)}))
        }
    })
    .function_name("support")
    .name("resumed")
    .dataset(numbered(200))
    .evaluator("exact", exact)
    .tracer(&stage.tracer)
}

#[tokio::test]
async fn a_killed_run_goes_on_under_its_id_calls_what_failed_or_is_missing_and_has_the_report_of_a_whole_one()
 {
    let stage = Stage::new().await;
    let (folder, called) = (Folder::new("killed"), Called::default());
    let first = run(&stage, &called, &[3, 150])
        .journal(folder.journal())
        .await
        .unwrap();
    // A kill in the middle leaves some lines, and one that is torn.
    let text = std::fs::read_to_string(folder.journal()).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.truncate(101);
    let torn = &lines[100][..lines[100].len() / 2];
    std::fs::write(
        folder.journal(),
        format!("{}\n{torn}", lines[..100].join("\n")),
    )
    .unwrap();
    let finished: BTreeSet<u64> = lines[1..100]
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["outcome"] == "ok")
        .map(|line| line["position"].as_u64().unwrap())
        .collect();
    called.lock().unwrap().clear();

    let resumed = run(&stage, &called, &[])
        .resume(folder.journal())
        .await
        .unwrap();
    assert_eq!(resumed.run_id(), first.run_id());
    let expected: BTreeSet<u64> = (0..200).filter(|q| !finished.contains(q)).collect();
    assert_eq!(*called.lock().unwrap(), expected);
    let whole = run(&stage, &called, &[]).await.unwrap();
    assert_eq!(resumed.json_without_times(), whole.json_without_times());
    assert_eq!(resumed.status(), RunStatus::Completed);
    let run_now = stage
        .honeyhive
        .runs()
        .into_iter()
        .find(|run| run.run_id == first.run_id())
        .unwrap();
    assert_eq!(run_now.event_ids.len(), 200);
    // A second resume has nothing left to do.
    called.lock().unwrap().clear();
    run(&stage, &called, &[])
        .resume(folder.journal())
        .await
        .unwrap();
    assert!(called.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_journal_of_another_dataset_function_or_number_of_trials_is_refused_and_tells_its_failures()
 {
    let stage = Stage::new().await;
    let (folder, called) = (Folder::new("other"), Called::default());
    let first = run(&stage, &called, &[3])
        .journal(folder.journal())
        .await
        .unwrap();
    let failed = failed_datapoints(folder.journal()).unwrap();
    assert_eq!(failed, [first.datapoints()[3].datapoint_id()]);
    let before = stage.honeyhive.requests().len();
    let others = [
        run(&stage, &called, &[]).dataset(numbered(5)),
        run(&stage, &called, &[]).function_name("other"),
        run(&stage, &called, &[]).trials(2),
        run(&stage, &called, &[]).resume("/no/such/journal"),
    ];
    for (index, other) in others.into_iter().enumerate() {
        let other = if index == 3 {
            other
        } else {
            other.resume(folder.journal())
        };
        assert!(matches!(other.await, Err(EvaluateError::Resume(_))));
    }
    assert_eq!(stage.honeyhive.requests().len(), before);
}
