//! A server starts, waits and stops.

use std::net::TcpStream;
use std::time::Duration;

use honeyhive_local::LocalServer;
use serde_json::json;

use crate::client::{AMPLE, SESSION, http, post, server, start_session};

#[test]
fn a_server_needs_no_runtime() {
    let server = LocalServer::builder().start_blocking().unwrap();
    assert!(TcpStream::connect(server.address()).is_ok());
    let never = |server: &LocalServer| !server.sessions().is_empty();
    assert!(!server.wait_until_blocking(Duration::from_millis(1), never));
}

#[tokio::test]
async fn it_answers_while_the_callers_runtime_is_blocked() {
    let server = server().await;
    let url = server.url();
    // The test's runtime has this thread alone, which does not return until answered.
    let asking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let request = http().post(url + "/v1/sessions").body("{}");
        runtime.block_on(request.send()).unwrap().status().as_u16()
    });
    assert!(server.wait_until_blocking(AMPLE, |server| server.stats().sessions == 1));
    assert_eq!(asking.join().unwrap(), 200);
}

#[tokio::test]
async fn waiting_ends_as_soon_as_it_is_true() {
    let server = server().await;
    assert!(server.wait_until(Duration::ZERO, |_| true).await);
    let mut wakings = 0;
    let waiting = server.wait_until(AMPLE, |server| {
        wakings += 1;
        server
            .session(SESSION)
            .is_some_and(|session| session.posts == 3)
    });
    let posting = async {
        for _ in 0..3 {
            start_session(&server, SESSION).await;
        }
    };
    let (arrived, ()) = tokio::join!(waiting, posting);
    assert!(arrived);
    assert!(wakings > 1);
}

#[tokio::test]
async fn waiting_can_be_spawned() {
    let server = std::sync::Arc::new(server().await);
    let waiter = std::sync::Arc::clone(&server);
    let waiting = tokio::spawn(async move {
        let arrived = waiter.wait_until(AMPLE, |server| server.stats().sessions == 1);
        arrived.await
    });
    start_session(&server, SESSION).await;
    assert!(waiting.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_in_real_time_when_it_never_is_true() {
    let server = server().await;
    assert!(
        !server
            .wait_until(Duration::from_millis(20), |_| false)
            .await
    );
}

#[tokio::test]
async fn clearing_wakes_waiters_and_forgets() {
    let server = server().await;
    start_session(&server, SESSION).await;
    server.clear();
    assert!(
        server
            .wait_until(AMPLE, |server| server.stats().requests == 0)
            .await
    );
    assert!(server.requests().is_empty());
    post(&server, "/v1/sessions", json!({})).await;
    assert_eq!(server.requests()[0].sequence, 2);
    assert_eq!(server.stats().requests, 1);
}

#[tokio::test]
async fn a_dropped_server_frees_its_port_at_once() {
    let server = server().await;
    let port = server.address().port();
    let idle = TcpStream::connect(server.address()).unwrap();
    start_session(&server, SESSION).await;
    drop(server);
    let again = LocalServer::builder().port(port).start().await.unwrap();
    assert!(again.sessions().is_empty());
    drop(idle);
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let server = server().await;
    let client = http();
    for _ in 0..3 {
        let request = client.post(server.url() + "/v1/sessions").body("{}");
        assert_eq!(
            request.send().await.unwrap().bytes().await.unwrap()[0],
            b'{'
        );
    }
    assert_eq!(server.stats().sessions, 3);
}

/// A file that another program writes to makes a server wait for the database.
#[tokio::test]
async fn starting_waits_for_its_file_on_a_thread_of_its_own() {
    let file = std::env::temp_dir().join(format!("honeyhive-local-{}.db", uuid::Uuid::new_v4()));
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // The test's runtime has one thread: were it blocked, nobody would let go of the file.
    let starting = LocalServer::builder().persist(&file).start();
    let (started, ()) = tokio::join!(starting, async move { drop(other) });
    assert!(started.unwrap().sessions().is_empty());
    std::fs::remove_file(&file).unwrap();
}
