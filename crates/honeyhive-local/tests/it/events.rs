//! Events are posted, read and found over the REST API.

use serde_json::{Value, json};

use crate::client::{
    OTHER, SESSION, TRACES, export, get, post, send, server, session_span, start_session,
};

#[tokio::test]
async fn a_posted_event_names_its_parent_in_upper_case_too() {
    let above = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
    let server = server().await;
    start_session(&server, SESSION).await;
    for (id, name, parent) in [
        (above, "above", SESSION),
        ("77777777-7777-4777-8777-77777777777a", "below", above),
    ] {
        let body = json!({
            "event_id": id.to_uppercase(), "event_name": name, "event_type": "tool", "inputs": {},
            "duration": 1, "session_id": SESSION.to_uppercase(), "parent_id": parent.to_uppercase(),
        });
        let (status, answer) = post(&server, "/v1/events", body).await;
        assert_eq!(status, 200, "{answer}");
    }
    let tree = server.tree(SESSION);
    assert!(
        tree.ends_with("\n  above [tool]\n    below [tool]\n"),
        "{tree}"
    );
}

#[tokio::test]
async fn a_posted_event_gets_an_id_a_parent_and_defaults() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let body = json!({ "event_type": "model", "inputs": { "q": 1 }, "session_id": SESSION, "duration": 5 });
    let (status, made) = post(&server, "/v1/events", body).await;
    assert_eq!((status, &made["success"]), (200, &json!(true)));
    let id = made["event_id"].as_str().unwrap();
    let event: Value = get(&server, &format!("/v1/events/{id}"))
        .await
        .json()
        .await
        .unwrap();
    let event = &event["event"];
    assert_eq!(event["parent_id"], SESSION);
    assert_eq!(
        (&event["event_name"], &event["source"]),
        (&json!("unknown"), &json!("unknown"))
    );
    assert_eq!(event["duration"], 5.0);
    assert_eq!(
        server.tree(SESSION),
        format!("{SESSION}\n  unknown [model]\n")
    );
    let session: Value = get(&server, &format!("/v1/events/{SESSION}"))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(session["event"]["event_type"], "session");
    assert_eq!(get(&server, "/v1/events/none").await.status(), 400);
    assert_eq!(
        get(&server, &format!("/v1/events/{OTHER}")).await.status(),
        404
    );
}

#[tokio::test]
async fn an_id_that_names_nothing_is_replaced_as_a_missing_one() {
    let server = server().await;
    let long = "x".repeat(257);
    for nothing in ["", " ", "a\u{0}b", &long] {
        let event = json!({ "event_id": nothing, "session_id": nothing, "event_type": "tool", "inputs": {} });
        let (status, made) = post(&server, "/v1/events", event).await;
        assert_eq!(status, 200, "{nothing:?}");
        let id = made["event_id"].as_str().unwrap();
        assert!(uuid::Uuid::try_parse(id).is_ok(), "{nothing:?}: {id}");
    }
    for orphan in server.orphans() {
        assert!(
            uuid::Uuid::try_parse(&orphan.session_id).is_ok(),
            "{orphan:?}"
        );
    }
}

#[tokio::test]
async fn strict_routes_name_what_they_do_not_take_and_legacy_ones_take_it() {
    let server = server().await;
    let event = json!({ "event_type": "tool", "inputs": {}, "project": "p", "custom": 1 });
    for (path, body) in [
        ("/v1/events", event.clone()),
        ("/v1/events/batch", json!({ "events": [event] })),
        (
            &*format!("/v1/sessions/{SESSION}/events/batch"),
            json!({ "events": [event] }),
        ),
    ] {
        let (status, answer) = post(&server, path, body).await;
        assert_eq!(status, 400, "{path}");
        assert!(
            answer["message"]
                .as_str()
                .unwrap()
                .contains("`custom`, `project`"),
            "{answer}"
        );
    }
    for (path, body, said) in [
        ("/v1/events", json!({ "inputs": {} }), "`event_type`"),
        (
            "/v1/events",
            json!({ "event_type": "x", "inputs": {} }),
            "`event_type`",
        ),
        (
            "/v1/events/batch",
            json!({ "events": [], "is_single_session": true }),
            "`is_single_session`",
        ),
        (
            "/v1/events/search",
            json!({ "projections": [] }),
            "`projections`",
        ),
        ("/v1/events/search", json!({ "limit": 1001 }), "`limit`"),
        (
            "/v1/events/search",
            json!({ "filters": [{ "field": "a", "operator": "is_not" }] }),
            "`operator`",
        ),
    ] {
        let (status, answer) = post(&server, path, body).await;
        assert_eq!(status, 400, "{path}");
        assert!(
            answer["message"].as_str().unwrap().contains(said),
            "{answer}"
        );
    }
    assert_eq!(server.stats().events + server.stats().orphans, 0);
    let (status, made) = post(&server, "/events", json!({ "event": event })).await;
    assert_eq!((status, &made["success"]), (200, &json!(true)));
    let (status, made) = post(
        &server,
        "/events/batch",
        json!({ "events": [event], "is_single_session": true }),
    )
    .await;
    assert_eq!(status, 200);
    assert!(
        server
            .session(made["session_id"].as_str().unwrap())
            .is_some()
    );
}

