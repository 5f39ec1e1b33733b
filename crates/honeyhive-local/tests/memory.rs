//! Attacks cost memory: the test has a process of its own, so that the peak is theirs.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say so")]
#![cfg(target_os = "linux")]

use std::io::Write;

use honeyhive_local::LocalServer;
use serde_json::json;

const MIB: usize = 1024 * 1024;

/// Returns the most memory that this process has had.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<usize>().ok())
        .expect("a number")
        * 1024
}

async fn send(server: &LocalServer, path: &str, kind: &str, body: Vec<u8>) -> u16 {
    send_as(server, path, kind, "identity", body).await
}

async fn send_as(
    server: &LocalServer,
    path: &str,
    kind: &str,
    encoding: &str,
    body: Vec<u8>,
) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build();
    let request = client.expect("a client").post(server.url() + path);
    let request = request
        .header("content-type", kind)
        .header("content-encoding", encoding)
        .body(body);
    request.send().await.expect("an answer").status().as_u16()
}

/// Returns half a gibibyte of spaces in half a mebibyte: gzip streams may follow one another.
fn bomb() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b' '; MIB]).expect("a member");
    encoder.finish().expect("a member").repeat(512)
}

/// Returns a delimited protobuf field.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(content);
    bytes
}

#[tokio::test]
async fn bodies_that_ask_for_a_hundred_times_their_size_are_refused_and_large_ones_are_bounded() {
    const JSON: &str = "application/json";
    let server = LocalServer::builder().start().await.expect("a server");
    let before = peak();
    let objects = format!("{{\"inputs\":{{\"a\":[{}1]}}}}", "{},".repeat(5 * MIB));
    assert_eq!(
        send(&server, "/v1/sessions", JSON, objects.into_bytes()).await,
        400
    );
    let pairs = format!(
        "{{\"resourceSpans\":[{}{{}}]}}",
        "{\"a\":0},".repeat(2 * MIB - 100_000)
    );
    assert_eq!(
        send(&server, "/v1/traces", JSON, pairs.into_bytes()).await,
        400
    );
    let spans = field(1, &field(2, &field(2, &[]).repeat(7 * MIB)));
    assert_eq!(
        send(&server, "/v1/traces", "application/x-protobuf", spans).await,
        400
    );
    for (path, kind) in [
        ("/v1/sessions", JSON),
        ("/v1/traces", "application/x-protobuf"),
    ] {
        assert_eq!(send_as(&server, path, kind, "gzip", bomb()).await, 413);
    }
    let refused = peak() - before;
    assert!(
        refused < 200 * MIB,
        "{} MiB for what is refused",
        refused / MIB
    );

    for _ in 0..7 {
        let body = json!({ "inputs": { "text": "x".repeat(14 * MIB) } }).to_string();
        assert_eq!(
            send(&server, "/v1/sessions", JSON, body.into_bytes()).await,
            200
        );
    }
    let stats = server.stats();
    assert!(stats.bytes <= 64 * MIB as u64, "{stats:?}");
    assert!(stats.dropped_sessions > 2, "{stats:?}");
    let kept = peak() - before;
    assert!(
        kept < 500 * MIB,
        "{} MiB for 98 MiB of sessions",
        kept / MIB
    );
}

#[tokio::test]
async fn a_session_starts_while_large_bodies_are_read() {
    let server = LocalServer::builder().start().await.expect("a server");
    let large = json!({ "inputs": { "list": vec![0; 50_000] } }).to_string();
    let many = (0..8).map(|_| {
        let (url, body) = (server.url() + "/v1/sessions", large.clone());
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        tokio::spawn(async move {
            client
                .post(url)
                .body(body)
                .send()
                .await
                .map(|it| it.status())
        })
    });
    let many: Vec<_> = many.collect();
    assert_eq!(
        send(&server, "/v1/sessions", "application/json", b"{}".to_vec()).await,
        200
    );
    for one in many {
        assert_eq!(one.await.expect("a task").expect("an answer"), 200);
    }
}
