//! Nothing grows without end.

use honeyhive_local::LocalServer;
use serde_json::json;

use crate::client::{
    OTHER, SESSION, TRACES, export, gzip, http, post, session_span, span, start_session,
};

#[tokio::test]
async fn the_oldest_session_goes_first_with_its_events() {
    let server = LocalServer::builder()
        .max_sessions(1)
        .start()
        .await
        .unwrap();
    start_session(&server, SESSION).await;
    post(&server, TRACES, export(vec![session_span(1, 0, "op")])).await;
    start_session(&server, OTHER).await;
    assert!(server.session(SESSION).is_none());
    assert!(server.events(SESSION).is_empty());
    let stats = server.stats();
    assert_eq!((stats.sessions, stats.dropped_sessions), (1, 1));
    assert_eq!((stats.events, stats.dropped_events), (0, 1));
    post(&server, TRACES, export(vec![session_span(1, 0, "op")])).await;
    assert_eq!(server.stats().orphans, 1);
}

#[tokio::test]
async fn the_oldest_events_go_first_orphans_included() {
    let server = LocalServer::builder().max_events(2).start().await.unwrap();
    start_session(&server, SESSION).await;
    let spans = vec![
        span(1, 0, "orphan", vec![]),
        session_span(2, 0, "a"),
        session_span(3, 0, "b"),
        session_span(4, 0, "c"),
    ];
    post(&server, TRACES, export(spans)).await;
    let names: Vec<_> = server
        .events(SESSION)
        .into_iter()
        .map(|e| e.event_name)
        .collect();
    assert_eq!(names, ["b", "c"]);
    assert_eq!(
        (server.stats().orphans, server.stats().dropped_events),
        (0, 2)
    );
}

#[tokio::test]
async fn requests_are_bounded_by_number_and_by_bytes() {
    let server = LocalServer::builder()
        .max_requests(3)
        .max_request_bytes(2200);
    let server = server.start().await.unwrap();
    for round in 0..5 {
        post(
            &server,
            "/v1/sessions",
            json!({ "inputs": { "round": round } }),
        )
        .await;
    }
    let sequences: Vec<u64> = server.requests().iter().map(|r| r.sequence).collect();
    assert_eq!(sequences, [3, 4, 5]);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.status == Some(200))
    );
    post(
        &server,
        "/v1/sessions",
        json!({ "inputs": { "x": "y".repeat(4000) } }),
    )
    .await;
    assert!(server.requests().is_empty());
    assert_eq!(
        (server.stats().requests, server.stats().dropped_requests),
        (6, 6)
    );
    assert_eq!(
        server.stats().sessions,
        6,
        "what was asked for was still done"
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large_also_once_decompressed() {
    let server = LocalServer::builder()
        .max_body_bytes(1000)
        .start()
        .await
        .unwrap();
    let bomb = gzip(&vec![b' '; 100_000]);
    assert!(bomb.len() < 1000);
    let url = server.url() + "/v1/sessions";
    let large = http().post(&url).body(vec![b' '; 2000]);
    let packed = http()
        .post(&url)
        .header("content-encoding", "gzip")
        .body(bomb);
    for request in [large, packed] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 413);
        assert!(response.text().await.unwrap().contains("message"));
    }
    let fits = http().post(&url).body(format!("{{}}{}", " ".repeat(998)));
    assert_eq!(fits.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn numbers_that_no_sum_holds_count_as_none_and_the_server_goes_on() {
    let server = LocalServer::builder().max_events(5).start().await.unwrap();
    start_session(&server, SESSION).await;
    let (least, most) = (i64::MIN, i64::MAX);
    let metadata = [
        json!({ "input_tokens": most, "output_tokens": 1 }),
        json!({ "total_tokens": most }),
        json!({ "total_tokens": most }),
        json!({ "total_tokens": least, "input_tokens": least }),
        json!({ "cost": 1e308 }),
        json!({ "cost": 1e308 }),
        // From here on the oldest make room, and are taken off the sums.
        json!({ "cost": 0.5, "input_tokens": 3, "output_tokens": 4 }),
        json!({ "cost": -1e308, "prompt_tokens": 1e308 }),
    ];
    for metadata in metadata {
        let body = json!({ "session_id": SESSION, "event_type": "model", "inputs": {}, "metadata": metadata });
        let (status, answer) = post(&server, "/v1/events", body).await;
        assert_eq!(status, 200, "{metadata}: {answer}");
    }
    let listed = http().get(server.url() + "/api/sessions").send().await;
    let listed: serde_json::Value = listed.unwrap().json().await.unwrap();
    let session = &listed["sessions"][0];
    assert_eq!(
        (&session["tokens"], &session["cost"]),
        (&json!(7), &json!(0.5))
    );
    assert_eq!(server.events(SESSION).len(), 5);
}

#[tokio::test]
async fn a_list_has_the_beginning_of_a_text_of_any_length() {
    let server = LocalServer::builder().start().await.unwrap();
    let long = "long ".repeat(20_000);
    let session = json!({
        "session_id": SESSION, "session_name": long, "source": long, "inputs": { "q": long },
        "metadata": { "error": long, "outcome": long }, "user_properties": { "user_id": long },
    });
    post(&server, "/v1/sessions", session).await;
    let event = json!({
        "session_id": SESSION, "event_name": long, "event_type": "model", "inputs": {}, "error": long,
        "config": { "model": long, "provider": long },
    });
    post(&server, "/v1/events", event).await;
    let pages = ["/", "/sessions", "/api/sessions"].map(|path| server.url() + path);
    for page in pages {
        let text = http()
            .get(&page)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(text.contains("long long"), "{page}");
        assert!(text.len() < long.len() / 2, "{page}: {}", text.len());
    }
    assert_eq!(server.session(SESSION).unwrap().name, Some(long.clone()));
    assert_eq!(server.events(SESSION)[0].event_name, long);
}
