//! The captures of the official SDK's `evaluate` (110, 111, 114, 115), and what differs on purpose.

use honeyhive::evaluate::{Case, Dataset, Scored};
use honeyhive::json;
use serde_json::{Map, Value};

use crate::stage::{Echo, Stage};

/// What the capture 110 has as the body of a run that is made, and what it is told at its end.
fn created_of_110(run_id: &str) -> Value {
    json!({
        "run_id": run_id,
        "name": "rag-experiment-1",
        "status": "pending",
        "metadata": {"offline_dataset_id": "EXT-b045de5fec521f09"},
        "event_ids": [],
        "configuration": {"function": "my_function", "evaluators": ["exact_match", "alen"], "max_workers": 2, "aggregate_function": "average"},
        "datapoint_ids": ["EXT-b1945cb4b0f940b6", "EXT-ed5d3417c2332e87", "EXT-a978a1c411987a66"],
    })
}

/// Takes out what a Rust run says beside what Python's does: which SDK it is. Git facts are compared with capture 115.
fn without_additions(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(metadata) = body["metadata"].as_object_mut() {
        metadata.remove("sdk");
        metadata.remove("git");
    }
    body
}

fn answer(dp: &Echo) -> Value {
    json!({"answer": dp.inputs()["q"].as_str().unwrap_or_default().to_uppercase()})
}

async fn my_function(dp: Echo) -> Result<Value, String> {
    drop(honeyhive::span("retrieve").event_type("tool").start());
    Ok(answer(&dp))
}

#[derive(serde::Serialize)]
struct Length {
    score: usize,
    explanation: &'static str,
    extra: u32,
    nested: Value,
}

fn dataset() -> Dataset {
    let row = |q: &str, a: &str| (json!({"q": q}), Some(json!({"answer": a})));
    Dataset::new([row("a", "A"), row("b", "B"), row("c", "X")])
}

async fn run_of_110(stage: &Stage) -> String {
    let report = honeyhive::evaluate(my_function)
        .name("  rag-experiment-1 ")
        .dataset(dataset())
        .evaluator("exact_match", |case: Case<Value, Value, Value>| {
            Some(case.outputs() == case.ground_truth()?)
        })
        .evaluator("alen", async |case: Case<Value, Value, Value>| {
            let score = case.outputs()["answer"].as_str().unwrap_or_default().len();
            Scored(Length {
                score,
                explanation: "length",
                extra: 1,
                nested: json!({"x": 1}),
            })
        })
        .max_workers(2)
        .tracer(&stage.tracer)
        .await
        .unwrap();
    report.run_id().to_owned()
}

#[tokio::test]
async fn a_run_is_made_and_ended_as_in_capture_110_but_for_what_is_named_here() {
    let stage = Stage::new().await;
    let run_id = run_of_110(&stage).await;
    let requests = stage.honeyhive.requests();
    let body = |method: &str| {
        let found = requests
            .iter()
            .find(|request| request.method == method && request.path.starts_with("/v1/runs"));
        without_additions(found.unwrap().json.as_ref().unwrap())
    };
    let created = created_of_110(&run_id);
    assert_eq!(body("POST"), created);
    // Python's update has the metadata without git, no configuration, and sessions in the order in which they ended.
    let sessions: Vec<_> = ["a", "b", "c"]
        .map(|q| {
            let session = stage
                .honeyhive
                .sessions()
                .into_iter()
                .find(|session| session.inputs["q"] == q);
            session.unwrap().session_id
        })
        .into();
    let expected = json!({
        "name": created["name"],
        "status": "completed",
        "metadata": created["metadata"],
        "event_ids": sessions,
        "configuration": created["configuration"],
    });
    assert_eq!(body("PUT"), expected);
    assert_eq!(
        requests
            .iter()
            .position(|request| request.method == "POST" && request.path == "/v1/runs"),
        Some(0)
    );
    assert_eq!(
        requests.last().map(|request| request.method.as_str()),
        Some("PUT"),
        "the run's end follows all else"
    );
}

