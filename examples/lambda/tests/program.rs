//! The program runs on a machine without Lambda: in both ways, and where it fails.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests may panic as the tests may"
)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use lambda_example::runtime_api::{Outcome, RuntimeApi};
use lambda_example::{Way, machine};
use serde_json::{Value, json};

fn program(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_lambda-example"));
    program.env_clear().args(arguments).output().unwrap()
}

fn said(arguments: &[&str]) -> String {
    let output = program(arguments);
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{complaints}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the JSON after each occurrence of `word` at the beginning of a line.
fn values(said: &str, word: &str) -> Vec<Value> {
    let lines = said.lines().filter_map(|line| line.strip_prefix(word));
    lines.map(|it| serde_json::from_str(it).unwrap()).collect()
}

/// Asserts that two turns of a conversation are one session, and an event that fails is another.
fn assert_two_sessions(said: &str) {
    let [first, second] = &values(said, "answer ")[..] else {
        panic!("two answers: {said}");
    };
    assert_eq!(first["session_id"], second["session_id"]);
    assert_eq!(second["result"], json!({"words": 5}));
    let errors = values(said, "error  ");
    assert_eq!(errors[0]["errorMessage"], "the message is empty");

    let (_, sessions) = said.split_once("word-count\n").expect("a session");
    let (chat, failed) = sessions.split_once("word-count\n").expect("another");
    assert_eq!(chat.matches("process_event [tool]\n").count(), 2);
    assert_eq!(failed.matches("process_event [tool]\n").count(), 1);
    let inputs = values(chat, "  inputs ");
    assert_eq!(inputs, [json!({"event": {"message": "I like tea"}})]);
    assert_eq!(
        values(chat, "  outputs "),
        [json!({"result": {"words": 5}})]
    );
    let metadata = &values(failed, "  metadata ")[0];
    assert_eq!(metadata["error"], "the message is empty");
    assert_eq!(metadata["request_id"], "request-3");
}

#[test]
fn with_the_layer_two_turns_are_one_session() {
    let said = said(&[]);
    assert_two_sessions(&said);
    assert!(said.contains(r#""outcome":"complete""#), "{said}");
    assert!(said.contains(r#""outcome":"error""#), "{said}");
}

#[test]
fn by_hand_two_turns_are_one_session() {
    assert_two_sessions(&said(&["by-hand"]));
}

#[test]
fn a_way_that_there_is_none_of_is_said_and_ends_the_program_with_1() {
    let output = program(&["elsewhere"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("neither `layer` nor `by-hand`"), "{said}");
}

/// Returns the answers of the function to two events, and its log by then.
async fn without_a_key(way: Way) -> ([Outcome; 2], String) {
    let api = RuntimeApi::start().await.unwrap();
    let mut function = api
        .function(Path::new(env!("CARGO_BIN_EXE_lambda-example")))
        .env("_HANDLER", way.name())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let event = json!({"message": "I like tea"}).to_string();
    let outcomes = [api.invoke(event.clone()).await, api.invoke(event).await];
    api.idle().await;
    function.start_kill().unwrap();
    let log = function.wait_with_output().await.unwrap().stderr;
    (outcomes, String::from_utf8(log).unwrap())
}

#[tokio::test]
async fn without_a_key_the_work_is_done_and_the_log_says_so_once() {
    for way in [Way::Layer, Way::ByHand] {
        let (outcomes, log) = without_a_key(way).await;
        let answer = Outcome::Response(json!({"result": {"words": 3}}));
        assert_eq!(outcomes, [answer.clone(), answer], "{way:?}: {log}");
        assert_eq!(log.matches("no HoneyHive key").count(), 1, "{way:?}: {log}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_function_that_ends_by_itself_is_not_waited_for() {
    let mut out = Vec::new();
    let ran = machine::run(Path::new("/bin/true"), Way::Layer, &mut out).await;
    let error = ran.unwrap_err().to_string();
    assert!(error.contains("the function ended by itself"), "{error}");
}
