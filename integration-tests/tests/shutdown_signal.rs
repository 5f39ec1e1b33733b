//! A signal stops a server: first the requests under way end, then their recordings are delivered.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on should say so; its program tells where it listens"
)]

use std::convert::Infallible;
use std::future::IntoFuture;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::task::{Context, Waker};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_util::Stream;
use honeyhive::{FlushError, HoneyHiveTracer, Served, SessionId, StopSignal};
use honeyhive_actix::HoneyHive;
use honeyhive_local::{Fault, LocalServer, LocalSession};
use honeyhive_tower::HoneyHiveLayer;
use integration_tests::client::{Answer, Client};
use integration_tests::faults::table::{KEY, server};
use integration_tests::harness::{PATIENCE, has_ended};
use tokio::task::JoinHandle;

const CHILD: &str = "HH_SIGNAL_CHILD";

/// A stream has this number of pieces.
const PIECES: usize = 10;

/// Answers after a while: the test decides how long the handler goes on.
async fn slow(tracer: &HoneyHiveTracer) -> &'static str {
    let span = tracer.span("slow").start();
    tracer.force_flush(Duration::ZERO).await.ok();
    drop(tracer.span("begun").start());
    let time = std::env::var("HH_SIGNAL_SLOW").unwrap().parse().unwrap();
    span.scope(tokio::time::sleep(Duration::from_millis(time)))
        .await;
    "done"
}

/// Streams ten pieces, each of them work of the session; the test decides how long each takes.
fn pieces() -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    let time = std::env::var("HH_SIGNAL_SLOW").unwrap().parse().unwrap();
    futures_util::stream::unfold(0, move |number| async move {
        if number == PIECES {
            return None;
        }
        let span = honeyhive::span("piece").start();
        span.scope(tokio::time::sleep(Duration::from_millis(time)))
            .await;
        Some((Ok(Bytes::from(format!("{number} "))), number + 1))
    })
}

/// Prints how the server ended, for the test.
fn tell<T, E: std::fmt::Debug>(served: Served<Result<T, E>>) {
    let cut = served.output.is_none();
    println!("unfinished={}", served.unfinished);
    assert!(served.output.transpose().is_ok());
    match served.delivery {
        Ok(report) => println!("cut={cut} delivered={} pending=0", report.delivered),
        Err(FlushError::TimedOut { report, .. }) => {
            println!(
                "cut={cut} delivered={} pending={}",
                report.delivered, report.pending
            );
        }
        Err(FlushError::Dropped { report, .. }) => {
            println!(
                "cut={cut} delivered={} dropped={}",
                report.delivered, report.dropped
            );
        }
        Err(error) => println!("{error}"),
    }
}

/// Returns the tracer of a program, whose warnings are on stderr.
fn tracer() -> HoneyHiveTracer {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .init();
    HoneyHiveTracer::builder()
        .coalesce_window(Duration::from_secs(3_600))
        .build()
        .unwrap()
}

