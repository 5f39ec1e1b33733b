//! One tracer serves many threads: workers, applications, runtimes; and servers end in several ways.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong here should stop the test"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, Error, HttpResponse, HttpServer, Responder};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use honeyhive::{HoneyHiveTracer, Session};
use honeyhive_actix::HoneyHive;
use honeyhive_local::LocalServer;
use integration_tests::actix::serve_app;
use integration_tests::app::{Refusal, Signal};
use integration_tests::client::Client;
use integration_tests::harness::{PATIENCE, assert_ended, balanced, honeyhive, span_names, tracer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Answers the thread that it ran on, from within a span.
async fn work(tracer: Data<HoneyHiveTracer>) -> String {
    let span = tracer.span("work").start();
    span.scope(tokio::task::yield_now()).await;
    format!("{:?}", thread::current().id())
}

/// Asserts that so many sessions have ended, each with one span of this name in it.
fn assert_sessions(honeyhive: &LocalServer, count: usize, span: &str) {
    let sessions = honeyhive.sessions();
    assert_eq!(sessions.len(), count);
    for session in &sessions {
        assert_ended(session, 200, "complete");
        let id = session.session_id.parse().unwrap();
        assert_eq!(span_names(honeyhive, id), [span]);
    }
    assert!(honeyhive.orphans().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_applications_and_their_workers_share_one_tracer() {
    const REQUESTS: usize = 40;
    let honeyhive = honeyhive().await;
    let tracer = tracer(&honeyhive.url());
    let app = {
        let tracer = tracer.clone();
        move || {
            App::new()
                .app_data(Data::new(tracer.clone()))
                .wrap(HoneyHive::new(tracer.clone()))
                .route("/", web::get().to(work))
        }
    };
    let servers = [serve_app(app.clone()).await, serve_app(app).await];
    let clients = servers.each_ref().map(|it| Client::new(it.address));
    let calls = clients.iter().cycle().take(REQUESTS);
    let answers = join_all(calls.map(|client| client.request("GET", "/").send())).await;
    let threads: BTreeSet<_> = answers.iter().map(|it| it.text().to_owned()).collect();
    assert_eq!(threads.len(), 4, "two workers each: {threads:?}");

    tracer.force_flush(PATIENCE).await.unwrap();
    assert_sessions(&honeyhive, REQUESTS, "work");
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_a_plain_tokio_runtime_works_as_well() {
    let honeyhive = honeyhive().await;
    let tracer = tracer(&honeyhive.url());
    let for_workers = tracer.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(for_workers.clone()))
            .wrap(HoneyHive::new(for_workers.clone()))
            .route("/", web::get().to(work))
    });
    let server = server.workers(2).disable_signals();
    let server = server.bind("127.0.0.1:0").unwrap();
    let client = Client::new(server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    let serving = tokio::spawn(server);
    let calls = (0..10).map(|_| client.request("GET", "/").send());
    join_all(calls).await;
    handle.stop(true).await;
    serving.await.unwrap().unwrap();
    tracer.shutdown(PATIENCE).await.unwrap();
    assert_sessions(&honeyhive, 10, "work");
}

/// `Streams` has the signals by which the test and the streams wait for each other.
struct Streams {
    tracer: HoneyHiveTracer,
    entered: Signal,
    release: Signal,
}

impl Streams {
    fn of(tracer: HoneyHiveTracer) -> Self {
        Self {
            tracer,
            entered: Signal::default(),
            release: Signal::default(),
        }
    }
}

/// Streams a first piece, and a second one from within a span, when the test says so.
async fn parked_stream(streams: Data<Streams>) -> impl Responder {
    let first = stream::once(async { Ok::<_, Refusal>(Bytes::from("first ")) });
    let second = stream::once(async move {
        streams.entered.give();
        streams.release.taken().await;
        let span = streams.tracer.span("second").start();
        span.scope(tokio::task::yield_now()).await;
        Ok(Bytes::from("second"))
    });
    HttpResponse::Ok().streaming(first.chain(second))
}

fn parked(
    streams: Arc<Streams>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .wrap(HoneyHive::new(streams.tracer.clone()))
        .app_data(Data::from(streams))
        .route("/", web::get().to(parked_stream))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_delivered_by_a_graceful_stop_and_then_a_shutdown_of_the_tracer() {
    const STREAMS: usize = 20;
    let honeyhive = honeyhive().await;
    let tracer = tracer(&honeyhive.url());
    let streams = Arc::new(Streams::of(tracer.clone()));
    let shared = Arc::clone(&streams);
    let server = serve_app(move || parked(Arc::clone(&shared))).await;
    let client = Client::new(server.address);
    let calls = (0..STREAMS).map(|_| client.request("GET", "/").send());
    let answers = tokio::spawn(join_all(calls));
    for _ in 0..STREAMS {
        streams.entered.taken().await;
    }
    let stopping = tokio::spawn(server.stop());
    for _ in 0..STREAMS {
        streams.release.give();
    }
    for answer in answers.await.unwrap() {
        assert_eq!(answer.text(), "first second");
    }
    stopping.await.unwrap();

    tracer.shutdown(PATIENCE).await.unwrap();
    let stats = balanced(&tracer);
    assert_eq!(stats.accepted, 3 * STREAMS as u64, "{stats:?}");
    assert_eq!(stats.delivered, stats.accepted, "{stats:?}");
    assert_sessions(&honeyhive, STREAMS, "second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_only_stops_sending_is_answered_where_actix_web_allows_it() {
    let honeyhive = honeyhive().await;
    let streams = Arc::new(Streams::of(tracer(&honeyhive.url())));
    let shared = Arc::clone(&streams);
    let server = HttpServer::new(move || parked(Arc::clone(&shared)));
    let server = server.workers(2).disable_signals();
    let server = server.bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let serving = tokio::spawn(server);
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
    connection.write_all(request).await.unwrap();
    connection.shutdown().await.unwrap();
    streams.entered.taken().await;
    streams.release.give();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("second\r\n0\r\n\r\n"), "{answer}");
    handle.stop(true).await;
    serving.await.unwrap().unwrap();
    streams.tracer.shutdown(PATIENCE).await.unwrap();
    assert_sessions(&honeyhive, 1, "second");
}

/// Hands its session to a task that outlives the answer.
async fn leave_a_task(streams: Data<Streams>) -> &'static str {
    let session = Session::current().unwrap();
    let task = async move {
        streams.release.taken().await;
        drop(streams.tracer.span("afterwards").start());
        streams.entered.give();
    };
    drop(session.spawn(task));
    "started"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_outlives_its_request_stays_in_the_session() {
    let honeyhive = honeyhive().await;
    let tracer = tracer(&honeyhive.url());
    let streams = Arc::new(Streams::of(tracer.clone()));
    let shared = Arc::clone(&streams);
    let server = serve_app(move || {
        App::new()
            .app_data(Data::from(Arc::clone(&shared)))
            .wrap(HoneyHive::new(shared.tracer.clone()))
            .route("/", web::get().to(leave_a_task))
    })
    .await;
    let call = Client::new(server.address).request("GET", "/");
    assert_eq!(call.send().await.text(), "started");
    streams.release.give();
    streams.entered.taken().await;
    tracer.shutdown(PATIENCE).await.unwrap();
    assert_sessions(&honeyhive, 1, "afterwards");
}
