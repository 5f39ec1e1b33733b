//! A web page, a broken client or a hostile one attacks the server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use honeyhive_local::LocalServer;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::client::{AMPLE, SESSION, get, http, server, start_session};

/// Sends a request with these headers and this body; returns the status and the answer.
async fn ask(
    server: &LocalServer,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, String) {
    let mut request = http()
        .request(method, server.url() + path)
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.expect("an answer");
    (response.status(), response.text().await.expect("text"))
}

#[tokio::test]
async fn a_foreign_host_reads_and_writes_nothing_on_any_route() {
    let server = server().await;
    start_session(&server, SESSION).await;
    let known = json!({ "session_id": SESSION }).to_string();
    let host = [
        ("host", "evil.example:7777"),
        ("content-type", "application/json"),
    ];
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/api/sessions"),
        (Method::DELETE, "/api"),
        (Method::GET, "/healthz"),
        (Method::POST, "/v1/sessions"),
        (Method::PUT, "/events"),
        (Method::POST, "/v1/events/search"),
        (Method::POST, "/opentelemetry/v1/traces"),
        (Method::GET, "/nope"),
    ] {
        let (status, answer) = ask(&server, method, path, &host, &known).await;
        assert_eq!(status, 403, "{path}");
        assert!(!answer.contains(SESSION), "{path}");
    }
    assert_eq!(server.requests().len(), 1, "refused ones are not recorded");
    let allowed = LocalServer::builder().allow_host("host.docker.internal");
    let allowed = allowed.start().await.unwrap();
    let host = [("host", "HOST.docker.internal:7777")];
    assert_eq!(ask(&allowed, Method::GET, "/", &host, "").await.0, 200);
}

#[tokio::test]
async fn a_page_of_another_origin_plants_nothing() {
    let server = server().await;
    let own = server.url();
    let body = json!({ "session_name": "planted" }).to_string();
    let (text, json) = ("text/plain", "application/json");
    for (headers, status) in [
        (
            vec![("origin", "https://evil.example"), ("content-type", text)],
            403,
        ),
        (
            vec![("origin", "https://evil.example"), ("content-type", json)],
            403,
        ),
        (
            vec![("origin", "http://localhost:3000"), ("content-type", json)],
            403,
        ),
        (vec![("origin", "null"), ("content-type", json)], 403),
        (
            vec![("sec-fetch-site", "cross-site"), ("content-type", json)],
            403,
        ),
        (vec![("origin", own.as_str()), ("content-type", text)], 415),
        (vec![("origin", own.as_str())], 415),
        (
            vec![
                ("origin", own.as_str()),
                ("content-type", json),
                ("sec-fetch-site", "same-origin"),
            ],
            200,
        ),
    ] {
        let found = ask(&server, Method::POST, "/v1/sessions", &headers, &body)
            .await
            .0;
        assert_eq!(found, status, "{headers:?}");
    }
    assert_eq!(server.stats().sessions, 1);
    let visit = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    assert_eq!(
        ask(&server, Method::GET, "/", &visit, "").await.0,
        200,
        "a link from elsewhere may be followed"
    );
    assert_eq!(
        ask(&server, Method::GET, "/api/sessions", &visit[..1], "")
            .await
            .0,
        403
    );
    assert_eq!(
        ask(&server, Method::DELETE, "/api", &visit, "").await.0,
        403
    );
}

#[tokio::test]
async fn deep_json_long_heads_and_many_headers_are_refused() {
    let server = server().await;
    let deep = format!(
        "{{\"inputs\":{}1{}}}",
        "{\"a\":".repeat(10_000),
        "}".repeat(10_000)
    );
    let json = [("content-type", "application/json")];
    assert_eq!(
        ask(&server, Method::POST, "/v1/sessions", &json, &deep)
            .await
            .0,
        400
    );
    let long = "x".repeat(200_000);
    assert_eq!(
        ask(&server, Method::GET, "/", &[("x-long", &long)], "")
            .await
            .0,
        431
    );
    let names: Vec<String> = (0..200).map(|number| format!("x-{number}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(ask(&server, Method::GET, "/", &many, "").await.0, 431);
    start_session(&server, SESSION).await;
}

#[tokio::test]
async fn a_client_that_dawdles_is_let_go_in_its_head_and_in_its_body() {
    let server = LocalServer::builder()
        .client_timeout(Duration::from_millis(200))
        .max_connections(20);
    let server = server.start().await.unwrap();
    let connect = || TcpStream::connect(server.address()).expect("a connection");
    let mut halves: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = connect();
            stream
                .write_all(b"POST /v1/sessions HTTP/1.1\r\nhost: 127")
                .expect("a half");
            stream
        })
        .collect();
    let mut slow = connect();
    let head = b"POST /v1/sessions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\n{";
    slow.write_all(head).expect("a beginning");
    tokio::task::spawn_blocking(move || {
        let mut answer = Vec::new();
        slow.set_read_timeout(Some(AMPLE)).expect("a timeout");
        let _ = slow.read_to_end(&mut answer);
        assert!(
            answer.starts_with(b"HTTP/1.1 408"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        for half in &mut halves {
            half.set_read_timeout(Some(AMPLE)).expect("a timeout");
            let mut answer = Vec::new();
            half.read_to_end(&mut answer).expect("it is closed");
        }
    })
    .await
    .expect("all are let go");
    assert_eq!(get(&server, "/healthz").await.status(), 200);
}

#[tokio::test]
async fn a_body_that_announces_far_more_than_the_limit_is_refused_before_any_of_it_came() {
    let server = LocalServer::builder()
        .client_timeout(AMPLE * 10)
        .start()
        .await;
    let server = server.unwrap();
    for path in ["/v1/sessions", "/v1/traces", "/api/import"] {
        let mut client = TcpStream::connect(server.address()).unwrap();
        client.set_read_timeout(Some(AMPLE)).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999\r\n\r\n"
        );
        client.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 12];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413", "{path}");
    }
}