#[tokio::test]
async fn sessions_and_spans_are_those_of_capture_110_but_for_what_is_named_here() {
    let stage = Stage::new().await;
    let run_id = run_of_110(&stage).await;
    for session in stage.honeyhive.sessions() {
        let facts: Map<String, Value> = ["run_id", "dataset_id", "datapoint_id"]
            .map(|id| (id.to_owned(), session.metadata[id].clone()))
            .into_iter()
            .collect();
        assert_eq!(
            (&facts["run_id"], &facts["dataset_id"]),
            (&json!(run_id), &json!("EXT-b045de5fec521f09"))
        );
        assert_eq!(session.name.as_deref(), Some("rag-experiment-1"));
        assert_eq!(session.source.as_deref(), Some("evaluation"));
        let q = session.inputs["q"].as_str().unwrap();
        assert_eq!(session.outputs["answer"], q.to_uppercase());
        let right = if q == "c" {
            "X".to_owned()
        } else {
            q.to_uppercase()
        };
        assert_eq!(session.feedback["ground_truth"], json!({"answer": right}));
        let events = stage.events(&session);
        let call = events
            .iter()
            .find(|event| event.event_name == "my_function")
            .unwrap();
        assert_eq!(call.event_type, "chain");
        // Python has the whole datapoint as `inputs.dp`, with what would be right in it.
        assert_eq!(call.inputs.keys().collect::<Vec<_>>(), ["q"]);
        assert_eq!(call.outputs["result"]["answer"], q.to_uppercase());
        // Python's async evaluator gives its metrics here, too; `nested` is no scalar, and left out by both.
        let metrics: Vec<_> = call.metrics.keys().map(String::as_str).collect();
        assert_eq!(
            metrics,
            ["alen", "alen_explanation", "alen_extra", "exact_match"]
        );
        assert_eq!(
            (&call.metrics["alen"], &call.metrics["exact_match"]),
            (&json!(1), &json!(q != "c"))
        );
        // Python's evaluators have no span here; an async one in Rust has.
        let mut names: Vec<_> = events
            .iter()
            .map(|event| event.event_name.as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["evaluator: alen", "my_function", "retrieve"]);
    }
}

#[tokio::test]
async fn a_stored_dataset_is_run_as_in_capture_111_by_fewer_reads() {
    let stage = Stage::new().await;
    let rows = ["a", "b"]
        .map(|q| json!({"inputs": {"q": q}, "ground_truth": {"answer": q.to_uppercase()}}));
    let id = stage.honeyhive.seed_dataset("stored", rows);
    let report = honeyhive::evaluate(my_function)
        .dataset(Dataset::stored(&id))
        .tracer(&stage.tracer)
        .await
        .unwrap();
    let requests = stage.honeyhive.requests();
    let created = requests
        .iter()
        .find(|request| request.path == "/v1/runs")
        .unwrap()
        .json
        .clone()
        .unwrap();
    assert_eq!(created["dataset_id"], id.as_str());
    assert!(created["metadata"].get("offline_dataset_id").is_none());
    assert_eq!(created["datapoint_ids"].as_array().unwrap().len(), 2);
    assert_eq!(
        created["name"],
        format!("experiment-{}", &report.run_id()[..8])
    );
    // Python reads datapoints one by one.
    assert_eq!(stage.calls("GET", "/v1/datapoints"), 1);
    assert!(
        stage
            .honeyhive
            .sessions()
            .iter()
            .all(|session| session.metadata["dataset_id"] == id.as_str())
    );
}

#[tokio::test]
async fn failures_are_those_of_capture_114_but_with_honest_statuses() {
    let stage = Stage::new().await;
    let run = honeyhive::evaluate(async |_: Echo| Err::<(), _>("boom"))
        .dataset(dataset())
        .tracer(&stage.tracer);
    let report = run.await.unwrap();
    // Python marks a run as completed though each datapoint failed.
    assert_eq!(
        (stage.run().status.as_str(), report.errors()),
        ("failed", 3)
    );
    for session in stage.honeyhive.sessions() {
        assert!(session.outputs.is_empty() && session.feedback.contains_key("ground_truth"));
        let events = stage.events(&session);
        assert_eq!(events.len(), 1, "no `_error` span beside it");
        assert_eq!(events[0].error.as_deref(), Some("boom"));
    }
}

/// Bug 31 of what the official SDK sends.
#[tokio::test]
async fn git_facts_have_neither_the_author_nor_credentials_of_the_remote() {
    let stage = Stage::new().await;
    crate::stage::evaluation(&stage, 1).await.unwrap();
    let created = stage.honeyhive.requests()[0].json.clone().unwrap();
    if let Some(git) = created["metadata"].get("git") {
        let known = ["commit", "branch", "dirty", "remote"];
        assert!(
            git.as_object()
                .unwrap()
                .keys()
                .all(|key| known.contains(&key.as_str())),
            "{git}"
        );
        assert!(!git.to_string().contains('@'), "{git}");
    }
}
