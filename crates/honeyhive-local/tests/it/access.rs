//! Callers have permissions, and some data is shown to nobody.

use honeyhive_local::{LocalServer, StartError};
use serde_json::json;

use crate::client::{SESSION, answer, get, get_text, http, server};

const KEY: &str = "hh_very_secret_key";

async fn locked() -> LocalServer {
    let server = LocalServer::builder().api_key(KEY).start();
    server.await.unwrap()
}

async fn start_with(server: &LocalServer, authorization: Option<&str>) -> u16 {
    let body = json!({ "session_id": SESSION, "session_name": format!("leak {KEY}") });
    let mut request = http().post(server.url() + "/v1/sessions").json(&body);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let (status, answer) = answer(request.send().await.unwrap()).await;
    assert!(status == 200 || answer["message"].is_string());
    status
}

#[tokio::test]
async fn a_wrong_or_missing_key_is_unauthorized() {
    let server = locked().await;
    for wrong in [
        None,
        Some("Bearer "),
        Some("Bearer nope"),
        Some(KEY),
        Some("Basic hh_very_secret_key"),
    ] {
        assert_eq!(start_with(&server, wrong).await, 401, "{wrong:?}");
    }
    assert_eq!(server.stats().sessions, 0);
    assert_eq!(
        start_with(&server, Some(&format!("Bearer {KEY}"))).await,
        200
    );
    assert_eq!(get(&server, "/projects").await.status(), 401);
    assert_eq!(get(&server, "/healthz").await.status(), 200);
    let authorized: Vec<bool> = server.requests().iter().map(|r| r.authorized).collect();
    assert_eq!(authorized, [false, false, false, false, false, true, false]);
}

#[tokio::test]
async fn where_no_key_is_set_any_will_do() {
    let server = server().await;
    assert_eq!(start_with(&server, None).await, 200);
    assert_eq!(start_with(&server, Some("Bearer anything")).await, 200);
    assert_eq!(get(&server, "/projects").await.status(), 200);
}

#[tokio::test]
async fn the_key_is_shown_nowhere() {
    let builder = LocalServer::builder().api_key(KEY);
    assert!(!format!("{builder:?}").contains(KEY));
    let server = builder.start().await.unwrap();
    start_with(&server, Some(&format!("bearer {KEY}"))).await;
    assert!(!format!("{server:?}").contains(KEY));
    let request = &server.requests()[0];
    assert_eq!(request.header("Authorization"), Some("Bearer <redacted>"));
    let session_page = format!("/sessions/{SESSION}");
    let session_json = format!("/api/sessions/{SESSION}");
    for path in [
        "/",
        "/api/sessions",
        "/api/requests",
        &session_page,
        &session_json,
    ] {
        let text = get_text(&server, path).await;
        assert!(!text.contains(KEY), "{path}");
        assert!(text.contains("redacted"), "{path}");
    }
}

#[tokio::test]
async fn the_read_side_is_only_served_under_a_loopback_name() {
    let server = locked().await;
    let ask = async |path: &str, host: &str| {
        let request = http().get(server.url() + path).header("host", host);
        request.send().await.unwrap().status().as_u16()
    };
    for path in ["/", "/api/requests", "/assets/style.css"] {
        for own in [
            "localhost",
            "LOCALHOST:7777",
            "127.0.0.1:80",
            "127.8.8.8",
            "[::1]:7777",
        ] {
            assert_eq!(ask(path, own).await, 200, "{own}");
        }
        for foreign in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "10.0.0.1",
        ] {
            assert_eq!(ask(path, foreign).await, 403, "{foreign}");
        }
    }
}

#[tokio::test]
async fn another_address_than_loopback_has_to_be_allowed() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let refused = LocalServer::builder()
        .address(everywhere)
        .start()
        .await
        .unwrap_err();
    assert!(matches!(refused, StartError::NotLoopback { .. }));
    assert!(refused.to_string().contains("allow_remote"));

    let open = LocalServer::builder()
        .address(everywhere)
        .allow_remote(true);
    let refused = open.start().await.unwrap_err();
    assert!(matches!(refused, StartError::RemoteWithoutKey { .. }));
    assert!(refused.to_string().contains("HH_LOCAL_API_KEY"));

    let allowed = LocalServer::builder()
        .address(everywhere)
        .allow_remote(true)
        .api_key(KEY);
    let server = allowed.start().await.unwrap();
    assert!(server.url().starts_with("http://127.0.0.1:"));
    assert_eq!(get(&server, "/api/sessions").await.status(), 401);
    let request = http().get(server.url() + "/api/sessions").bearer_auth(KEY);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let first = server().await;
    let second = LocalServer::builder()
        .port(first.address().port())
        .start()
        .await;
    let error = second.unwrap_err();
    assert!(matches!(error, StartError::Bind { .. }));
    assert!(error.to_string().contains(&first.address().to_string()));
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_told_apart() {
    let server = server().await;
    for path in [
        "/nope",
        "/v1",
        "/v1/events/a/b",
        "/opentelemetry/v1/profiles",
        "//",
    ] {
        assert_eq!(get(&server, path).await.status(), 404, "{path}");
    }
    let wrong = get(&server, "/v1/sessions").await;
    assert_eq!(wrong.status(), 405);
    assert_eq!(wrong.headers()["allow"], "POST");
    assert_eq!(server.requests().len(), 6, "mistakes are recorded too");
}
