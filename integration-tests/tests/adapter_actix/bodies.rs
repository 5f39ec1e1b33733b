//! actix-web has bodies of every kind, both ways: they pass untouched, and their end is the session's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong here should stop the test"
)]

use std::io::Read;
use std::sync::Arc;
use std::task::Poll;

use actix_files::{Files, NamedFile};
use actix_web::body::SizedStream;
use actix_web::middleware::{Compress, Condition};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, Responder};
use actix_ws::Message;
use flate2::read::GzDecoder;
use futures_util::{StreamExt, stream};
use honeyhive::HoneyHiveTracer;
use honeyhive::testing::{Captured, CapturedSession, tracer};
use honeyhive_actix::{CurrentSession, HoneyHive};
use honeyhive_local::{LocalServer, LocalSession};
use integration_tests::actix::serve_app;
use integration_tests::app::{Caused, Refusal, Signal, payload};
use integration_tests::client::{Answer, Client};
use integration_tests::harness::{self, PATIENCE, assert_ended, has_ended};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::serve;

async fn breaking() -> HttpResponse {
    let pieces = [
        Ok(Bytes::from_static(b"one")),
        Err(Caused(Refusal("the model is gone"))),
    ];
    HttpResponse::Ok().streaming(stream::iter(pieces).then(async |piece| {
        actix_web::rt::task::yield_now().await;
        piece
    }))
}

#[tokio::test]
async fn a_body_that_fails_is_recorded_with_every_cause_inside_a_compression_or_not() {
    for compresses in [false, true] {
        let (tracer, captured) = tracer();
        let running = serve_app(move || {
            App::new()
                .wrap(Condition::new(compresses, Compress::default()))
                .wrap(HoneyHive::new(tracer.clone()))
                .route("/breaking", web::get().to(breaking))
        })
        .await;
        let call = Client::new(running.address).request("GET", "/breaking");
        let opened = call.header("accept-encoding", "gzip").open().await;
        assert!(opened.rest().await.is_err(), "the body never ends");
        let session = captured.only_session();
        let error = session.error.as_deref().unwrap();
        assert!(
            error.ends_with("no more tokens: the model is gone"),
            "{error}"
        );
        for text in ["response body write error", "no more tokens"] {
            assert_eq!(error.matches(text).count(), 1, "{error}");
        }
    }
}

/// Asserts that a session has counted the whole of an answer.
#[track_caller]
fn assert_complete(session: &CapturedSession, status: u16, bytes: usize) {
    assert_eq!(session.outputs["status_code"], status);
    assert_eq!(session.metadata["outcome"], "complete");
    assert_eq!(session.metadata["response_bytes"], bytes);
}

async fn manifest() -> actix_web::Result<NamedFile> {
    Ok(NamedFile::open(env!("CARGO_MANIFEST_PATH"))?)
}

async fn ask_for_the_manifest(headers: &[(&str, &str)]) -> (Answer, CapturedSession) {
    let (running, captured) = serve(|config| {
        config.route("/manifest", web::get().to(manifest));
    })
    .await;
    let call = Client::new(running.address).request("GET", "/manifest");
    let call = headers
        .iter()
        .fold(call, |call, (name, value)| call.header(name, value));
    (call.send().await, captured.only_session())
}

#[tokio::test]
async fn a_named_file_passes_with_its_length_and_its_conditions() {
    let contents = std::fs::read(env!("CARGO_MANIFEST_PATH")).unwrap();
    let (whole, session) = ask_for_the_manifest(&[]).await;
    assert_eq!((whole.status, &*whole.body), (200, &*contents));
    let length = contents.len().to_string();
    assert_eq!(whole.header("content-length"), Some(&*length));
    assert_complete(&session, 200, contents.len());

    let (range, session) = ask_for_the_manifest(&[("range", "bytes=1-4")]).await;
    assert_eq!((range.status, &*range.body), (206, &contents[1..=4]));
    assert_complete(&session, 206, 4);

    let etag = whole.header("etag").unwrap();
    let (unchanged, session) = ask_for_the_manifest(&[("if-none-match", etag)]).await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_complete(&session, 304, 0);
}

#[tokio::test]
async fn a_folder_of_files_is_served_in_sessions() {
    for (path, status) in [("/files/lib.rs", 200), ("/files/no-such-file", 404)] {
        let (running, captured) = serve(|config| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
            config.service(Files::new("/files", folder));
        })
        .await;
        let call = Client::new(running.address).request("GET", path);
        let answer = call.send().await;
        assert_eq!(answer.status, status);
        let session = captured.only_session();
        assert_complete(&session, status, answer.body.len());
        assert_eq!(session.inputs["path"], path);
        assert_eq!(session.id, answer.session_id());
    }
}

/// Sends back what comes, piece by piece.
async fn echo(_: CurrentSession, incoming: web::Payload) -> HttpResponse {
    HttpResponse::Ok().streaming(incoming)
}

