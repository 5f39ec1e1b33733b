//! Sessions are started.

use serde_json::json;

use crate::client::{OTHER, SESSION, answer, http, post, server};

#[tokio::test]
async fn a_session_is_kept_and_answered_in_full() {
    let server = server().await;
    let body = json!({
        "session_id": SESSION, "session_name": "chat", "source": "dev",
        "inputs": { "q": "x", "n": null }, "outputs": { "a": 1 }, "config": { "model": "m" },
        "metadata": { "m": { "a": 1 } }, "user_properties": { "user_id": "u1" },
        "start_time": 1000, "end_time": 1250.5,
    });
    let (status, answer) = post(&server, "/v1/sessions", body.clone()).await;
    assert_eq!(status, 200);
    for key in ["org_id", "workspace_id", "project_id"] {
        assert!(answer[key].is_string(), "{key}");
    }
    assert_eq!(answer["session_id"], SESSION);
    assert_eq!(answer["event_id"], SESSION);
    assert_eq!(answer["event_type"], "session");
    assert_eq!(answer["event_name"], "chat");
    assert_eq!(answer["start_time"].as_u64(), Some(1000));
    assert_eq!(answer["duration"], 250.5);

    let session = server.session(SESSION).expect("the session");
    assert_eq!(session.name.as_deref(), Some("chat"));
    assert_eq!(session.inputs, *body["inputs"].as_object().unwrap());
    assert_eq!(session.outputs["a"], 1);
    assert_eq!(session.config["model"], "m");
    assert_eq!(session.user_properties["user_id"], "u1");
    assert_eq!((session.posts, session.updates), (1, 0));
    assert_eq!(session.raw, body);
    assert!(!session.auto_created);
}

#[tokio::test]
async fn posting_again_merges_only_metadata_and_user_properties() {
    let server = server().await;
    let first = json!({
        "session_id": SESSION, "session_name": "first", "inputs": { "q": 1 },
        "metadata": { "a": { "x": 1, "y": 1 }, "list": [1, 2] }, "user_properties": { "plan": "free" },
    });
    let second = json!({
        "session_id": SESSION.to_uppercase(), "session_name": "second", "inputs": { "q": 2 },
        "outputs": { "lost": true }, "metadata": { "a": { "y": 2 }, "list": [3] },
        "user_properties": { "plan": "pro", "id": "u" },
    });
    post(&server, "/v1/sessions", first.clone()).await;
    let (_, answer) = post(&server, "/v1/sessions", second).await;
    assert_eq!(answer["event_name"], "first");
    assert_eq!(
        answer["metadata"],
        json!({ "a": { "x": 1, "y": 2 }, "list": [3] })
    );

    let sessions = server.sessions();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].inputs["q"], 1);
    assert!(sessions[0].outputs.is_empty());
    assert_eq!(
        json!(sessions[0].user_properties),
        json!({ "plan": "pro", "id": "u" })
    );
    assert_eq!(sessions[0].posts, 2);
    assert_eq!(sessions[0].raw, first);
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_silently_replaced() {
    let server = server().await;
    let no_uuids = [
        json!("chat-1"),
        json!(null),
        json!(7),
        json!(SESSION.replace('-', "")),
    ];
    for id in no_uuids {
        let (status, answer) = post(&server, "/v1/sessions", json!({ "session_id": id })).await;
        assert_eq!(status, 200);
        let made = answer["session_id"].as_str().unwrap();
        assert_ne!(json!(made), id);
        assert_eq!(made.as_bytes()[14], b'4', "{made}");
        assert!(server.session(made).is_some());
    }
    assert_eq!(server.sessions().len(), 4);
}

#[tokio::test]
async fn a_time_that_is_no_number_silently_becomes_now() {
    let server = server().await;
    let body = json!({ "session_id": SESSION, "start_time": "2020-01-01T00:00:00Z" });
    post(&server, "/v1/sessions", body).await;
    let (_, answer) = post(&server, "/v1/sessions", json!({ "session_id": SESSION })).await;
    assert!(answer["start_time"].as_u64() > Some(1_700_000_000_000));
}

#[tokio::test]
async fn the_legacy_route_takes_the_session_wrapped() {
    let server = server().await;
    let session = json!({ "session_id": SESSION, "session_name": "s", "inputs": { "q": 1 } });
    let (status, answer) = post(&server, "/session/start", json!({ "session": session })).await;
    assert_eq!((status, &answer["session_id"]), (200, &json!(SESSION)));
    assert_eq!(server.sessions()[0].inputs["q"], 1);
    let (status, _) = post(&server, "/session/start", session).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_refused_with_a_message() {
    let server = server().await;
    let refused = [
        json!([]),
        json!("x"),
        json!({ "metadata": "text" }),
        json!({ "inputs": [1] }),
        json!({ "duration": "1 s" }),
        json!({ "children_ids": [1] }),
    ];
    for body in refused {
        let (status, answer) = post(&server, "/v1/sessions", body.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["message"].is_string());
    }
    for body in ["", "{", "\u{fffd}", &"[".repeat(100_000)] {
        let request = http()
            .post(server.url() + "/v1/sessions")
            .body(body.to_owned());
        let (status, answer) = answer(request.send().await.unwrap()).await;
        assert_eq!(status, 400);
        assert!(
            answer["message"]
                .as_str()
                .unwrap()
                .starts_with("invalid JSON")
        );
    }
    assert!(server.sessions().is_empty());
}

#[tokio::test]
async fn without_v1_routes_only_the_legacy_ones_answer() {
    let server = honeyhive_local::LocalServer::builder().without_v1_routes();
    let server = server.start().await.unwrap();
    let session = json!({ "session_id": SESSION });
    assert_eq!(post(&server, "/v1/sessions", session.clone()).await.0, 404);
    let update = crate::client::put(&server, &format!("/v1/events/{OTHER}"), json!({})).await;
    assert_eq!(update.0, 404);
    assert_eq!(
        post(&server, "/session/start", json!({ "session": session }))
            .await
            .0,
        200
    );
    let answered: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(answered, [Some(404), Some(404), Some(200)]);
}

#[tokio::test]
async fn fields_that_are_not_among_the_thirteen_are_refused_by_name_and_the_legacy_route_takes_them()
 {
    let server = server().await;
    let body = json!({
        "session_id": SESSION, "project": "p", "error": "late", "metrics": { "score": 1 },
        "feedback": {}, "event_id": OTHER,
    });
    let (status, answer) = post(&server, "/v1/sessions", body.clone()).await;
    assert_eq!(status, 400);
    let message = answer["message"].as_str().unwrap_or_default();
    for field in ["project", "error", "metrics", "feedback", "event_id"] {
        assert!(message.contains(&format!("`{field}`")), "{message}");
    }
    assert!(server.sessions().is_empty());
    let wrapped = json!({ "session": body });
    assert_eq!(post(&server, "/session/start", wrapped).await.0, 200);
    let session = server.session(SESSION).expect("the session");
    assert_eq!(session.error.as_deref(), Some("late"));
    assert_eq!(session.project.as_deref(), Some("p"));
}