#[tokio::test]
async fn a_batch_goes_to_one_session_where_it_says_so() {
    let server = server().await;
    let event = json!({ "event_type": "tool", "inputs": {}, "session_id": OTHER });
    let body = json!({
        "events": [event, event], "single_session": true, "session_properties": { "session_name": "all" },
    });
    let (_, made) = post(&server, "/v1/events/batch", body).await;
    assert_eq!(made["event_ids"].as_array().unwrap().len(), 2);
    let session = made["session_id"].as_str().unwrap();
    assert_eq!(
        server.session(session).unwrap().name.as_deref(),
        Some("all")
    );
    assert_eq!(server.events(session).len(), 2);
    let other = json!({ "event_type": "tool", "inputs": {}, "session_id": SESSION });
    for (events, answered) in [
        ([&event, &event], json!(OTHER)),
        ([&event, &other], Value::Null),
    ] {
        let (_, made) = post(&server, "/v1/events/batch", json!({ "events": events })).await;
        assert_eq!(made["session_id"], answered, "the session that all are of");
    }

    start_session(&server, SESSION).await;
    let path = format!("/v1/sessions/{SESSION}/events/batch");
    let (status, made) = post(&server, &path, json!({ "events": [event] })).await;
    assert_eq!((status, made), (200, json!({ "success": true })));
    assert_eq!(server.events(SESSION).len(), 1);
    let path = format!("/session/{SESSION}/traces");
    assert_eq!(
        post(&server, &path, json!({ "logs": [event] })).await.0,
        200
    );
    assert_eq!(post(&server, &path, json!({})).await.0, 400);
    assert_eq!(
        post(&server, &path, json!({ "logs": [], "events": [] }))
            .await
            .0,
        400
    );
    assert_eq!(server.events(SESSION).len(), 2);
}

#[tokio::test]
async fn a_model_event_is_kept_under_the_names_of_an_event() {
    let server = server().await;
    let event = json!({ "model": "gpt", "messages": [{ "role": "user", "content": "hi" }], "response": { "text": "yo" }, "cost": 0.5 });
    let (_, made) = post(&server, "/events/model", json!({ "model_event": event })).await;
    let path = format!("/v1/events/{}", made["event_id"].as_str().unwrap());
    let event: Value = get(&server, &path).await.json().await.unwrap();
    let event = &event["event"];
    assert_eq!(
        (&event["event_type"], &event["config"]["model"]),
        (&json!("model"), &json!("gpt"))
    );
    assert_eq!(event["inputs"]["chat_history"][0]["content"], "hi");
    assert_eq!(event["outputs"]["response"]["text"], "yo");
    assert_eq!(event["metadata"]["cost"], 0.5);
}

