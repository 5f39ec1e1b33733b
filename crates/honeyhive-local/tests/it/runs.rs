//! Experiments have runs.

use honeyhive_local::LocalServer;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{get, get_text, post, put, send, server};

async fn read(server: &LocalServer, path: &str) -> Value {
    let response = get(server, path).await;
    let status = response.status();
    let text = response.text().await.expect("text");
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).expect("JSON")
}

/// Returns a run with a session for each datapoint, whose function has these scores.
async fn run(server: &LocalServer, name: &str, scores: &[f64]) -> String {
    let body =
        json!({ "name": format!(" {name} "), "passing_ranges": { "score": { "min": 0.5 } } });
    let (status, made) = post(server, "/v1/runs", body).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(made["evaluation"]["name"], name, "names are trimmed");
    let run = made["run_id"].as_str().expect("an id").to_owned();
    let mut sessions = Vec::new();
    for (index, score) in scores.iter().enumerate() {
        let session = Uuid::new_v4().to_string();
        let metadata = json!({ "run_id": run, "datapoint_id": format!("d{index}") });
        let body = json!({ "session_id": session, "session_name": name, "metadata": metadata });
        post(server, "/v1/sessions", body).await;
        let body = json!({
            "event_type": "chain", "event_name": "answer", "session_id": session, "inputs": {},
            "metrics": { "score": score, "right": *score > 0.5, "why": "text" }, "metadata": metadata,
        });
        assert_eq!(post(server, "/v1/events", body).await.0, 200);
        sessions.push(session);
    }
    let body = json!({ "status": "completed", "event_ids": sessions });
    let (status, closed) = put(server, &format!("/v1/runs/{run}"), body).await;
    assert_eq!(
        (status, &closed["evaluation"]["status"]),
        (200, &json!("completed"))
    );
    assert_eq!(closed.get("warning"), None);
    run
}

#[tokio::test]
async fn a_run_is_summed_up_by_every_aggregate_and_told_apart_by_its_ranges() {
    let server = server().await;
    let run = run(&server, "first", &[0.25, 0.5, 1.0, 0.75]).await;
    for (aggregate, expected) in [
        ("average", 0.625),
        ("median", 0.625),
        ("min", 0.25),
        ("max", 1.0),
        ("sum", 2.5),
        ("count", 4.0),
        ("p90", 0.925),
    ] {
        let path = format!("/v1/runs/{run}/summary?aggregate_function={aggregate}");
        let summary = read(&server, &path).await;
        assert_eq!(summary["metrics"]["aggregation_function"], aggregate);
        let details = summary["metrics"]["details"].as_array().unwrap();
        assert_eq!(details.len(), 2, "a text is no number");
        let score = details
            .iter()
            .find(|it| it["metric_name"] == "score")
            .unwrap();
        let found = score["aggregate"].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-9, "{aggregate}: {found}");
        assert_eq!(score["event_name"], "answer");
        assert_eq!(
            score["datapoints"],
            json!({ "passed": ["d1", "d2", "d3"], "failed": ["d0"] })
        );
        let right = details
            .iter()
            .find(|it| it["metric_name"] == "right")
            .unwrap();
        assert_eq!(right["values"], json!([0.0, 0.0, 1.0, 1.0]));
    }
    let result = read(&server, &format!("/v1/runs/{run}/result")).await;
    assert_eq!(result["failed"], json!(["d0"]));
    assert_eq!(result["passed"], json!(["d1", "d2", "d3"]));
    assert_eq!(result["success"], false);
    assert_eq!(result["status"], "completed");
    assert_eq!(result["run_object"]["run_id"], run);
    assert_eq!(result["datapoints"][0]["passed"], false);
    assert_eq!(result["event_details"].as_array().unwrap().len(), 1);
    for hidden in [
        "evaluators",
        "session_ids",
        "datapoint_ids",
        "passing_ranges",
    ] {
        assert_eq!(result["run_object"].get(hidden), None);
    }
    let path = format!("/v1/runs/{run}/summary?aggregate_function=mean");
    assert_eq!(get(&server, &path).await.status(), 400);
    let metrics = read(&server, &format!("/v1/runs/{run}/metrics")).await;
    assert_eq!(metrics["totalEvents"], 8);
    let filters = r#"[{"field":"event_type","operator":"is","value":"chain","type":"string"}]"#;
    let path = format!("/v1/runs/{run}/metrics?filters={filters}");
    assert_eq!(read(&server, &path).await["totalEvents"], 4);
    let schema = read(&server, &format!("/v1/runs/{run}/schema")).await;
    let fields = schema["fields"].as_array().unwrap();
    assert!(
        fields.contains(&json!({ "name": "metrics.score", "event_type": "chain" })),
        "{schema}"
    );
    let answer = schema["mappings"]["answer"].as_array().unwrap();
    assert!(
        answer.contains(&json!({ "field_name": "metrics.score", "event_type": "chain" })),
        "{schema}"
    );
}

