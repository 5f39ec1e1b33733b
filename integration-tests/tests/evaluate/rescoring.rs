//! The outputs of earlier runs are judged again, and their values compared with.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use honeyhive::evaluate::{
    Baseline, Case, Dataset, Evaluate, EvaluateError, Gate, GateOutcome, Outcome, ResumeError,
    Score, rescore,
};
use honeyhive::json;
use serde_json::Value;

use crate::stage::{Echo, Stage, exact, numbered, outcomes, q};

/// A `Journal` is that of a run of four, of which the last one fails; it is gone at the end.
struct Journal(PathBuf);

impl Journal {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!(
            "honeyhive-rescore-{}-{name}.jsonl",
            std::process::id()
        )))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

type Calls = Arc<AtomicUsize>;

fn support(stage: &Stage, calls: &Calls) -> Evaluate<Value, Value, Value> {
    let calls = Arc::clone(calls);
    honeyhive::evaluate(async move |dp: Echo| {
        calls.fetch_add(1, Ordering::SeqCst);
        if q(&dp) == 3 {
            return Err("down");
        }
        Ok(json!({"a": q(&dp) / 2 * 2}))
    })
    .function_name("support")
    .name("support-bot")
    .dataset(numbered(4))
    .evaluator("exact", exact)
    .trials(2)
    .tracer(&stage.tracer)
}

#[tokio::test]
async fn outputs_of_a_run_that_has_ended_are_judged_again_without_a_call_of_the_function() {
    let (stage, journal, calls) = (Stage::new().await, Journal::new("again"), Calls::default());
    let old = support(&stage, &calls).journal(&journal.0).await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 8);
    let report = rescore(&journal.0)
        .unwrap()
        .dataset(numbered(4))
        .evaluator("exact", exact)
        .evaluator("is_even", |case: Case<Value, Value, Value>| {
            case.outputs()["a"].as_u64().map(|a| a % 2 == 0)
        })
        .tracer(&stage.tracer)
        .await
        .unwrap();
    assert_eq!(
        calls.load(Ordering::SeqCst),
        8,
        "the function is not called"
    );
    assert_eq!(outcomes(&report), outcomes(&old));
    assert_eq!(report.metric("exact"), old.metric("exact"));
    let even = report.metric("is_even").unwrap();
    assert_eq!((even.n, even.estimate, even.missing), (3, Some(1.0), 2));
    for (new, old) in report.datapoints().iter().zip(old.datapoints()) {
        assert_eq!((new.latency(), new.error()), (old.latency(), old.error()));
        assert_ne!(new.session_id(), old.session_id(), "a run of its own");
    }
    let runs = stage.honeyhive.runs();
    let run = runs
        .iter()
        .find(|run| run.run_id == report.run_id())
        .unwrap();
    assert_eq!(run.name.as_deref(), Some("support-bot, rescored"));
    assert_eq!(run.metadata["rescored_run"], old.run_id());
    assert_eq!(run.configuration["function"], "support");
}

#[tokio::test]
async fn another_dataset_and_a_journal_without_outputs_are_refused_and_what_did_not_run_does_not() {
    let (stage, journal, calls) = (Stage::new().await, Journal::new("other"), Calls::default());
    support(&stage, &calls)
        .offline()
        .journal(&journal.0)
        .await
        .unwrap();
    let again = || {
        rescore::<Value, Value, Value>(&journal.0)
            .unwrap()
            .evaluator("exact", exact)
            .tracer(&stage.tracer)
    };
    let other = again().dataset(numbered(5)).await.unwrap_err();
    assert!(
        matches!(other, EvaluateError::Resume(ResumeError::Other { .. })),
        "{other}"
    );
    let both = again()
        .dataset(numbered(4))
        .resume(&journal.0)
        .await
        .unwrap_err();
    assert!(matches!(both, EvaluateError::Config(_)), "{both}");
    assert_eq!(stage.honeyhive.requests().len(), 0);

    // The journal becomes that of a run that was killed after its first trial.
    let text = std::fs::read_to_string(&journal.0).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&journal.0, lines[..2].join("\n") + "\n").unwrap();
    let short = again().dataset(numbered(4)).offline().await.unwrap();
    assert_eq!(
        (short.count(Outcome::Ok), short.count(Outcome::NotRun)),
        (1, 7)
    );

    let run = support(&stage, &calls).offline().keep_outputs(false);
    run.journal(&journal.0).await.unwrap();
    let error = rescore::<Value, Value, Value>(&journal.0).unwrap_err();
    assert!(matches!(error, ResumeError::NoOutputs { .. }), "{error}");
}

#[tokio::test]
async fn a_run_of_honeyhive_is_a_baseline_with_the_values_that_its_report_had() {
    let stage = Stage::new().await;
    let run = |right: u64| {
        honeyhive::evaluate(async move |dp: Echo| {
            // The metric belongs to another span than the function's.
            let look_up = honeyhive::span("look up").event_type("tool");
            look_up.start().metrics(json!({"exact": false}));
            Ok::<_, String>(json!({"a": if q(&dp) < right { q(&dp) } else { 99 }}))
        })
        .name("support-bot")
        .dataset(numbered(8))
        .evaluator("exact", |case: Case<Value, Value, Value>| {
            Some(
                Score::new(exact(case)?)
                    .explanation("as it is")
                    .extra("tone", "warm"),
            )
        })
        .trials(2)
        .tracer(&stage.tracer)
    };
    let (old, new) = (run(8).await.unwrap(), run(5).await.unwrap());
    let client = stage.tracer.client();
    let baseline = Baseline::from_run(&client, old.run_id()).await.unwrap();
    assert_eq!(baseline, old.baseline());
    let gates = [Gate::no_worse_than(&baseline, "exact", 0.1)];
    let verdicts = new.gate(gates);
    assert_eq!(verdicts.iter().next().unwrap().outcome, GateOutcome::Fail);
    assert_eq!(new.compare(&baseline), new.compare(&old.baseline()));
    let unknown = Baseline::from_run(&client, "6ba7b810-9dad-41d1-80b4-00c04fd430c8").await;
    assert_eq!(unknown.unwrap_err().status(), Some(400));
}

#[tokio::test]
async fn the_newest_completed_run_of_a_name_and_a_branch_is_a_baseline() {
    let stage = Stage::new().await;
    let run = async |name: &str, branch: &str, value: f64| {
        let dataset = Dataset::new([(json!({"q": 0}), None::<Value>)]);
        let run = honeyhive::evaluate(async |_: Echo| Ok::<_, String>(Value::Null));
        let run = run.name(name).dataset(dataset).git(false);
        let run = run.metadata(json!({"git": {"branch": branch}}));
        let run = run.evaluator("value", move |_: Case<Value, Value, Value>| value);
        run.tracer(&stage.tracer).await.unwrap().baseline()
    };
    run("support-bot", "main", 1.0).await;
    let main = run("support-bot", "main", 2.0).await;
    let topic = run("support-bot", "topic", 3.0).await;
    run("support-bot-2", "main", 4.0).await;
    let fails = honeyhive::evaluate(async |_: Echo| Err::<Value, _>("down"));
    let fails = fails.name("support-bot").dataset(numbered(1));
    fails.tracer(&stage.tracer).await.unwrap();
    let client = stage.tracer.client();
    let newest = async |branch| {
        Baseline::from_newest_run(&client, "support-bot", branch)
            .await
            .unwrap()
    };
    assert_eq!(newest(Some("main")).await, Some(main));
    assert_eq!(newest(None).await, Some(topic));
    assert_eq!(newest(Some("gone")).await, None);
}
