//! Datasets, datapoints and runs have ids.

use honeyhive::client::NewRun;
use honeyhive::evaluate::{Dataset, RunStatus};
use honeyhive::json;
use honeyhive_local::Fault;

use crate::stage::{Stage, evaluation, numbered, right};

#[tokio::test]
async fn the_ids_of_capture_110_arrive_end_to_end() {
    let stage = Stage::new().await;
    let row = |q: &str, a: &str| (json!({"q": q}), Some(json!({"answer": a})));
    let dataset = Dataset::new([row("a", "A"), row("b", "B"), row("c", "X")]);
    honeyhive::evaluate(async |_: crate::stage::Echo| Ok::<_, String>(()))
        .dataset(dataset)
        .tracer(&stage.tracer)
        .await
        .unwrap();
    let run = stage.run();
    assert_eq!(run.metadata["offline_dataset_id"], "EXT-b045de5fec521f09");
    assert_eq!(
        run.datapoint_ids,
        [
            "EXT-b1945cb4b0f940b6",
            "EXT-ed5d3417c2332e87",
            "EXT-a978a1c411987a66"
        ]
    );
}

#[tokio::test]
async fn the_run_is_made_before_all_else_and_its_end_is_told_after_all_else() {
    let stage = Stage::new().await;
    evaluation(&stage, 3).await.unwrap();
    let requests = stage.honeyhive.requests();
    let calls = [requests.first(), requests.last()].map(|request| {
        let request = request.unwrap();
        format!("{} {}", request.method, request.path)
    });
    let end = format!("PUT /v1/runs/{}", stage.run().run_id);
    assert_eq!(calls, ["POST /v1/runs".to_owned(), end]);
}

#[tokio::test]
async fn a_part_of_a_dataset_runs_under_the_ids_of_the_whole() {
    let stage = Stage::new().await;
    let whole = evaluation(&stage, 10).await.unwrap();
    let ids: Vec<_> = whole
        .datapoints()
        .iter()
        .map(|trial| trial.datapoint_id().to_owned())
        .collect();
    let part = evaluation(&stage, 10)
        .dataset(numbered(10).sample(3, 0))
        .await
        .unwrap();
    let of_part: Vec<_> = part
        .datapoints()
        .iter()
        .map(|trial| trial.datapoint_id())
        .collect();
    assert_eq!(of_part, [&ids[2], &ids[4], &ids[8]]);
    assert_eq!(whole.dataset_id(), part.dataset_id());
}

#[tokio::test]
async fn a_run_id_that_is_no_uuid_is_the_same_uuid_each_time_and_the_text_is_kept() {
    let stage = Stage::new().await;
    let run = || evaluation(&stage, 1).run_id("ci-job-4711");
    let (first, second) = (run().await.unwrap(), run().offline().await.unwrap());
    assert_eq!(first.run_id(), second.run_id());
    assert!(honeyhive::SessionId::from_correlation_id("ci-job-4711").to_string() == first.run_id());
    assert_eq!(stage.run().metadata["run_key"], "ci-job-4711");
    assert_eq!(
        stage.run().name.as_deref(),
        Some(&*format!("experiment-{}", &first.run_id()[..8]))
    );
}

#[tokio::test]
async fn a_run_goes_on_under_the_id_that_honeyhive_answers_with() {
    let stage = Stage::new().await;
    let theirs = NewRun::named("theirs");
    let theirs = stage.tracer.client().runs().create(&theirs).await.unwrap();
    let answer = json!({"run_id": theirs.run_id, "evaluation": {"name": "theirs"}});
    let answer = Fault::status(200).body(answer.to_string()).times(1);
    stage.honeyhive.fail(answer);
    let report = evaluation(&stage, 1).run_id("ci-job-4712").await.unwrap();
    assert_eq!(report.run_id(), theirs.run_id);
    let session = stage.only_session();
    assert_eq!(session.metadata["run_id"], theirs.run_id);
    let events = stage.events(&session);
    assert!(!events.is_empty());
    for event in events {
        assert_eq!(event.metadata["run_id"], theirs.run_id, "{event:?}");
    }
    let run = stage.run();
    assert_eq!(
        (run.run_id, run.status),
        (theirs.run_id, "completed".to_owned())
    );
    assert_eq!(run.event_ids, [session.session_id]);
}

#[tokio::test]
async fn a_file_of_rows_in_the_form_of_python_gives_pythons_ids_though_floats_are_in_it() {
    let stage = Stage::new().await;
    let folder = std::env::temp_dir().join(format!("honeyhive-evaluate-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("floats.json");
    let floats = "1.0, 0.1, 1e-07, 1e-05, 0.0001, 1000000000000000.0, 1e+16, 1e+22, 1e+23, -0.0, 1.2345678901234568e+17, \
                  5e-324, 1.7976931348623157e+308, 2.5e-05, 100000.0";
    std::fs::write(&path, format!(r#"[{{"inputs":{{"f":[{floats}]}}}}]"#)).unwrap();
    let report = honeyhive::evaluate(async |_: crate::stage::Echo| Ok::<_, String>(()))
        .dataset(Dataset::from_json(&path).unwrap())
        .tracer(&stage.tracer)
        .await
        .unwrap();
    assert_eq!(report.dataset_id(), "EXT-9abe5119272fdf00");
    assert_eq!(
        report.datapoints()[0].datapoint_id(),
        "EXT-86f603f1f66500e1"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_run_says_which_commit_it_is_of_and_what_it_was_run_with() {
    let stage = Stage::new().await;
    let report = honeyhive::evaluate(right)
        .dataset(numbered(1).named("numbers"))
        .description("new prompt")
        .metadata(json!({"prompt": "v7"}))
        .passes("exact", 0.8..)
        .max_workers(3)
        .tracer(&stage.tracer)
        .await
        .unwrap();
    assert_eq!(report.status(), RunStatus::Completed);
    let run = stage.run();
    assert_eq!(
        (run.description.as_deref(), &run.metadata["prompt"]),
        (Some("new prompt"), &json!("v7"))
    );
    assert_eq!(run.metadata["dataset_name"], "numbers");
    assert_eq!(run.metadata["sdk"]["language"], "rust");
    assert_eq!(run.configuration["max_workers"], 3);
    let created = &stage.honeyhive.requests()[0].json.clone().unwrap();
    assert_eq!(created["passing_ranges"], json!({"exact": {"min": 0.8}}));
    assert_eq!(created["status"], "pending");
    let updates = stage.honeyhive.requests();
    let update = updates
        .iter()
        .find(|request| request.method == "PUT" && request.path.starts_with("/v1/runs/"))
        .unwrap();
    let update = update.json.as_ref().unwrap();
    for field in ["name", "metadata", "configuration"] {
        assert_eq!(
            update[field], created[field],
            "the update says {field} again"
        );
    }
}