#[tokio::test]
async fn the_results_of_a_run_are_in_the_order_of_its_datapoints_however_they_came() {
    let server = server().await;
    let mut points = Vec::new();
    for number in 0..3 {
        let body = json!({ "inputs": { "number": number } });
        let (_, made) = post(&server, "/v1/datapoints", body).await;
        points.push(made["result"]["insertedIds"][0].clone());
    }
    let set = json!({ "name": "set", "datapoints": points });
    let (_, set) = post(&server, "/v1/datasets", set).await;
    for body in [
        json!({ "datapoint_ids": points }),
        json!({ "dataset_id": set["result"]["insertedId"] }),
    ] {
        let (_, made) = post(&server, "/v1/runs", body).await;
        let run = made["run_id"].as_str().unwrap();
        for point in [&points[2], &points[0], &points[1]] {
            let metadata = json!({ "run_id": run, "datapoint_id": point });
            post(&server, "/v1/sessions", json!({ "metadata": metadata })).await;
        }
        let summary = read(&server, &format!("/v1/runs/{run}/summary")).await;
        assert_eq!(summary["passed"], json!(points));
    }
}

#[tokio::test]
async fn two_runs_are_compared_on_the_datapoints_that_they_share() {
    let server = server().await;
    let old = run(&server, "old", &[0.5, 0.5, 0.0]).await;
    let new = run(&server, "new", &[1.0, 0.5]).await;
    for path in [
        format!("/v1/runs/{new}/compare/{old}"),
        format!("/v1/runs/{new}/compare-with/{old}?aggregate_function=average"),
    ] {
        let comparison = read(&server, &path).await;
        assert_eq!(comparison["commonDatapoints"], json!(["d0", "d1"]));
        let metrics = comparison["metrics"].as_array().unwrap();
        let score = metrics
            .iter()
            .find(|it| it["metric_name"] == "score")
            .unwrap();
        assert_eq!(score["new_aggregate"], 0.75);
        assert!((score["old_aggregate"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-9);
        assert!((score["percentage_change"].as_f64().unwrap() - 125.0).abs() < 1e-9);
        let counts = [
            "found_count",
            "improved_count",
            "degraded_count",
            "same_count",
        ];
        assert_eq!(
            counts.map(|name| score[name].as_u64()),
            [2, 1, 0, 1].map(Some)
        );
        let ids = ["improved", "degraded", "same"].map(|name| score[name].clone());
        assert_eq!(ids, [json!(["d0"]), json!([]), json!(["d1"])]);
        assert_eq!(score["old_values"], json!([0.5, 0.5]));
        assert_eq!(score["new_values"], json!([1.0, 0.5]));
        assert_eq!(comparison["new_run"]["run_id"], new);
        assert_eq!(comparison["old_run"]["run_id"], old);
        let both = json!([{ "event_name": "answer", "event_type": "chain", "presence": "both" }]);
        assert_eq!(comparison["event_details"], both);
    }
    let path = format!("/v1/runs/{new}/compare/{old}/events?event_name=answer&limit=1&page=2");
    let pairs = read(&server, &path).await;
    assert_eq!(pairs["totalEvents"], 2);
    assert_eq!(pairs["events"][0]["datapoint_id"], "d1");
    let path = format!("/v1/runs/compare/events?run_id_1={new}&run_id_2={old}&event_type=chain");
    let pairs = read(&server, &path).await;
    assert_eq!(pairs["events"][0]["event_1"]["metrics"]["score"], 1.0);
    assert_eq!(pairs["events"][0]["event_2"]["metrics"]["score"], 0.5);
}

#[tokio::test]
async fn runs_are_listed_in_pages_by_filters_and_order() {
    let server = server().await;
    let mut ids = Vec::new();
    for name in ["b", "a", "c"] {
        ids.push(run(&server, name, &[1.0]).await);
    }
    let listed = read(&server, "/v1/runs?sort_by=name&sort_order=asc&limit=2").await;
    let names: Vec<&Value> = listed["evaluations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(listed["metrics"], json!(["right", "score", "why"]));
    assert_eq!(
        listed["pagination"],
        json!({ "page": 1, "limit": 2, "total": 3, "total_unfiltered": 3, "total_pages": 2, "has_next": true, "has_prev": false })
    );
    for query in [
        format!("run_ids={}&run_ids={}", ids[0], ids[2]),
        format!("run_ids[]={}&run_ids[]={}", ids[0], ids[2]),
    ] {
        let listed = read(&server, &format!("/v1/runs?{query}")).await;
        assert_eq!(listed["pagination"]["total"], 2, "{query}");
    }
    let later = r#"{"$gte":"2100-01-01"}"#;
    assert_eq!(
        read(&server, &format!("/v1/runs?dateRange={later}")).await["evaluations"],
        json!([])
    );
    assert_eq!(get(&server, "/v1/runs?limit=101").await.status(), 400);
}

#[tokio::test]
async fn a_run_that_is_unknown_or_makes_no_sense_is_a_bad_request() {
    let server = server().await;
    let id = Uuid::new_v4();
    for path in ["", "/summary", "/result", "/metrics", "/schema"] {
        assert_eq!(
            get(&server, &format!("/v1/runs/{id}{path}")).await.status(),
            400,
            "{path}"
        );
    }
    assert_eq!(
        put(&server, &format!("/v1/runs/{id}"), json!({})).await.0,
        400
    );
    assert_eq!(
        post(&server, "/v1/runs", json!({ "name": "  " })).await.0,
        400
    );
    assert_eq!(
        post(&server, "/v1/runs", json!({ "status": "done" }))
            .await
            .0,
        400
    );
    let (_, made) = post(
        &server,
        "/v1/runs",
        json!({ "run_id": id.to_string(), "extra": 1 }),
    )
    .await;
    assert_eq!(made["run_id"], id.to_string());
    assert_ne!(made["evaluation"]["id"], made["run_id"]);
    let path = format!("/v1/runs/{id}");
    let (_, gone) = send(&server, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(gone, json!({ "id": id.to_string(), "deleted": true }));
    assert_eq!(get(&server, &path).await.status(), 400);
}

#[tokio::test]
async fn closing_a_run_whose_sessions_name_no_datapoint_warns() {
    let server = server().await;
    let (_, made) = post(&server, "/v1/runs", json!({})).await;
    let run = made["run_id"].as_str().unwrap();
    let metadata = json!({ "run_id": run });
    post(&server, "/v1/sessions", json!({ "metadata": metadata })).await;
    let (_, closed) = put(
        &server,
        &format!("/v1/runs/{run}"),
        json!({ "status": "completed" }),
    )
    .await;
    assert!(closed["warning"].as_str().unwrap().contains("datapoint_id"));
}

#[tokio::test]
async fn runs_of_one_name_are_told_apart_by_their_ids_and_others_by_their_names() {
    let server = server().await;
    let first = run(&server, "support", &[0.5]).await;
    let second = run(&server, "support", &[1.0]).await;
    let third = run(&server, "other", &[1.0]).await;
    let short = |id: &str| format!("support · {}", &id[..8]);
    let page = get_text(&server, &format!("/experiments/{second}/compare/{first}")).await;
    assert!(
        page.contains("None of the datapoints in both."),
        "none got worse: {page}"
    );
    let better = format!("/experiments/{second}/compare/{first}?show=better");
    let page = get_text(&server, &better).await;
    for id in [&first, &second] {
        // The names are in the heading, above the metrics and above the datapoints.
        assert_eq!(page.matches(&short(id)).count(), 4, "{page}");
    }
    let page = get_text(&server, &format!("/experiments/{third}/compare/{first}")).await;
    assert!(!page.contains(&short(&first)), "{page}");
}

#[tokio::test]
async fn a_run_is_offered_for_comparison_where_the_dataset_or_the_name_is_the_same() {
    let server = server().await;
    let run = async |name: &str, offline: &str| {
        let body = json!({ "name": name, "metadata": { "offline_dataset_id": offline } });
        let made = post(&server, "/v1/runs", body).await.1;
        made["run_id"].as_str().unwrap().to_owned()
    };
    let one = run("support", "EXT-1").await;
    run("search", "EXT-2").await;
    let renamed = run("support, shorter", "EXT-1").await;
    let grown = run("support", "EXT-3").await;
    let page = get_text(&server, "/experiments").await;
    let offered: Vec<_> = page
        .split("/compare/")
        .skip(1)
        .map(|rest| &rest[..36])
        .collect();
    // The newest is first, and the two that are first of their kind have nothing to be compared with.
    assert_eq!(offered, [&*one, &*one]);
    for id in [grown, renamed] {
        assert!(
            page.contains(&format!("/experiments/{id}/compare/")),
            "{page}"
        );
    }
}

#[tokio::test]
async fn a_comparison_as_markdown_is_one_table_whatever_metrics_are_called() {
    let server = server().await;
    let mut runs = Vec::new();
    for name in ["a\n| b", "c"] {
        let body = json!({ "name": name });
        let made = post(&server, "/v1/runs", body).await.1;
        let run = made["run_id"].as_str().unwrap().to_owned();
        let session = Uuid::new_v4().to_string();
        let metadata = json!({ "run_id": run, "datapoint_id": "d" });
        let body = json!({ "session_id": session, "session_name": name, "metadata": metadata });
        post(&server, "/v1/sessions", body).await;
        let body = json!({
            "event_type": "chain", "event_name": "f", "session_id": session, "inputs": {},
            "metrics": { "p|q\nr": 1 }, "metadata": metadata,
        });
        assert_eq!(post(&server, "/v1/events", body).await.0, 200);
        put(
            &server,
            &format!("/v1/runs/{run}"),
            json!({ "event_ids": [session] }),
        )
        .await;
        runs.push(run);
    }
    let page = get_text(
        &server,
        &format!("/experiments/{}/compare/{}", runs[0], runs[1]),
    )
    .await;
    let copied = page
        .split("data-copy=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(copied.starts_with("## a \\| b against c\n\n"), "{copied}");
    assert!(copied.contains("\n| p\\|q r | "), "{copied}");
}
