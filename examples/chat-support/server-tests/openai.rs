//! An OpenAI-compatible endpoint answers.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use super::endpoint::{Answer, Endpoint, KEY, responder_at};
use super::server::{Server, session_id};

const WHOLE: &str = r#"{
    "choices": [{"message": {"role": "assistant", "content": "Tea it is."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 4, "total_tokens": 16}
}"#;

/// Some events are split over pieces, and some pieces have several events.
const CHUNKS: [&str; 5] = [
    "data: {\"choices\": [{\"delta\": {\"role\": \"assistant\", \"content\": \"\"}}]}\n\nda",
    "ta: {\"choices\": [{\"delta\": {\"content\": \"Tea \"}}]}\n",
    "\ndata: {\"choices\": [{\"delta\": {\"content\": \"it is.\"}}]}\n\n",
    "data: {\"choices\": [{\"delta\": {}, \"finish_reason\": \"stop\"}]}\n\n",
    "data: {\"choices\": [], \"usage\": {\"prompt_tokens\": 12, \"completion_tokens\": 4}}\n\ndata: [DONE]\n\n",
];

async fn asking(answer: Answer) -> Server {
    Server::start_with(Endpoint::new(answer).responder().await).await
}

async fn error_of(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    let answer: Value = response.json().await.unwrap();
    answer["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_answer_in_one_piece_comes_with_its_token_counts() {
    let endpoint = Endpoint::new(Answer::Plain(200, WHOLE));
    let server = Server::start_with(endpoint.responder().await).await;
    let response = server.chat(&json!({"message": "Tea?"})).await;
    let id = session_id(&response);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["reply"], "Tea it is.");
    assert_eq!(
        endpoint.asked(),
        [json!({
            "model": "gpt-test",
            "messages": [{"role": "user", "content": "Tea?"}],
            "stream": false,
        })]
    );

    server.flush().await;
    let model = server.event(&id, "model");
    assert_eq!(model.outputs["content"], "Tea it is.");
    assert_eq!(model.config["model"], "gpt-test");
    assert_eq!(model.config["provider"], "openai");
    assert_eq!(model.metadata["input_tokens"], 12);
    assert_eq!(model.metadata["output_tokens"], 4);
    assert_eq!(model.metadata["finish_reason"], "stop");
}

#[tokio::test]
async fn the_endpoint_is_told_what_was_said_before() {
    let endpoint = Endpoint::new(Answer::Plain(200, WHOLE));
    let server = Server::start_with(endpoint.responder().await).await;
    for message in ["Tea?", "Really?"] {
        let body = json!({"message": message, "conversation_id": "kitchen"});
        server.chat(&body).await;
    }
    assert_eq!(
        endpoint.asked()[1]["messages"],
        json!([
            {"role": "user", "content": "Tea?"},
            {"role": "assistant", "content": "Tea it is."},
            {"role": "user", "content": "Really?"},
        ])
    );
}

#[tokio::test]
async fn a_streamed_answer_is_passed_on_token_by_token() {
    let server = asking(Answer::Stream(CHUNKS.to_vec())).await;
    let response = server.stream("Tea?").await;
    let id = session_id(&response);
    let said = response.text().await.unwrap();
    server.only_session().await;
    let turn = server.event(&id, "chain").event_id;
    assert_eq!(
        said,
        format!(
            "data: {{\"token\":\"Tea \"}}\n\ndata: {{\"token\":\"it is.\"}}\n\n\
             event: done\ndata: {{\"reply\":\"Tea it is.\",\"session_id\":\"{id}\",\"event_id\":\"{turn}\"}}\n\n"
        )
    );
    let model = server.event(&id, "model");
    assert_eq!(model.outputs["content"], "Tea it is.");
    assert_eq!(model.metadata["output_tokens"], 4);
    assert_eq!(model.metadata["finish_reason"], "stop");
    assert!(model.metadata["time_to_first_token_ms"].is_number());
}

#[tokio::test]
async fn a_failing_endpoint_is_a_502_and_the_error_of_the_model_call() {
    let body = r#"{"error": {"message": "sk-very-secret has used up its quota", "type": "insufficient_quota"}}"#;
    let server = asking(Answer::Plain(429, body)).await;
    let response = server.chat(&json!({"message": "Tea?"})).await;
    let id = session_id(&response);
    let error = error_of(response).await;
    assert_eq!(
        error,
        "the model endpoint answered with status 429: <redacted> has used up its quota"
    );

    let session = server.only_session().await;
    assert_eq!(session.outputs["status_code"], 502);
    for event_type in ["model", "chain"] {
        let event = server.event(&id, event_type);
        assert_eq!(event.error.as_deref(), Some(&*error));
        assert_eq!(event.status.code, "error");
    }
}

#[tokio::test]
async fn a_stream_that_cannot_begin_is_a_502_too() {
    for (status, body, expected) in [
        (
            401,
            r#"{"error": {"message": "Incorrect API key provided: sk-ve***ret", "type": "invalid_request_error"}}"#,
            "OPENAI_API_KEY",
        ),
        (500, "<html>oops</html>", "status 500: <html>oops</html>"),
    ] {
        let server = asking(Answer::Plain(status, body)).await;
        let error = error_of(server.stream("Tea?").await).await;
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("sk-"), "{error}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_a_502_without_its_address() {
    let server = Server::start_with(responder_at("http://user:password@127.0.0.1:1/v1")).await;
    let error = error_of(server.chat(&json!({"message": "Tea?"})).await).await;
    assert!(error.contains("cannot be reached"), "{error}");
    assert!(!error.contains("password") && !error.contains(KEY));
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_a_502() {
    let server = asking(Answer::Plain(200, "<html>")).await;
    let error = error_of(server.chat(&json!({"message": "Tea?"})).await).await;
    assert!(error.contains("makes no sense"), "{error}");
}

#[tokio::test]
async fn a_stream_that_fails_half_way_ends_with_an_error_event() {
    for (ending, expected) in [
        ("", "broke off"),
        (
            "data: {\"error\": {\"message\": \"overloaded\"}}\n\n",
            "overloaded",
        ),
        ("data: <html>\n\n", "makes no sense"),
    ] {
        let server = asking(Answer::Stream(vec![CHUNKS[0], CHUNKS[1], "\n", ending])).await;
        let response = server.stream("Tea?").await;
        let id = session_id(&response);
        let text = response.text().await.unwrap();
        let (tokens, error) = text.split_once("event: error\ndata: ").expect(&text);
        assert_eq!(tokens, "data: {\"token\":\"Tea \"}\n\n");
        assert!(error.contains(expected), "{error}");

        server.only_session().await;
        let model = server.event(&id, "model");
        assert!(model.error.unwrap().contains(expected));
        assert_eq!(model.outputs["content"], "Tea ");
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_stalling_stream_cancels_the_turn() {
    let server = asking(Answer::Stalling(CHUNKS[..3].to_vec())).await;
    let mut response = server.stream("Tea?").await;
    let id = session_id(&response);
    assert!(response.chunk().await.unwrap().is_some());
    drop(response);
    let session = server.only_session().await;
    assert_eq!(session.metadata["outcome"], "client_disconnected");
    assert_eq!(server.event(&id, "model").metadata["cancelled"], true);
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_its_answer_cancels_the_turn() {
    let endpoint = Endpoint::new(Answer::Silence);
    let server = Server::start_with(endpoint.responder().await).await;
    let body = json!({"message": "Tea?"});
    let request = server.post("/chat").json(&body).send();
    tokio::select! {
        _ = request => panic!("nobody answers"),
        () = endpoint.question.notified() => {}
    }
    let session = server.only_session().await;
    assert_eq!(session.metadata["outcome"], "client_disconnected");
    let model = server.event(&session.session_id, "model");
    assert_eq!(model.metadata["cancelled"], true);
    assert_eq!(model.outputs.get("content"), None);
}
