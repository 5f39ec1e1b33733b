//! Requests that make no sense get an answer in JSON that says why, and never cause a panic.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::server::Server;

async fn refused(
    server: &Server,
    path: &str,
    body: impl Into<reqwest::Body>,
) -> (StatusCode, String) {
    let response = server.post(path).body(body).send().await.unwrap();
    let status = response.status();
    let answer: Value = response.json().await.unwrap();
    (status, answer["error"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_body_that_is_no_chat_message_is_refused() {
    let server = Server::start().await;
    for body in [
        "",
        "hello",
        "[]",
        "{}",
        r#"{"message": ""}"#,
        r#"{"message": "  "}"#,
        r#"{"message": 5}"#,
        r#"{"message": "cut off"#,
        r#"{"message": "hi", "conversation_id": 5}"#,
        r#"{"message": "hi", "conversation_id": "a\u0000b"}"#,
    ] {
        for path in ["/chat", "/chat/stream"] {
            let (status, error) = refused(&server, path, body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{body}: {error}");
            assert!(!error.is_empty());
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    let server = Server::start().await;
    let (status, _) = refused(&server, "/chat", b"{\"message\": \"\xff\"}".as_slice()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_message_over_16_kib_is_refused_however_long_it_is() {
    let server = Server::start().await;
    for length in [16 * 1024 + 1, 1024 * 1024] {
        let body = json!({"message": "x".repeat(length)}).to_string();
        let (status, error) = refused(&server, "/chat", body).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(error.contains("long"), "{error}");
    }
}

#[tokio::test]
async fn a_refused_request_has_no_turn_in_its_session() {
    let server = Server::start().await;
    refused(&server, "/chat", "hello").await;
    let session = server.only_session().await;
    assert_eq!(session.outputs["status_code"], 400);
    assert_eq!(session.event_count, 0);
}

#[tokio::test]
async fn a_path_that_takes_another_method_says_so() {
    let server = Server::start().await;
    for path in ["/chat", "/chat/stream"] {
        let response = server.get(path).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    let response = server.get("/nowhere").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}
