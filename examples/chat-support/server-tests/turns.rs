//! Some turns are answered in one piece.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::server::{Server, session_id};

#[tokio::test]
async fn one_turn_is_a_session_with_a_chain_and_a_model_call_in_it() {
    let server = Server::start().await;
    let response = server.chat(&json!({"message": "I like tea"})).await;
    assert_eq!(response.status(), StatusCode::OK);
    let id = session_id(&response);
    let answer: Value = response.json().await.unwrap();
    let reply = answer["reply"].as_str().unwrap();
    assert!(reply.starts_with("You said \"I like tea\"."), "{reply}");
    assert_eq!(answer["session_id"], *id);

    let session = server.only_session().await;
    assert_eq!(session.session_id, id);
    assert_eq!(session.name.as_deref(), Some("POST /chat"));
    assert_eq!(session.inputs["message"], "I like tea");
    assert_eq!(session.outputs["reply"], reply);
    assert_eq!(session.outputs["status_code"], 200);
    assert_eq!(session.metadata["outcome"], "complete");
    assert_eq!(
        server.honeyhive.tree(&id),
        "POST /chat\n  chat turn [chain]\n    chat completion [model]\n"
    );
}

#[tokio::test]
async fn the_spans_carry_the_message_and_the_answer() {
    let server = Server::start().await;
    let response = server.chat(&json!({"message": "I like tea"})).await;
    let id = session_id(&response);
    let answer: Value = response.json().await.unwrap();
    server.flush().await;

    let chain = server.event(&id, "chain");
    assert_eq!(chain.inputs["message"], "I like tea");
    assert_eq!(chain.outputs["reply"], answer["reply"]);
    let model = server.event(&id, "model");
    assert_eq!(
        model.inputs["chat_history"],
        json!([{"role": "user", "content": "I like tea"}])
    );
    assert_eq!(
        Value::from(model.outputs),
        json!({"role": "assistant", "content": answer["reply"]})
    );
    assert_eq!(model.config["model"], "built-in");
    assert_eq!(model.error, None);
}

#[tokio::test]
async fn a_second_turn_in_the_same_session_knows_the_first() {
    let server = Server::start().await;
    let first = server.chat(&json!({"message": "I like tea"})).await;
    let id = session_id(&first);
    let second = server
        .post("/chat")
        .header("X-Session-ID", &id)
        .json(&json!({"message": "What did I say first?"}))
        .send()
        .await
        .unwrap();
    assert_eq!(session_id(&second), id);
    let answer: Value = second.json().await.unwrap();
    assert_eq!(
        answer["reply"],
        "The first thing you said was: \"I like tea\""
    );

    server.flush().await;
    let session = server.only_session().await;
    // The session shows the last question beside the last answer.
    assert_eq!(session.outputs["message"], "What did I say first?");
    assert_eq!(session.outputs["reply"], answer["reply"]);
    let events = server.honeyhive.events(&id);
    let last_model = events.iter().rfind(|it| it.event_type == "model").unwrap();
    let history = last_model.inputs["chat_history"].as_array().unwrap();
    let roles: Vec<_> = history.iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
}

#[tokio::test]
async fn a_conversation_id_moves_the_request_to_that_conversation() {
    let server = Server::start().await;
    let body = json!({"message": "I like tea", "conversation_id": "trip-42"});
    let first = server.chat(&body).await;
    let id = session_id(&first);
    server.flush().await;
    let session = server.only_session().await;
    assert_eq!(session.session_id, id);
    assert_eq!(session.posts, 0, "the provisional session is never created");
    assert_eq!(session.metadata["inputs"]["message"], "I like tea");

    let body = json!({"message": "And cake", "conversation_id": "trip-42"});
    let second = server.chat(&body).await;
    assert_eq!(session_id(&second), id);
    let answer: Value = second.json().await.unwrap();
    assert_eq!(answer["session_id"], *id);
    server.flush().await;
    let session = server.only_session().await;
    assert_eq!(session.outputs["reply"], answer["reply"]);
    assert_eq!(session.event_count, 4);
    assert_eq!(server.honeyhive.orphans(), []);
}

#[tokio::test]
async fn a_health_check_opens_no_session() {
    let server = Server::start().await;
    let response = server.get("/healthz").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key("x-session-id"));
    assert_eq!(response.text().await.unwrap(), "ok");
    server.flush().await;
    assert_eq!(server.honeyhive.stats().requests, 0);
}

#[tokio::test]
async fn a_head_of_a_page_is_answered_like_its_get() {
    let server = Server::start().await;
    for path in ["/", "/healthz"] {
        let (head, get) = (server.head(path).await, server.get(path).await);
        assert_eq!(head.status(), StatusCode::OK, "{path}");
        for name in ["content-type", "content-length", "x-session-id"] {
            let of = |answer: &reqwest::Response| answer.headers().get(name).cloned();
            assert_eq!(of(&head), of(&get), "{name} of {path}");
        }
        assert_eq!(head.text().await.unwrap(), "", "{path}");
    }
    server.flush().await;
    assert_eq!(server.honeyhive.stats().requests, 0);
}
