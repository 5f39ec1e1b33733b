//! Metrics, configurations, queues and charts are records.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{get, post, put, send, server};

#[tokio::test]
async fn a_metric_has_versions_of_which_one_is_deployed() {
    let server = server().await;
    let body = json!({ "name": "right", "type": "PYTHON", "criteria": "c" });
    let (status, made) = post(&server, "/v1/metrics", body.clone()).await;
    assert_eq!((status, &made["inserted"]), (200, &json!(true)));
    let id = made["metric_id"].as_str().unwrap().to_owned();
    let listed: Value = get(&server, "/v1/metrics?type=PYTHON")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(listed["metrics"][0]["sampling_percentage"], 10);
    let path = format!("/v1/metrics/{id}/versions");
    for (message, criteria, now) in [("one", "c1", false), ("two", "c2", true)] {
        let content = json!({ "name": "right", "type": "PYTHON", "criteria": criteria });
        let body = json!({ "message": message, "content": content, "deploy_immediately": now });
        let (status, made) = post(&server, &path, body).await;
        assert_eq!(
            (status, &made["data"]["deployed"]),
            (200, &json!(now)),
            "{made}"
        );
    }
    let listed: Value = get(&server, &format!("/v1/metrics?id={id}"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(listed["metrics"][0]["criteria"], "c2");
    let (_, deployed) = post(&server, &format!("{path}/v1/deploy"), Value::Null).await;
    assert_eq!(deployed["data"]["deployed"], true);
    let versions: Value = get(&server, &path).await.json().await.unwrap();
    let deployed: Vec<&Value> = versions["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["deployed"])
        .collect();
    assert_eq!(deployed, [true, false]);
    let llm = json!({ "message": "m", "content": { "name": "n", "type": "LLM", "criteria": "c" } });
    assert_eq!(post(&server, &path, llm).await.0, 400);
    assert_eq!(
        post(&server, &format!("{path}/v9/deploy"), Value::Null)
            .await
            .0,
        404
    );

    assert_eq!(
        put(
            &server,
            &format!("/v1/metrics/{id}"),
            json!({ "description": "d" })
        )
        .await
        .1,
        json!({ "updated": true })
    );
    assert_eq!(
        put(&server, "/v1/metrics", json!({ "id": id, "nope": 1 }))
            .await
            .0,
        400
    );
    let composite = json!({ "name": "n", "type": "COMPOSITE", "criteria": "c" });
    assert_eq!(post(&server, "/v1/metrics", composite).await.0, 400);
    let query = format!("/v1/metrics?metric_id={id}");
    assert_eq!(
        send(&server, Method::DELETE, &query, &Value::Null).await.1,
        json!({ "deleted": true })
    );
    assert_eq!(get(&server, &path).await.status(), 404);
}

#[tokio::test]
async fn a_metric_is_tried_as_far_as_no_program_has_to_run() {
    let server = server().await;
    let criteria = "event['outputs']['a'] == event['feedback']['ground_truth']";
    let metric = json!({ "name": "n", "type": "PYTHON", "criteria": criteria });
    let event =
        json!({ "event_type": "tool", "outputs": { "a": 1 }, "feedback": { "ground_truth": 1 } });
    let (status, tried) = post(
        &server,
        "/v1/metrics/run",
        json!({ "metric": metric, "event": event }),
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(
        tried,
        json!({ "success": true, "loading": false, "result": true, "explanation": null })
    );
    let (status, tried) = post(
        &server,
        "/v1/metrics/run_metric",
        json!({ "metric": metric, "event": {} }),
    )
    .await;
    assert_eq!(
        (status, &tried["success"], &tried["result"]),
        (200, &json!(false), &Value::Null)
    );
    assert!(
        tried["explanation"]
            .as_str()
            .unwrap()
            .contains("ground truth")
    );
}

#[tokio::test]
async fn configurations_have_environments_and_counts() {
    let server = server().await;
    let parameters = json!({ "call_type": "chat", "model": "m", "template": [{ "role": "system", "content": "x" }] });
    let body = json!({ "name": "p", "provider": "openai", "parameters": parameters, "env": ["prod"], "tags": ["t"] });
    let (_, made) = post(&server, "/v1/configurations", body.clone()).await;
    assert_eq!(made["acknowledged"], true);
    let id = made["insertedId"].as_str().unwrap().to_owned();
    for (query, count) in [
        ("", 1),
        ("?env=prod&name=p&tags=t", 1),
        ("?env=dev", 0),
        ("?name=q", 0),
    ] {
        let listed: Value = get(&server, &format!("/v1/configurations{query}"))
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(
            listed["configurations"].as_array().unwrap().len(),
            count,
            "{query}"
        );
    }
    let path = format!("/v1/configurations/{id}");
    let (_, changed) = put(&server, &path, json!({ "name": "q" })).await;
    assert_eq!(
        (&changed["modifiedCount"], &changed["upsertedId"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(
        put(&server, &path, json!({ "tags": [] })).await.0,
        400,
        "the name is needed"
    );
    let mut wrong = body.clone();
    wrong["env"] = json!(["test"]);
    assert_eq!(post(&server, "/v1/configurations", wrong).await.0, 400);
    let (_, gone) = send(&server, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(gone, json!({ "acknowledged": true, "deletedCount": 1 }));
}

#[tokio::test]
async fn queues_answer_201_and_take_their_id_twice() {
    let server = server().await;
    let (status, made) = post(
        &server,
        "/v1/queues",
        json!({ "name": "q", "event_ids": ["a"] }),
    )
    .await;
    assert_eq!(status, 201);
    let id = made["queue"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/queues/{id}");
    let queue: Value = get(&server, &path).await.json().await.unwrap();
    assert_eq!(
        (&queue["name"], &queue["enabled"]),
        (&json!("q"), &json!(true)),
        "there is no wrapper"
    );
    assert_eq!(
        put(&server, &path, json!({ "enabled": false })).await.0,
        400
    );
    let (_, changed) = put(
        &server,
        &path,
        json!({ "id": id, "enabled": false, "add_event_ids": ["b"] }),
    )
    .await;
    assert_eq!(changed["queue"]["enabled"], false);
    let listed: Value = get(&server, "/v1/queues?enabled=true")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(listed["queues"], json!([]));
    assert_eq!(
        send(&server, Method::DELETE, &path, &Value::Null).await.0,
        200
    );
    assert_eq!(get(&server, &path).await.status(), 404);
}

#[tokio::test]
async fn charts_are_kept_in_envelopes() {
    let server = server().await;
    let (_, made) = post(
        &server,
        "/v1/charts",
        json!({ "name": "c", "metric": "duration" }),
    )
    .await;
    assert_eq!(
        (&made["success"], &made["data"]["bucketing"]),
        (&json!(true), &json!("day"))
    );
    let path = format!("/v1/charts/{}", made["data"]["id"].as_str().unwrap());
    assert_eq!(
        put(&server, &path, json!({ "bucketing": "auto" })).await.1["data"]["bucketing"],
        "auto"
    );
    assert_eq!(
        put(&server, &path, json!({ "bucketing": "year" })).await.0,
        400
    );
    let listed: Value = get(&server, "/v1/charts").await.json().await.unwrap();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        send(&server, Method::DELETE, &path, &Value::Null).await.1["success"],
        true
    );
    assert_eq!(get(&server, &path).await.status(), 404);
}

#[tokio::test]
async fn otlp_metrics_and_logs_are_answered_and_counted() {
    let server = server().await;
    let point = json!({ "asInt": "1" });
    let metrics = json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [
        { "name": "m", "sum": { "dataPoints": [point, point] } }, { "name": "n", "gauge": { "dataPoints": [point] } },
    ] }] }] });
    for path in ["/v1/metrics", "/opentelemetry/v1/metrics"] {
        assert_eq!(
            post(&server, path, metrics.clone()).await,
            (200, json!({})),
            "{path}"
        );
    }
    let logs = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [{}, {}] }] }] });
    for path in ["/v1/logs", "/opentelemetry/v1/logs"] {
        assert_eq!(post(&server, path, logs.clone()).await.0, 200, "{path}");
    }
    // The bytes are resource_metrics { scope_metrics { metrics { gauge { data_points {} } } } }.
    let body: &[u8] = &[0x0a, 0x08, 0x12, 0x06, 0x12, 0x04, 0x2a, 0x02, 0x0a, 0x00];
    let request = crate::client::http().post(server.url() + "/v1/metrics");
    let request = request
        .header("content-type", "application/x-protobuf")
        .body(body);
    assert_eq!(request.send().await.unwrap().status(), 200);
    let stats = server.stats();
    assert_eq!((stats.data_points, stats.log_records), (7, 4));
    assert_eq!((stats.events, stats.orphans), (0, 0));
}