#[tokio::test]
async fn search_knows_all_operators_and_pages_by_start_time() {
    let server = server().await;
    let metadata = json!({ "plan": "pro", "n": 5, "ok": true, "gone": null, "deep": { "x": "y" } });
    let body = json!({ "session_id": SESSION, "session_name": "chat", "metadata": metadata, "start_time": 1000 });
    post(&server, "/v1/sessions", body).await;
    let spans = (1..=3)
        .map(|id| session_span(id, 0, &format!("span {id}")))
        .collect();
    post(&server, TRACES, export(spans)).await;
    let find = async |filters: Value| {
        let (status, found) =
            post(&server, "/v1/events/search", json!({ "filters": filters })).await;
        assert_eq!(status, 200, "{found}");
        let events = found["events"].as_array().unwrap().clone();
        assert_eq!(found["count"], events.len());
        let names = events
            .into_iter()
            .map(|event| event["event_name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    let filter = |field: &str, operator: &str, value: Value| json!([{ "field": field, "operator": operator, "value": value }]);
    let spans = ["span 3", "span 2", "span 1"];
    for (field, operator, value, expected) in [
        ("event_type", "is", json!("tool"), &spans[..]),
        ("event_type", "is not", json!("tool"), &["chat"]),
        ("event_name", "contains", json!("SPAN"), &spans),
        (
            "event_name",
            "not contains",
            json!("2"),
            &["span 3", "span 1", "chat"],
        ),
        ("metadata.plan", "is", json!("pro"), &["chat"]),
        ("metadata.ok", "is", json!(true), &["chat"]),
        ("metadata.deep.x", "exists", Value::Null, &["chat"]),
        ("metadata.deep.x", "not exists", Value::Null, &spans),
        ("metadata.n", "greater than", json!(4.5), &["chat"]),
        ("metadata.n", "less than", json!("4"), &[]),
        ("start_time", "before", json!("1970-01-02"), &["chat"]),
        (
            "error",
            "is",
            Value::Null,
            &["span 3", "span 2", "span 1", "chat"],
        ),
    ] {
        let kind = if operator == "before" {
            "datetime"
        } else {
            "string"
        };
        let mut filters = filter(field, operator, value);
        if operator == "before" {
            filters[0]["type"] = kind.into();
        }
        assert_eq!(find(filters).await, expected, "{field} {operator}");
    }
    let both = json!([
        filter("event_type", "is", json!("tool"))[0],
        filter("event_name", "contains", json!("2"))[0]
    ]);
    assert_eq!(find(both).await, ["span 2"], "all conditions must hold");

    let (_, page) = post(
        &server,
        "/v1/events/search",
        json!({ "limit": 1, "page": 2 }),
    )
    .await;
    assert_eq!(
        (&page["events"][0]["event_name"], &page["count"]),
        (&json!("span 2"), &json!(4))
    );
    let range = json!({ "start_time": "1970-01-01T00:00:01Z", "end_time": "1970-01-01T00:00:01Z" });
    let (_, found) = post(&server, "/v1/events/search", json!({ "dateRange": range })).await;
    assert_eq!(found["count"], 1, "both ends are included");
    let body = json!({ "filters": [], "projections": ["event_name"], "limit": 7500 });
    let (_, exported) = post(&server, "/v1/events/export", body).await;
    assert_eq!(exported["events"][3], json!({ "event_name": "chat" }));
    assert_eq!(
        (&exported["totalEvents"], &exported["count"]),
        (&json!(4), &json!(4))
    );
    let schema: Value = get(&server, "/v1/events/schema")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(schema["mappings"].as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn the_routes_of_a_project_take_the_data_plane_key_and_no_other_does() {
    use honeyhive_local::LocalServer;
    use reqwest::Method;
    let server = LocalServer::builder()
        .api_key("hh_project")
        .ingestion_api_key("hh_ingst_x")
        .data_plane_api_key("hh_fgdp_x");
    let server = server.start().await.unwrap();
    let ask = async |method: Method, path: &str, key: &str, body: Value| {
        let request = crate::client::http().request(method, server.url() + path);
        crate::client::answer(request.bearer_auth(key).json(&body).send().await.unwrap()).await
    };
    let keys = ["hh_project", "hh_ingst_x", "hh_fgdp_x", "wrong"];
    for (method, path, body, allowed) in [
        (
            Method::POST,
            "/v1/sessions",
            json!({}),
            [200, 200, 401, 401],
        ),
        (
            Method::POST,
            "/v1/events/search",
            json!({}),
            [200, 401, 401, 401],
        ),
        (Method::GET, "/v1/datasets", json!({}), [200, 401, 401, 401]),
        (
            Method::GET,
            "/v1/projects/p/datasets",
            json!({}),
            [401, 401, 200, 401],
        ),
        (
            Method::POST,
            "/v1/projects/p/runs",
            json!({}),
            [401, 401, 200, 401],
        ),
    ] {
        for (key, status) in keys.iter().zip(allowed) {
            assert_eq!(
                ask(method.clone(), path, key, body.clone()).await.0,
                status,
                "{path} {key}"
            );
        }
    }
    let key = "hh_fgdp_x";
    let (_, made) = ask(
        Method::POST,
        "/v1/projects/p/runs",
        key,
        json!({ "name": "r" }),
    )
    .await;
    let path = format!("/v1/projects/p/runs/{}", made["run_id"].as_str().unwrap());
    let body = json!({ "status": "completed" });
    assert_eq!(
        ask(Method::PATCH, &path, key, body.clone()).await.1["evaluation"]["status"],
        "completed"
    );
    assert_eq!(ask(Method::PUT, &path, key, body).await.0, 405);
    let (_, made) = ask(
        Method::POST,
        "/v1/projects/p/charts",
        key,
        json!({ "name": "c", "metric": "m" }),
    )
    .await;
    let path = format!(
        "/v1/projects/p/charts/{}",
        made["data"]["id"].as_str().unwrap()
    );
    let (status, changed) = ask(Method::PATCH, &path, key, json!({ "func": "avg" })).await;
    assert_eq!((status, &changed["data"]["func"]), (200, &json!("avg")));
    let _ = send(&server, Method::GET, "/", &Value::Null).await;
}