async fn read_until(connection: &mut TcpStream, end: &str) -> String {
    let mut seen = String::new();
    while !seen.ends_with(end) {
        let mut bytes = [0; 1024];
        let read = connection.read(&mut bytes).await.unwrap();
        assert_ne!(read, 0, "it ends early: {seen:?}");
        seen.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    seen
}

#[tokio::test]
async fn payloads_stream_both_ways_at_once() {
    let (running, captured) = serve(|config| {
        config.route("/echo", web::post().to(echo));
    })
    .await;
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    let head = "POST /echo HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    for chunk in ["5\r\nfirst\r\n", "6\r\nsecond\r\n"] {
        connection.write_all(chunk.as_bytes()).await.unwrap();
        read_until(&mut connection, chunk).await;
        assert!(captured.sessions().iter().all(|it| it.end_time.is_none()));
    }
    connection.write_all(b"0\r\n\r\n").await.unwrap();
    read_until(&mut connection, "0\r\n\r\n").await;
    assert_complete(&captured.only_session(), 200, "firstsecond".len());
}

#[tokio::test]
async fn a_payload_that_breaks_off_is_an_error_of_the_stream() {
    let (running, captured) = serve(|config| {
        config.route("/echo", web::post().to(echo));
    })
    .await;
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    let request = "POST /echo HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n\
                   5\r\nfirst\r\n";
    connection.write_all(request.as_bytes()).await.unwrap();
    read_until(&mut connection, "first\r\n").await;
    connection.write_all(b"no length\r\n").await.unwrap();
    let _ = connection.read_to_end(&mut Vec::new()).await;
    let session = captured.only_session();
    assert_eq!(session.metadata["outcome"], "error");
    assert_eq!(session.outputs["status_code"], 200);
    assert_eq!(session.metadata["response_bytes"], "first".len());
    assert!(session.error.is_some());
}

const LENGTH: usize = 100_000;

async fn whole() -> impl Responder {
    Bytes::from(vec![b'a'; LENGTH])
}

fn pieces() -> impl futures_util::Stream<Item = Result<Bytes, Refusal>> {
    stream::iter((0..10).map(|_| Ok(Bytes::from(vec![b'a'; LENGTH / 10]))))
}

async fn streamed(tracer: web::Data<HoneyHiveTracer>) -> impl Responder {
    let pieces = pieces().then(move |piece| {
        let span = tracer.span("piece").start();
        async move { span.scope(async { piece }).await }
    });
    HttpResponse::Ok().streaming(pieces)
}

fn bodies(tracer: HoneyHiveTracer) -> impl FnOnce(&mut web::ServiceConfig) {
    |config| {
        config
            .app_data(web::Data::new(tracer))
            .route("/whole", web::get().to(whole))
            .route("/streamed", web::get().to(streamed));
    }
}

async fn compressed(address: std::net::SocketAddr, path: &str) -> Answer {
    let call = Client::new(address).request("GET", path);
    let answer = call.header("accept-encoding", "gzip").send().await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut plain = Vec::new();
    GzDecoder::new(&*answer.body)
        .read_to_end(&mut plain)
        .unwrap();
    assert_eq!(plain, vec![b'a'; LENGTH]);
    answer
}

fn assert_pieces(captured: &Captured, path: &str) -> CapturedSession {
    let session = captured.only_session();
    let pieces = if path == "/streamed" { 10 } else { 0 };
    assert_eq!(session.events.len(), pieces, "{path}");
    session
}

#[tokio::test]
async fn compression_further_out_gets_the_plain_bytes() {
    for path in ["/whole", "/streamed"] {
        let (tracer, captured) = tracer();
        let running = serve_app(move || {
            App::new()
                .wrap(HoneyHive::new(tracer.clone()))
                .wrap(Compress::default())
                .configure(bodies(tracer.clone()))
        })
        .await;
        let answer = compressed(running.address, path).await;
        let session = assert_pieces(&captured, path);
        assert_eq!(session.id, answer.session_id());
        assert_complete(&session, 200, LENGTH);
    }
}

#[tokio::test]
async fn compression_further_in_hands_over_the_bytes_that_are_sent() {
    for path in ["/whole", "/streamed"] {
        let (tracer, captured) = tracer();
        let running = serve_app(move || {
            App::new()
                .wrap(Compress::default())
                .wrap(HoneyHive::new(tracer.clone()))
                .configure(bodies(tracer.clone()))
        })
        .await;
        let answer = compressed(running.address, path).await;
        let session = assert_pieces(&captured, path);
        assert_eq!(session.id, answer.session_id());
        assert!(answer.body.len() < LENGTH / 10);
        assert_complete(&session, 200, answer.body.len());
    }
}

async fn sized() -> impl Responder {
    HttpResponse::Ok().body(SizedStream::new(LENGTH as u64, pieces()))
}

#[tokio::test]
async fn a_stream_of_known_size_keeps_its_length_over_both_versions() {
    let (running, captured) = serve(|config| {
        config.route("/", web::get().to(sized));
    })
    .await;
    let client = Client::new(running.address);
    for call in [
        client.request("GET", "/"),
        client.request("GET", "/").http2(),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.header("content-length"), Some("100000"));
        assert_eq!(answer.body.len(), LENGTH);
        let session = captured.session(answer.session_id()).unwrap();
        assert_complete(&session, 200, LENGTH);
    }
}

