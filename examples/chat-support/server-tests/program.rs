//! The program itself starts and ends.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::server::client;
use crate::serving;

/// Returns the program with nothing in its environment but an address to listen on.
fn program(address: &str) -> Command {
    let mut command = Command::new(serving::PROGRAM);
    command
        .env_clear()
        .env("CHAT_ADDR", address)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Returns the first two lines that the program prints: where it listens, and where to look.
fn greeting(child: &mut Child) -> [String; 2] {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    [(); 2].map(|()| lines.next().unwrap().unwrap())
}

#[test]
fn an_address_that_is_taken_is_said_and_ends_the_program_with_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = program(&address).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with(&format!(
            "{}: cannot listen on CHAT_ADDR={address}: ",
            serving::NAME
        )),
        "{said}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn sigterm_lets_an_answer_that_is_under_way_end() {
    let mut child = program("127.0.0.1:0").spawn().unwrap();
    let [listens, look] = greeting(&mut child);
    let (_, url) = listens.split_once(" on ").unwrap();
    assert!(look.contains("http://127.0.0.1:"), "{look}");
    let body = json!({"message": "I like tea"});
    let request = client().post(format!("{url}/chat/stream")).json(&body);
    let mut response = request.send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());

    let id = child.id().to_string();
    let killed = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(killed.success());
    let rest = response.text().await.unwrap();
    assert!(rest.contains("event: done"), "{rest}");
    assert!(child.wait().unwrap().success());
    let mut said = String::new();
    child.stderr.unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("stopping"), "{said}");
    assert!(!said.contains("did not reach HoneyHive"), "{said}");
}
