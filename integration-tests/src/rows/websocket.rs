//! WebSockets begin as requests.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::adapter::Adapter;
use crate::client::Client;
use crate::harness::{Stage, assert_ended};

const UPGRADE: &[u8] =
    b"GET /ws HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The upgrade is recorded when it happens, and the socket's task goes on with the session that the
/// handler gave it.
pub async fn an_upgrade_is_recorded_at_once_and_its_task_keeps_the_session<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let mut connection = stage.connect(UPGRADE).await;
    let head = head(&mut connection).await;
    assert!(head.starts_with("http/1.1 101"), "{head}");
    let session = stage.only_session().await;
    assert_ended(&session, 101, "complete");
    assert_eq!(session.name.as_deref(), Some("GET /ws"));
    let line = format!("x-session-id: {}\r\n", session.session_id);
    assert!(head.contains(&line), "{head}");

    for text in ["first", "second"] {
        assert_eq!(exchange(&mut connection, text).await, session.session_id);
    }
    let id = session.session_id.parse().expect("a UUID");
    stage.settle().await;
    assert_eq!(stage.span_names(id), ["message", "message"]);
    assert!(stage.honeyhive.orphans().is_empty());
    assert_eq!(stage.endings(), 1, "an upgrade is complete, not a goodbye");
}

/// A request that is no upgrade is refused by the framework.
pub async fn a_plain_request_to_a_socket_is_recorded_as_refused<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let client = Client::new(stage.address());
    let answer = client.request("GET", "/ws").send().await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    assert_ended(&stage.only_session().await, answer.status, "complete");
}

/// Returns the head of the answer, in lower case, with its end.
async fn head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.expect("a head"));
    }
    String::from_utf8(head).expect("text").to_ascii_lowercase()
}

/// Sends a text message, masked with zeros as a client must, and reads the answer.
async fn exchange(connection: &mut TcpStream, text: &str) -> String {
    const FINAL_TEXT: u8 = 0x81;
    const MASKED: u8 = 0x80;
    let length = u8::try_from(text.len()).expect("a short text");
    let mut frame = vec![FINAL_TEXT, MASKED | length, 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    connection.write_all(&frame).await.expect("it reads");

    assert_eq!(connection.read_u8().await.expect("a frame"), FINAL_TEXT);
    let length = connection.read_u8().await.expect("a length");
    let mut answer = vec![0; length.into()];
    let read = connection.read_exact(&mut answer).await;
    read.expect("the answer");
    String::from_utf8(answer).expect("text")
}
