//! Sessions and events are updated.

use serde_json::json;

use crate::client::{
    OTHER, SESSION, TRACES, export, post, put, server, session_span, start_session,
};

#[tokio::test]
async fn an_update_merges_deeply_and_the_last_write_wins() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let path = format!("/v1/events/{SESSION}");
    let first = json!({
        "metadata": { "a": { "x": 1 } }, "metrics": { "score": 0.5 }, "feedback": { "rating": 5 },
        "outputs": { "status_code": 200 }, "config": { "model": "m" },
        "user_properties": { "u": 1 }, "duration": 12.5, "end_time": 2000,
        "children_ids": [OTHER],
    });
    let second = json!({ "metadata": { "a": { "x": 2, "y": null } }, "duration": null });
    assert_eq!(put(&server, &path, first).await.0, 200);
    let (status, answer) = put(
        &server,
        &path.to_uppercase().replace("/V1/EVENTS", "/v1/events"),
        second,
    )
    .await;
    assert_eq!((status, answer), (200, json!({ "success": true })));

    let session = server.session(SESSION).unwrap();
    assert_eq!(
        json!(session.metadata),
        json!({ "a": { "x": 2, "y": null } })
    );
    assert_eq!(session.metrics["score"], 0.5);
    assert_eq!(session.feedback["rating"], 5);
    assert_eq!(session.outputs["status_code"], 200);
    assert_eq!(session.config["model"], "m");
    assert_eq!(session.user_properties["u"], 1);
    assert_eq!(
        (session.duration, session.end_time),
        (Some(12.5), Some(2000.0))
    );
    assert_eq!(session.children_ids, [OTHER]);
    assert_eq!(session.updates, 2);
}

#[tokio::test]
async fn inputs_and_error_are_silently_ignored() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let body = json!({ "inputs": { "q": 1 }, "error": "boom", "anything": [1] });
    assert_eq!(
        put(&server, &format!("/v1/events/{SESSION}"), body).await.0,
        200
    );
    let session = server.session(SESSION).unwrap();
    assert!(session.inputs.is_empty());
    assert_eq!(session.error, None);
}

#[tokio::test]
async fn the_legacy_route_takes_the_id_in_the_body() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let body = json!({ "event_id": SESSION, "outputs": { "ok": true } });
    assert_eq!(put(&server, "/events", body).await.0, 200);
    assert_eq!(server.session(SESSION).unwrap().outputs["ok"], true);
    assert_eq!(
        put(&server, "/events", json!({ "outputs": {} })).await.0,
        400
    );
}

#[tokio::test]
async fn an_event_can_be_updated_like_a_session() {
    let server = server().await;
    start_session(&server, SESSION).await;
    post(&server, TRACES, export(vec![session_span(1, 0, "op")])).await;
    let id = server.events(SESSION)[0].event_id.clone();
    let body = json!({ "metrics": { "score": 1 }, "duration": 9, "end_time": 10 });
    assert_eq!(put(&server, &format!("/v1/events/{id}"), body).await.0, 200);
    let event = &server.events(SESSION)[0];
    assert_eq!(event.metrics["score"], 1);
    assert_eq!((event.duration, event.end_time_ms), (9.0, 10.0));
}

#[tokio::test]
async fn an_unknown_id_is_not_found_where_that_is_asked_for() {
    let server = honeyhive_local::LocalServer::builder();
    let server = server.unknown_updates(honeyhive_local::UnknownUpdates::Refuse);
    let server = server.start().await.unwrap();
    let (status, answer) = put(&server, &format!("/v1/events/{OTHER}"), json!({})).await;
    assert_eq!(status, 404);
    assert!(answer["message"].is_string());
}

#[tokio::test]
async fn outputs_that_are_no_object_are_refused_whole() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let path = format!("/v1/events/{SESSION}");
    for body in [
        json!({ "outputs": "text", "metadata": { "a": 1 } }),
        json!({ "end_time": "now" }),
        json!({ "children_ids": "x" }),
        json!([]),
    ] {
        assert_eq!(put(&server, &path, body).await.0, 400);
    }
    let session = server.session(SESSION).unwrap();
    assert!(session.metadata.is_empty());
    assert_eq!(session.updates, 0);
}

#[tokio::test]
async fn a_later_end_without_a_duration_makes_it_the_time_in_between() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let start = server.session(SESSION).unwrap().start_time;
    let path = format!("/v1/events/{SESSION}");
    let first_turn = json!({ "end_time": start + 100.0, "duration": 100.0 });
    assert_eq!(put(&server, &path, first_turn).await.0, 200);
    let second_turn = json!({ "end_time": start + 900.0 });
    assert_eq!(put(&server, &path, second_turn).await.0, 200);
    assert_eq!(server.session(SESSION).unwrap().duration, Some(900.0));
}

#[tokio::test]
async fn an_update_of_an_unknown_id_is_kept_refused_or_forgotten_as_configured() {
    use honeyhive_local::{LocalServer, UnknownUpdates};
    for (policy, status, arrives) in [
        (UnknownUpdates::Keep, 200, true),
        (UnknownUpdates::Refuse, 404, false),
        (UnknownUpdates::Forget, 200, false),
    ] {
        let server = LocalServer::builder().unknown_updates(policy);
        let server = server.start().await.unwrap();
        let body = json!({ "metadata": { "early": true } });
        let path = format!("/v1/events/{SESSION}");
        assert_eq!(put(&server, &path, body).await.0, status, "{policy:?}");
        start_session(&server, SESSION).await;
        let metadata = server.session(SESSION).unwrap().metadata;
        assert_eq!(metadata.contains_key("early"), arrives, "{policy:?}");
    }
}

#[tokio::test]
async fn outputs_are_replaced_while_null_and_an_empty_list_of_children_do_nothing() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let path = format!("/v1/events/{SESSION}");
    let bodies = [
        json!({ "outputs": { "a": 1, "b": { "c": 1 } }, "children_ids": [OTHER] }),
        json!({ "outputs": { "b": { "d": 2 } } }),
        json!({ "outputs": null, "children_ids": [] }),
    ];
    for body in bodies {
        assert_eq!(put(&server, &path, body).await.0, 200);
    }
    let session = server.session(SESSION).unwrap();
    assert_eq!(json!(session.outputs), json!({ "b": { "d": 2 } }));
    assert_eq!(session.children_ids, [OTHER]);
}