#[derive(Default)]
struct Gate {
    entered: Signal,
    release: Signal,
}

async fn gated(gate: web::Data<Gate>) -> impl Responder {
    gate.entered.give();
    gate.release.taken().await;
    payload(10)
}

/// A cancelled HTTP/2 request behaves differently in actix-web, so the row of the table about it leaves this out.
#[tokio::test]
async fn the_handler_of_a_cancelled_http2_request_ends_and_then_nobody_takes_its_answer() {
    let honeyhive = harness::honeyhive().await;
    let tracer = harness::tracer(&honeyhive.url());
    let gate = Arc::new(Gate::default());
    let shared = Arc::clone(&gate);
    let running = serve_app(move || {
        App::new()
            .app_data(web::Data::from(Arc::clone(&shared)))
            .wrap(HoneyHive::new(tracer.clone()))
            .route("/", web::get().to(gated))
            .route("/next", web::get().to(quiet))
    })
    .await;
    let client = Client::new(running.address);
    let cancelled = tokio::spawn(client.request("GET", "/").http2().send());
    gate.entered.taken().await;
    cancelled.abort();
    assert!(cancelled.await.unwrap_err().is_cancelled());
    // Frames arrive in order, so the server knows of the cancellation with this answer.
    client.request("GET", "/next").http2().send().await;
    gate.release.give();
    let ended = |it: &LocalSession| it.name.as_deref() == Some("GET /") && has_ended(it);
    let is_there = |honeyhive: &LocalServer| honeyhive.sessions().iter().any(ended);
    assert!(honeyhive.wait_until(PATIENCE, is_there).await);
    let sessions = honeyhive.sessions();
    let session = sessions.iter().find(|session| ended(session)).unwrap();
    assert_ended(session, 200, "client_disconnected");
    assert_eq!(session.metadata["response_bytes"], 0);
}

/// Answers each message with the id of its session, until the client has enough.
async fn socket(
    session: CurrentSession,
    request: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let (response, mut socket, mut messages) = actix_ws::handle(&request, body)?;
    actix_web::rt::spawn(async move {
        while let Some(Ok(Message::Text(_))) = messages.recv().await {
            socket.text(session.id().to_string()).await.unwrap();
        }
        socket.close(None).await
    });
    Ok(response)
}

#[tokio::test]
async fn an_upgrade_passes_compression_and_its_socket_outlives_the_end_of_the_session() {
    let (tracer, captured) = tracer();
    let running = serve_app(move || {
        let wrapped = web::resource("/ws").wrap(HoneyHive::new(tracer.clone()));
        App::new()
            .wrap(Compress::default())
            .service(wrapped.route(web::get().to(socket)))
    })
    .await;
    let mut connection = TcpStream::connect(running.address).await.unwrap();
    let upgrade = "GET /ws HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                   accept-encoding: gzip\r\n\r\n";
    connection.write_all(upgrade.as_bytes()).await.unwrap();
    let head = read_until(&mut connection, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let session = captured.only_session();
    assert_complete(&session, 101, 0);

    // The messages are masked with zeros: two texts, and a goodbye.
    for _ in 0..2 {
        let text = b"\x81\x82\0\0\0\0hi";
        connection.write_all(text).await.unwrap();
        let mut answer = [0; 2 + 36];
        connection.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer[2..], session.id.to_string().as_bytes());
    }
    let goodbye = b"\x88\x80\0\0\0\0";
    connection.write_all(goodbye).await.unwrap();
    connection.read_to_end(&mut Vec::new()).await.unwrap();
    assert_complete(&captured.only_session(), 101, 0);
}

async fn quiet() -> impl Responder {
    HttpResponse::NoContent().finish()
}

#[tokio::test]
async fn an_answer_without_a_body_ends_with_its_head_over_both_versions() {
    let (running, captured) = serve(|config| {
        config.route("/", web::get().to(quiet));
    })
    .await;
    let client = Client::new(running.address);
    for call in [
        client.request("GET", "/"),
        client.request("GET", "/").http2(),
    ] {
        let answer = call.send().await;
        let session = captured.session(answer.session_id()).unwrap();
        assert_complete(&session, 204, 0);
    }
}

#[tokio::test]
async fn what_a_sized_stream_does_after_its_last_piece_is_in_the_session() {
    /// Yields the bytes that were said, and then makes a span before it ends.
    async fn answer() -> impl Responder {
        let piece = stream::iter([Ok::<_, Refusal>(Bytes::from_static(b"whole"))]);
        let tail = stream::poll_fn(|_| {
            drop(honeyhive::span("after the last piece").start());
            Poll::Ready(None)
        });
        HttpResponse::Ok().body(SizedStream::new(5, piece.chain(tail)))
    }
    let (running, captured) = serve(|config| {
        config.route("/", web::get().to(answer));
    })
    .await;
    let answer = Client::new(running.address).request("GET", "/").send();
    assert_eq!(answer.await.text(), "whole");
    // The lookup panics where the event is missing.
    let _ = captured.only_session().event("after the last piece");
}
