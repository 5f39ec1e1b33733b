//! A server fails on purpose.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use honeyhive_local::{Endpoint, Fault, LocalServer};
use serde_json::json;

use crate::client::{
    AMPLE, SESSION, TRACES, export, http, post, server, session_span, start_session,
};

/// Posts a session over a bare socket; returns the bytes of the answer, or how reading failed.
fn post_raw(server: &LocalServer) -> Result<Vec<u8>, ErrorKind> {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(AMPLE)).unwrap();
    let body = json!({ "session_id": SESSION }).to_string();
    let length = body.len();
    write!(
        stream,
        "POST /v1/sessions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    read.map(|_| answer).map_err(|error| error.kind())
}

async fn statuses(server: &LocalServer, calls: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..calls {
        statuses.push(post(server, "/v1/sessions", json!({})).await.0);
    }
    statuses
}

#[tokio::test]
async fn a_status_comes_with_its_headers_and_body_so_often_and_no_more() {
    let server = server().await;
    let fault = Fault::status(503)
        .header("retry-after", "1")
        .header("content-type", "text/html");
    server.fail(fault.header("bad header", "x").body("<p>busy</p>").times(1));
    let request = http().post(server.url() + "/v1/sessions").json(&json!({}));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers().get_all("content-type").iter().count(), 1);
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(response.text().await.unwrap(), "<p>busy</p>");
    assert_eq!(server.stats().sessions, 0);
    assert_eq!(statuses(&server, 2).await, [200, 200]);
    let answered: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(answered, [Some(503), Some(200), Some(200)]);
}

#[tokio::test]
async fn a_status_that_http_does_not_have_becomes_500() {
    let server = server().await;
    for (asked, answered) in [(0, 500), (100, 500), (204, 204), (599, 599), (1000, 500)] {
        server.fail(Fault::status(asked).times(1));
        assert_eq!(statuses(&server, 1).await, [answered]);
    }
}

#[tokio::test]
async fn a_fault_meets_only_the_endpoint_it_is_for() {
    let server = server().await;
    server.fail(Fault::status(500).on(Endpoint::Traces));
    server.fail(Fault::status(429).on(Endpoint::Events));
    start_session(&server, SESSION).await;
    assert_eq!(
        post(&server, TRACES, export(vec![session_span(1, 0, "op")]))
            .await
            .0,
        500
    );
    let update = crate::client::put(&server, &format!("/v1/events/{SESSION}"), json!({})).await;
    assert_eq!(update.0, 429);
    server.heal();
    assert_eq!(
        post(&server, TRACES, export(vec![session_span(1, 0, "op")]))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn a_share_of_the_calls_fails_evenly() {
    let server = server().await;
    server.fail(Fault::status(500).share(0.25));
    assert_eq!(
        statuses(&server, 8).await,
        [200, 200, 200, 500, 200, 200, 200, 500]
    );
}

#[tokio::test]
async fn several_faults_take_their_turns_in_order() {
    let server = server().await;
    server.fail(Fault::status(500).times(1));
    server.fail(Fault::status(502).times(2));
    assert_eq!(statuses(&server, 4).await, [500, 502, 502, 200]);
}

#[tokio::test]
async fn a_delayed_answer_is_the_ordinary_one_late() {
    let server = server().await;
    let delay = Duration::from_millis(50);
    server.fail(Fault::delay(delay).times(1));
    let asked = Instant::now();
    assert_eq!(statuses(&server, 1).await, [200]);
    assert!(asked.elapsed() >= delay);
    server.fail(Fault::status(504).delayed(delay).times(1));
    let asked = Instant::now();
    assert_eq!(statuses(&server, 1).await, [504]);
    assert!(asked.elapsed() >= delay);
}

#[tokio::test]
async fn a_call_that_hangs_gets_no_answer_and_blocks_nobody() {
    let server = server().await;
    server.fail(Fault::hang().times(1));
    let hanging = tokio::spawn(http().post(server.url() + "/v1/sessions").body("{}").send());
    assert!(
        server
            .wait_until(AMPLE, |server| server.stats().requests == 1)
            .await
    );
    assert_eq!(statuses(&server, 1).await, [200]);
    assert_eq!(server.requests()[0].status, None);
    assert!(!hanging.is_finished());

    // A server that waited for the call would wait for ever.
    drop(server);
    assert!(hanging.await.unwrap().is_err());
}

#[tokio::test]
async fn a_reset_is_a_reset_and_a_close_is_a_close() {
    let server = server().await;
    server.fail(Fault::reset().times(1));
    server.fail(Fault::close().times(1));
    assert_eq!(post_raw(&server), Err(ErrorKind::ConnectionReset));
    assert_eq!(post_raw(&server), Ok(Vec::new()));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.status.is_none()));
    assert_eq!(server.stats().sessions, 0);
}

#[tokio::test]
async fn after_applying_only_the_answer_is_lost() {
    let server = server().await;
    server.fail(Fault::reset().after_applying().times(1));
    assert_eq!(post_raw(&server), Err(ErrorKind::ConnectionReset));
    assert_eq!(server.session(SESSION).unwrap().posts, 1);
    server.fail(
        Fault::delay(Duration::from_millis(1))
            .after_applying()
            .times(1),
    );
    start_session(&server, SESSION).await;
    assert_eq!(
        server.session(SESSION).unwrap().posts,
        2,
        "applied once, not twice"
    );
}

#[tokio::test]
async fn a_late_answer_to_a_call_from_before_a_clear_is_no_other_calls_answer() {
    let server = server().await;
    server.fail(
        Fault::status(504)
            .delayed(Duration::from_millis(50))
            .times(1),
    );
    let late = tokio::spawn(http().post(server.url() + "/v1/sessions").body("{}").send());
    assert!(
        server
            .wait_until(AMPLE, |server| server.stats().requests == 1)
            .await
    );
    server.clear();
    server.fail(Fault::hang().times(1));
    let hanging = tokio::spawn(http().post(server.url() + "/v1/sessions").body("{}").send());
    assert!(
        server
            .wait_until(AMPLE, |server| server.stats().requests == 1)
            .await
    );
    assert_eq!(late.await.unwrap().unwrap().status(), 504);
    assert_eq!(server.requests()[0].status, None);
    hanging.abort();
}