#[tokio::main]
async fn axum_program() {
    let tracer = tracer();
    let for_handler = tracer.clone();
    let app = Router::new()
        .route("/", get(async move || slow(&for_handler).await))
        .route("/stream", get(async || Body::from_stream(pieces())))
        .layer(HoneyHiveLayer::new(tracer.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listens on {}", listener.local_addr().unwrap());
    let serve = tracer
        .serve(|stop| axum::serve(listener, app).with_graceful_shutdown(stop))
        .drain_limit(Duration::from_secs(2))
        .delivery_limit(Duration::from_secs(1));
    // The server runs in a task, as beside a worker.
    tell(tokio::spawn(serve.into_future()).await.unwrap());
}

#[actix_web::main]
async fn actix_program() {
    let tracer = tracer();
    let for_workers = tracer.clone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("listens on {}", listener.local_addr().unwrap());
    let server = HttpServer::new(move || {
        let tracer = for_workers.clone();
        let slow = move || {
            let tracer = tracer.clone();
            async move { slow(&tracer).await }
        };
        App::new()
            .wrap(HoneyHive::new(for_workers.clone()))
            .route("/", web::get().to(slow))
            .route(
                "/stream",
                web::get().to(async || HttpResponse::Ok().streaming(pieces())),
            )
    });
    let server = server.workers(1).listen(listener).unwrap();
    let served = tracer
        .serve(|stop| server.shutdown_signal(stop).run())
        .delivery_limit(Duration::from_secs(1))
        .await;
    tell(served);
}

/// The program's server is told to stop in its first poll, as one that is stopped as soon as it takes requests.
#[tokio::main]
async fn program_that_is_stopped_at_once() {
    let tracer = tracer();
    println!("listens on 127.0.0.1:1");
    let recorder = tracer.clone();
    let server = |stop: StopSignal| async move {
        let id = std::process::id().to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status();
        assert!(killed.unwrap().success());
        drop(recorder.span("begun").start());
        stop.await;
        Ok::<_, Infallible>(())
    };
    tell(tracer.serve(server).await);
}

/// A `Program` of this file runs in a process of its own.
struct Program {
    child: Child,
    /// The process that the signal is for.
    id: u32,
    address: SocketAddr,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Program {
    fn start(framework: &str, honeyhive: &LocalServer, slow: u64) -> Self {
        let program = Command::new(std::env::current_exe().unwrap());
        Self::run(program, framework, honeyhive, slow)
    }

    /// Starts the program as a container does: as process 1, which ignores every signal that it does not listen for.
    /// `None` where the system allows no namespaces to this user.
    fn start_as_process_one(framework: &str, honeyhive: &LocalServer, slow: u64) -> Option<Self> {
        let namespace = || {
            let mut unshare = Command::new("unshare");
            unshare.args([
                "--user",
                "--map-root-user",
                "--pid",
                "--fork",
                "--kill-child",
            ]);
            unshare
        };
        let tried = namespace().arg("true").output();
        if !tried.is_ok_and(|it| it.status.success()) {
            return None;
        }
        let mut program = namespace();
        program.arg(std::env::current_exe().unwrap());
        let mut program = Self::run(program, framework, honeyhive, slow);
        let outside = program.id;
        let children = format!("/proc/{outside}/task/{outside}/children");
        let children = std::fs::read_to_string(children).unwrap();
        program.id = children.trim().parse().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/status", program.id)).unwrap();
        let inside = status.lines().find(|line| line.starts_with("NSpid:"));
        assert!(inside.unwrap().ends_with("\t1"), "{status}");
        Some(program)
    }

    fn run(mut program: Command, framework: &str, honeyhive: &LocalServer, slow: u64) -> Self {
        program
            .args(["--exact", "program", "--ignored", "--nocapture", "--quiet"])
            .env(CHILD, framework)
            .env("HH_API_KEY", KEY)
            .env("HH_API_URL", honeyhive.url())
            .env("HH_SIGNAL_SLOW", slow.to_string());
        program.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = said(&mut lines, "listens on ");
        let address = line.parse().unwrap();
        Self {
            id: child.id(),
            child,
            address,
            lines,
        }
    }

    fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        let status = kill.args([name, &self.id.to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Sends two signals: the program waits for no request any more.
    async fn stop_without_patience(&self) {
        self.signal("-TERM");
        // The second one counts once the first has been taken: a new connection is refused then.
        while tokio::net::TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        self.signal("-INT");
    }

    /// Waits for the end, and returns the line about it.
    fn end(mut self) -> String {
        let end = said(&mut self.lines, "cut=");
        self.exit();
        end
    }

    /// Waits for the end of a program that cuts nothing off and delivers everything.
    #[track_caller]
    fn end_whole(self) {
        let end = self.end();
        assert!(
            end.starts_with("false") && end.ends_with("pending=0"),
            "{end}"
        );
    }

    /// Waits for the end, and returns the number of requests that were left under way, and the text on stderr.
    fn end_with_unfinished(mut self) -> (String, String) {
        let unfinished = said(&mut self.lines, "unfinished=");
        (unfinished, self.exit())
    }

    fn exit(&mut self) -> String {
        let status = self.child.wait().unwrap();
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().unwrap();
        pipe.read_to_string(&mut stderr).unwrap();
        assert!(status.success(), "{status}: {stderr}");
        stderr
    }
}

fn said(lines: &mut impl Iterator<Item = std::io::Result<String>>, beginning: &str) -> String {
    let lines = lines.map(Result::unwrap);
    let mut found = lines.filter_map(|line| {
        let at = line.find(beginning)?;
        Some(line[at + beginning.len()..].to_owned())
    });
    found.next().unwrap()
}

#[test]
#[ignore = "the program of the other tests, which run it in a process of its own"]
fn program() {
    match std::env::var(CHILD).as_deref() {
        Ok("axum") => axum_program(),
        Ok("actix") => actix_program(),
        Ok("at once") => program_that_is_stopped_at_once(),
        _ => {}
    }
}

const FRAMEWORKS: [&str; 2] = ["axum", "actix"];

/// `UnderWay` is a program with a request under way, whose handler has begun.
struct UnderWay {
    program: Program,
    call: JoinHandle<Result<Answer, String>>,
}

impl UnderWay {
    async fn start(framework: &str, honeyhive: &LocalServer, slow: u64) -> Self {
        let program = Program::start(framework, honeyhive, slow);
        let client = Client::new(program.address);
        let call = tokio::spawn(client.request("GET", "/").attempt());
        // The flush that asks for the session to be sent comes through once the handler has begun.
        let seen = honeyhive.wait_until(PATIENCE, |it| it.stats().requests > 0);
        assert!(seen.await);
        Self { program, call }
    }

    /// Waits for the end of a program that does not wait for the request, whose session ends with it.
    async fn end_cut(self, honeyhive: &LocalServer) {
        let end = self.program.end();
        assert!(end.starts_with("true"), "{end}");
        let sessions = honeyhive.sessions();
        let [session] = &sessions[..] else {
            panic!("one session: {sessions:#?}");
        };
        assert_cut(session);
        assert!(
            self.call.await.unwrap().is_err(),
            "the client gets no answer"
        );
    }
}

/// The server was stopped before the request had ended, and the session says so.
#[track_caller]
fn assert_cut(session: &LocalSession) {
    assert_eq!(session.metadata["outcome"], "cancelled", "{session:#?}");
    let error = session.metadata["error"].as_str();
    assert!(
        error.is_some_and(|it| it.contains("the server was stopped")),
        "{session:#?}"
    );
    assert!(session.end_time.is_some(), "{session:#?}");
    assert!(session.metadata["latency_ms"].is_number(), "{session:#?}");
}

#[tokio::test]
async fn a_request_under_way_ends_and_is_delivered_before_the_program_does() {
    for framework in FRAMEWORKS {
        for signal in ["-TERM", "-INT"] {
            let honeyhive = server();
            let UnderWay { program, call } = UnderWay::start(framework, &honeyhive, 300).await;
            program.signal(signal);
            let answer = call.await.unwrap().unwrap();
            assert_eq!((answer.status, answer.text()), (200, "done"), "{framework}");
            program.end_whole();
            let session = honeyhive.session(&answer.session_id().to_string()).unwrap();
            assert!(has_ended(&session), "{framework}: {session:#?}");
            assert_eq!(honeyhive.stats().events, 2, "{framework}");
        }
    }
}

/// The program is process 1, as in a container, where the system allows that.
#[tokio::test]
async fn a_stream_under_way_goes_on_to_its_end_and_is_delivered_whole() {
    for framework in FRAMEWORKS {
        let honeyhive = server();
        let program = Program::start_as_process_one(framework, &honeyhive, 30)
            .unwrap_or_else(|| Program::start(framework, &honeyhive, 30));
        let client = Client::new(program.address);
        let mut answer = client.request("GET", "/stream").open().await;
        let first = answer.piece().await;
        program.signal("-TERM");
        let answer = answer.rest().await.unwrap();
        let all: String = (0..PIECES).map(|number| format!("{number} ")).collect();
        let arrived = [&first[..], answer.text().as_bytes()].concat();
        assert_eq!(arrived, all.as_bytes(), "{framework}");
        program.end_whole();
        let session = honeyhive.session(&answer.session_id().to_string()).unwrap();
        assert!(has_ended(&session), "{framework}: {session:#?}");
        assert_eq!(session.metadata["outcome"], "complete", "{framework}");
        assert_eq!(honeyhive.stats().events, PIECES, "{framework}");
    }
}

#[tokio::test]
async fn a_request_that_does_not_end_in_time_is_not_waited_for() {
    let honeyhive = server();
    let under_way = UnderWay::start("axum", &honeyhive, 3_600_000).await;
    under_way.program.signal("-TERM");
    under_way.end_cut(&honeyhive).await;
}

#[tokio::test]
async fn a_signal_that_comes_with_the_first_request_is_heard() {
    let honeyhive = server();
    Program::start("at once", &honeyhive, 0).end_whole();
    assert_eq!(honeyhive.stats().events, 1);
}

#[tokio::test]
async fn a_second_signal_waits_for_no_request() {
    let honeyhive = server();
    let under_way = UnderWay::start("actix", &honeyhive, 3_600_000).await;
    under_way.program.stop_without_patience().await;
    under_way.end_cut(&honeyhive).await;
}

/// The connections of both servers are tasks of their own. Those of actix-web may end soon after the server's future, since
/// its workers do, and then the session's own end comes in time, or is late and not waited for.
#[tokio::test]
async fn a_stream_that_is_not_waited_for_is_counted_and_its_session_ends_as_cancelled() {
    for framework in FRAMEWORKS {
        let honeyhive = server();
        let program = Program::start(framework, &honeyhive, 3_600_000);
        let client = Client::new(program.address);
        let missed = client.request("GET", "/missing").send().await;
        let stream = client.request("GET", "/stream").open().await;
        program.stop_without_patience().await;
        let (unfinished, stderr) = program.end_with_unfinished();
        let session = |id: SessionId| honeyhive.session(&id.to_string()).unwrap();
        let missed = session(missed.session_id());
        assert_eq!(missed.metadata["outcome"], "complete", "{framework}");
        let stream = session(stream.session_id());
        if framework == "actix" && stream.metadata["outcome"] == "client_disconnected" {
            continue;
        }
        assert_cut(&stream);
        if framework == "axum" || unfinished != "0" {
            assert_eq!(unfinished, "1", "{framework}");
            let warning = "requests are still under way (1): the sessions that began with them end as `cancelled`";
            assert!(stderr.contains(warning), "{framework}: {stderr}");
        }
    }
}

#[tokio::test]
async fn what_comes_during_the_last_delivery_is_counted_as_dropped() {
    let honeyhive = server();
    let tracer = HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url(honeyhive.url());
    let tracer = tracer.build().unwrap();
    honeyhive.fail(Fault::status(503));
    drop(tracer.span("in time").start());
    let served = tracer.serve(|_| std::future::ready(()));
    let mut served = served.delivery_limit(PATIENCE).into_future();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut served).poll(&mut cx).is_pending());
    drop(tracer.span("too late").start());
    honeyhive.heal();
    let delivery = served.await.delivery;
    let Err(FlushError::Dropped { report, .. }) = delivery else {
        panic!("{delivery:?}");
    };
    // The items are a session and its span, and the span that came too late.
    assert_eq!((report.delivered, report.dropped), (2, 1));
    assert_eq!(tracer.stats().dropped.shut_down, 1);
}

#[tokio::test]
async fn what_honeyhive_did_not_take_is_reported_at_the_end() {
    let honeyhive = server();
    honeyhive.fail(Fault::status(503));
    let UnderWay { program, call } = UnderWay::start("axum", &honeyhive, 100).await;
    assert_eq!(call.await.unwrap().unwrap().status, 200);
    program.signal("-TERM");
    // The items are a session, its end and two spans.
    assert_eq!(program.end(), "false delivered=0 pending=4");
}
