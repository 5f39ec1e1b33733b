//! The batch and the worker record into a HoneyHive on this machine.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests may"
)]

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

use honeyhive::HoneyHiveTracer;
use honeyhive_local::{LocalServer, LocalSession};
use tokio::sync::mpsc;
use worker::{Message, Tally, batch, work};

const PATIENCE: Duration = Duration::from_secs(60);

fn honeyhive() -> (LocalServer, HoneyHiveTracer) {
    let server = LocalServer::builder().start_blocking().unwrap();
    let tracer = HoneyHiveTracer::builder()
        .api_key("local")
        .server_url(server.url())
        .build()
        .unwrap();
    (server, tracer)
}

/// Returns a closed queue with these messages in it.
fn queue_of(questions: &[&str]) -> mpsc::Receiver<Message> {
    let (sender, queue) = mpsc::channel(questions.len().max(1));
    for question in questions {
        let message = Message {
            id: format!("id of {question:?}"),
            question: (*question).to_owned(),
        };
        sender.try_send(message).unwrap();
    }
    queue
}

fn session_asked<'s>(sessions: &'s [LocalSession], question: &str) -> &'s LocalSession {
    let found = sessions
        .iter()
        .find(|session| session.inputs["question"] == question);
    found.unwrap()
}

#[tokio::test]
async fn a_batch_is_one_session_with_a_span_an_item() {
    let (server, tracer) = honeyhive();

    assert_eq!(batch(&tracer, "b-1", &["one two", "three"]).await, 3);

    tracer.shutdown(PATIENCE).await.unwrap();
    let session = &server.sessions()[0];
    assert_eq!(session.inputs["batch_id"], "b-1");
    assert_eq!(session.outputs["processed"], 2);
    assert_eq!(session.outputs["words"], 3);
    assert_eq!(session.metadata["outcome"], "complete");
    assert!(session.duration.is_some());
    assert_eq!(
        server.tree(&session.session_id),
        "batch-job\n  count_words [tool]\n  count_words [tool]\n"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_is_a_session_however_many_are_under_way() {
    let (server, tracer) = honeyhive();
    let questions: Vec<String> = (0..50).map(|number| format!("question {number}")).collect();
    let questions: Vec<&str> = questions.iter().map(String::as_str).collect();

    let tally = work(&tracer, queue_of(&questions), 8).await;

    assert_eq!((tally.answered, tally.failed), (50, 0));
    tracer.shutdown(PATIENCE).await.unwrap();
    let sessions = server.sessions();
    assert_eq!(sessions.len(), 50);
    for question in questions {
        let session = session_asked(&sessions, question);
        assert_eq!(
            server.tree(&session.session_id),
            "message\n  answer [chain]\n    ask model [model]\n"
        );
        let asked = &server.events(&session.session_id)[0].inputs["chat_history"][0];
        assert_eq!(asked["content"], question, "in its own session");
        assert_eq!(
            session.metadata["message_id"],
            format!("id of {question:?}")
        );
    }
}

#[tokio::test]
async fn a_message_that_fails_is_recorded_and_the_others_go_on() {
    let (server, tracer) = honeyhive();

    let tally = work(&tracer, queue_of(&["before", "", "after"]), 1).await;

    assert_eq!((tally.answered, tally.failed), (2, 1));
    tracer.shutdown(PATIENCE).await.unwrap();
    let sessions = server.sessions();
    assert_eq!(sessions.len(), 3);
    let failed = session_asked(&sessions, "");
    assert_eq!(failed.metadata["error"], "there is nothing to answer");
    let span = &server.events(&failed.session_id)[0];
    assert_eq!(span.error.as_deref(), Some("there is nothing to answer"));
    let after = session_asked(&sessions, "after");
    assert_eq!(after.outputs["answer"], "after That depends.");
}

#[tokio::test]
async fn a_queue_that_is_closed_is_still_emptied() {
    let (_server, tracer) = honeyhive();
    let mut queue = queue_of(&["one", "two"]);
    queue.close();

    assert_eq!(work(&tracer, queue, 1).await.answered, 2);
}

#[tokio::test]
async fn no_message_is_no_session() {
    let (server, tracer) = honeyhive();

    assert_eq!(work(&tracer, queue_of(&[""; 0]), 1).await, Tally::default());

    tracer.shutdown(PATIENCE).await.unwrap();
    assert!(server.sessions().is_empty());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_program_when_what_is_in_the_queue_is_done_and_delivered() {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_worker"))
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(program.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("takes m-1") {
        assert_ne!(stdout.read_line(&mut said).unwrap(), 0, "{said}");
    }

    let id = program.id().to_string();
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(interrupted.unwrap().success());

    stdout.read_to_string(&mut said).unwrap();
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success(), "{said}");
    assert!(output.stderr.is_empty(), "{:?}", output.stderr);
    assert!(said.contains("no more messages are taken"), "{said}");
    assert!(said.contains("worker: 1 answered, 0 failed"), "{said}");
    assert!(
        said.ends_with("\nmessage\n  answer [chain]\n    ask model [model]\n"),
        "{said}"
    );
}

#[test]
fn the_program_ends_by_itself_and_has_delivered_everything() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_worker"))
        .env_clear()
        .output()
        .unwrap();

    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("worker: 3 answered, 1 failed"), "{said}");
    assert_eq!(said.matches("\nmessage\n").count(), 4, "{said}");
    assert!(output.stderr.is_empty(), "{:?}", output.stderr);
}
