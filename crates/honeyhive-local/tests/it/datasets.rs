//! Datasets and datapoints are posted, read and changed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{get, post, put, send, server};

async fn read(server: &honeyhive_local::LocalServer, path: &str) -> Value {
    let response = get(server, path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.json().await.expect("JSON")
}

#[tokio::test]
async fn a_dataset_takes_rows_by_a_mapping_and_lets_go_of_datapoints_without_deleting_them() {
    let server = server().await;
    let (status, made) = post(&server, "/v1/datasets", json!({ "name": "questions" })).await;
    assert_eq!((status, &made["inserted"]), (200, &json!(true)));
    let id = made["result"]["insertedId"].as_str().unwrap().to_owned();
    let rows = json!({
        "data": [{ "q": 1, "a": 2, "chat": [{ "role": "user", "content": "hi" }], "other": 0 }, { "q": 3 }],
        "mapping": { "inputs": ["q"], "ground_truth": ["a"], "history": ["chat"] },
    });
    let (status, added) = post(&server, &format!("/v1/datasets/{id}/datapoints"), rows).await;
    assert_eq!((status, &added["inserted"]), (200, &json!(true)));
    let ids: Vec<&str> = added["datapoint_ids"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(ids.len(), 2);

    let listed = read(&server, &format!("/v1/datasets?dataset_id={id}")).await;
    assert_eq!(listed["datasets"][0]["name"], "questions");
    assert_eq!(listed["datasets"][0]["datapoints"], json!(ids));
    let point = read(&server, &format!("/v1/datapoints/{}", ids[0])).await;
    let point = &point["datapoint"][0];
    assert_eq!(point["inputs"], json!({ "q": 1 }));
    assert_eq!(point["ground_truth"], json!({ "a": 2 }));
    assert_eq!(point["history"][0]["content"], "hi");
    assert_eq!(point["linked_datasets"], json!([id]));

    let path = format!("/v1/datasets/{id}/datapoints/{}", ids[0]);
    let (status, gone) = send(&server, Method::DELETE, &path, &Value::Null).await;
    assert_eq!((status, &gone["dereferenced"]), (200, &json!(true)));
    let legacy = format!("/v1/datasets/{id}/{}", ids[1]);
    assert_eq!(
        send(&server, Method::DELETE, &legacy, &Value::Null).await.0,
        200
    );
    let listed = read(&server, "/v1/datasets?name=questions").await;
    assert_eq!(listed["datasets"][0]["datapoints"], json!([]));
    let point = read(&server, &format!("/v1/datapoints/{}", ids[0])).await;
    assert_eq!(point["datapoint"][0]["linked_datasets"], json!([]));
    assert_eq!(
        send(&server, Method::DELETE, &path, &Value::Null).await.0,
        404
    );
}

#[tokio::test]
async fn a_dataset_is_changed_and_deleted_by_either_spelling_and_unknown_fields_are_named() {
    let server = server().await;
    let (_, made) = post(&server, "/v1/datasets", json!({ "datapoints": ["a"] })).await;
    let id = made["result"]["insertedId"].as_str().unwrap().to_owned();
    let path = format!("/v1/datasets/{id}");
    let (_, changed) = put(
        &server,
        &path,
        json!({ "name": "n", "datapoints": ["b", "c"] }),
    )
    .await;
    assert_eq!(changed["result"]["name"], "n");
    assert_eq!(changed["result"]["datapoints"], json!(["b", "c"]));
    let body = json!({ "dataset_id": id, "description": "d" });
    let (_, changed) = put(&server, "/v1/datasets", body).await;
    assert_eq!(changed["result"]["description"], "d");
    assert_eq!(changed["result"]["datapoints"], json!(["b", "c"]));
    let (status, refused) = put(&server, &path, json!({ "names": "n" })).await;
    assert_eq!(status, 400);
    assert!(refused["message"].as_str().unwrap().contains("`names`"));
    let (status, _) = post(&server, "/v1/datasets", json!({ "name": "n".repeat(201) })).await;
    assert_eq!(status, 400);

    let query = format!("/v1/datasets?dataset_id={id}");
    let (status, gone) = send(&server, Method::DELETE, &query, &Value::Null).await;
    assert_eq!((status, gone), (200, json!({ "result": { "id": id } })));
    assert_eq!(
        read(&server, "/v1/datasets").await,
        json!({ "datasets": [] })
    );
    assert_eq!(put(&server, &path, json!({})).await.0, 404);
}

#[tokio::test]
async fn datapoints_are_found_by_ids_in_both_spellings_and_by_the_name_of_a_dataset() {
    let server = server().await;
    let (_, made) = post(&server, "/v1/datasets", json!({ "name": "set" })).await;
    let dataset = made["result"]["insertedId"].as_str().unwrap().to_owned();
    let mut ids = Vec::new();
    for number in 0..3 {
        let body = json!({ "inputs": { "n": number }, "linked_datasets": [dataset] });
        let (_, made) = post(&server, "/v1/datapoints", body).await;
        ids.push(
            made["result"]["insertedIds"][0]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    for query in [
        format!("datapoint_ids={}&datapoint_ids={}", ids[2], ids[0]),
        format!(
            "datapoint_ids[]={}&datapoint_ids[]={}&dataset_name=set",
            ids[2], ids[0]
        ),
    ] {
        let found = read(&server, &format!("/v1/datapoints?{query}")).await;
        let numbers: Vec<&Value> = found["datapoints"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["inputs"]["n"])
            .collect();
        assert_eq!(numbers, [2, 0], "{query}");
    }
    let found = read(&server, "/v1/datapoints?dataset_name=set").await;
    assert_eq!(found["datapoints"].as_array().unwrap().len(), 3);
    let found = read(&server, "/v1/datapoints?dataset_name=other").await;
    assert_eq!(found["datapoints"], json!([]));

    let path = format!("/v1/datapoints/{}", ids[0]);
    let (_, changed) = put(&server, &path, json!({ "inputs": { "n": 9 } })).await;
    assert_eq!(
        changed,
        json!({ "updated": true, "result": { "modifiedCount": 1 } })
    );
    let (status, gone) = send(&server, Method::DELETE, &path, &Value::Null).await;
    assert_eq!((status, gone), (200, json!({ "deleted": true })));
    let sets = read(&server, "/v1/datasets").await;
    assert_eq!(sets["datasets"][0]["datapoints"], json!([ids[1], ids[2]]));
    assert_eq!(get(&server, &path).await.status(), 404);
}

#[tokio::test]
async fn datapoints_are_made_of_events() {
    let server = server().await;
    let (_, made) = post(&server, "/v1/datasets", json!({})).await;
    let dataset = made["result"]["insertedId"].as_str().unwrap().to_owned();
    let event = json!({ "event_type": "tool", "inputs": { "q": 1 }, "outputs": { "a": 2 } });
    let (_, made) = post(&server, "/v1/events", event).await;
    let event = made["event_id"].clone();
    let body = json!({ "checkState": { event.as_str().unwrap(): true, "other": false }, "dataset_id": dataset });
    let (status, made) = post(&server, "/v1/datapoints/batch", body).await;
    assert_eq!(status, 200, "{made}");
    let id = made["insertedIds"][0].as_str().unwrap();
    let point = read(&server, &format!("/v1/datapoints/{id}")).await;
    assert_eq!(point["datapoint"][0]["linked_event"], event);
    assert_eq!(point["datapoint"][0]["ground_truth"], json!({ "a": 2 }));
    let all = json!({ "selectAll": true, "filters": { "field": "event_type", "operator": "is", "value": "tool" } });
    let (_, made) = post(&server, "/v1/datapoints/batch", all).await;
    assert_eq!(made["insertedIds"].as_array().unwrap().len(), 1);
}
