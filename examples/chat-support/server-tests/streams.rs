//! Some turns are answered token by token.

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::server::{Server, session_id};

/// Returns the events of a stream: name and data.
fn events(stream: &str) -> Vec<(Option<&str>, Value)> {
    stream.trim_end().split("\n\n").map(event).collect()
}

fn event(frame: &str) -> (Option<&str>, Value) {
    let field = |name| frame.lines().find_map(|line| line.strip_prefix(name));
    let data = field("data: ").expect("every event has data");
    (field("event: "), serde_json::from_str(data).unwrap())
}

#[tokio::test]
async fn a_stream_sends_the_tokens_and_then_the_whole() {
    let server = Server::start().await;
    let response = server.stream("I like tea").await;
    assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
    let id = session_id(&response);
    let text = response.text().await.unwrap();
    let mut events = events(&text);
    let (name, done) = events.pop().unwrap();
    assert_eq!(name, Some("done"));
    assert_eq!(done["session_id"], *id);
    assert!(events.len() > 10, "{text}");
    let tokens: String = events
        .iter()
        .map(|(name, data)| (assert_eq!(*name, None), data["token"].as_str().unwrap()).1)
        .collect();
    assert_eq!(done["reply"], *tokens);

    let session = server.only_session().await;
    assert_eq!(session.name.as_deref(), Some("POST /chat/stream"));
    assert_eq!(session.metadata["outcome"], "complete");
    assert_eq!(session.outputs["reply"], done["reply"]);
}

#[tokio::test]
async fn the_spans_of_a_stream_end_with_it() {
    let server = Server::start().await;
    let response = server.stream("I like tea").await;
    let id = session_id(&response);
    response.text().await.unwrap();
    server.only_session().await;
    assert_eq!(
        server.honeyhive.tree(&id),
        "POST /chat/stream\n  chat turn [chain]\n    chat completion [model]\n"
    );
    let model = server.event(&id, "model");
    assert!(model.metadata["time_to_first_token_ms"].is_number());
    assert!(!model.metadata.contains_key("cancelled"));
    assert!(server.event(&id, "chain").end_time_ms >= model.end_time_ms);
}

#[tokio::test]
async fn a_client_that_leaves_half_way_leaves_the_partial_answer() {
    let server = Server::start_hesitant().await;
    let mut response = server.stream("I like tea").await;
    let id = session_id(&response);
    let first = response.chunk().await.unwrap().unwrap();
    assert_eq!(first, "data: {\"token\":\"You \"}\n\n");
    drop(response);

    let session = server.only_session().await;
    assert_eq!(session.metadata["outcome"], "client_disconnected");
    assert_eq!(session.outputs["reply"], "You ");
    let model = server.event(&id, "model");
    assert_eq!(model.outputs["content"], "You ");
    assert_eq!(model.metadata["cancelled"], true);
    let chain = server.event(&id, "chain");
    assert_eq!(chain.outputs["reply"], "You ");
    assert_eq!(chain.metadata["cancelled"], true);
}

#[tokio::test]
async fn what_was_cut_short_is_still_part_of_the_conversation() {
    let server = Server::start_hesitant().await;
    let mut response = server.stream("I like tea").await;
    let id = session_id(&response);
    response.chunk().await.unwrap();
    drop(response);
    server.only_session().await;

    let body = json!({"message": "What did I say first?"});
    let again = server.post("/chat/stream").header("X-Session-ID", &id);
    let mut again = again.json(&body).send().await.unwrap();
    let first = again.chunk().await.unwrap().unwrap();
    assert_eq!(first, "data: {\"token\":\"The \"}\n\n");
}
