//! Four processes send as many spans as the machine can to one OTLP sink that counts: is anything lost, or there twice?
//!
//! Usage: `bench-scale [SECONDS]` (default 60). Each process has a tracer with `SessionTransport::Otlp`, and makes sessions of five
//! spans as fast as its queue empties; the sink notes which span of which session has come.

#![expect(
    clippy::print_stdout,
    reason = "a program that prints its measurements"
)]

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use honeyhive::{HoneyHiveTracer, OtlpCompression, SessionTransport, json};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PROCESSES: u32 = 4;
/// Spans a session.
const EACH: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        Some("child") => child(
            &arguments.next().unwrap_or_default(),
            seconds(arguments.next())?,
        ),
        given => parent(seconds(given.map(str::to_owned))?),
    }
}

fn seconds(given: Option<String>) -> Outcome<u64> {
    Ok(given.map_or(Ok(60), |text| text.parse())?)
}

/// What has come: by session, one bit a span, and what came more than once.
#[derive(Debug, Default)]
struct Seen {
    sessions: HashMap<String, u32>,
    spans: u64,
    twice: u64,
    strange: u64,
    calls: u64,
    bytes: u64,
}

type Shared = Arc<Mutex<Seen>>;

fn parent(seconds: u64) -> Outcome<()> {
    let seen = Shared::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let sink = Router::new()
        .fallback(take)
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(&seen));
    std::thread::spawn(move || runtime.block_on(async { axum::serve(listener, sink).await }));
    let began = Instant::now();
    let children: Vec<Child> = (0..PROCESSES)
        .map(|_| start(&url, seconds))
        .collect::<Outcome<_>>()?;
    let mut made = 0;
    for child in children {
        let output = child.wait_with_output()?;
        let said = String::from_utf8(output.stdout)?;
        println!("a process: {}", said.trim());
        let sessions: u64 = said.split_whitespace().next().unwrap_or_default().parse()?;
        made += sessions;
    }
    report(
        &seen.lock().unwrap_or_else(PoisonError::into_inner),
        made,
        began.elapsed(),
    );
    Ok(())
}

fn start(url: &str, seconds: u64) -> Outcome<Child> {
    let mut command = Command::new(env::current_exe()?);
    let command = command.args(["child", url, &seconds.to_string()]);
    Ok(command.stdout(Stdio::piped()).spawn()?)
}

fn report(seen: &Seen, made: u64, took: Duration) {
    let all = (1 << EACH) - 1;
    let whole = seen
        .sessions
        .values()
        .filter(|spans| **spans == all)
        .count();
    println!(
        "sessions made {made}, seen {}, whole {whole}",
        seen.sessions.len()
    );
    println!(
        "spans made {}, seen {}, twice {}, of no session {}",
        made * u64::from(EACH),
        seen.spans,
        seen.twice,
        seen.strange
    );
    println!(
        "calls {}, {:.0} spans each; {:.0} bytes a span; {:.0} spans a second",
        seen.calls,
        seen.spans as f64 / seen.calls as f64,
        seen.bytes as f64 / seen.spans as f64,
        seen.spans as f64 / took.as_secs_f64()
    );
}

async fn take(State(seen): State<Shared>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(&body[..]) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.calls += 1;
    seen.bytes += body.len() as u64;
    let resources = request.resource_spans.into_iter();
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    for span in scopes.flat_map(|scope| scope.spans) {
        seen.note(&span);
    }
    StatusCode::OK
}

impl Seen {
    fn note(&mut self, span: &Span) {
        self.spans += 1;
        let number = span
            .name
            .strip_prefix("step ")
            .and_then(|it| it.parse::<u32>().ok());
        let session =
            span.attributes
                .iter()
                .find_map(|it| match it.value.as_ref()?.value.as_ref()? {
                    Value::StringValue(id) if it.key == "honeyhive.session_id" => Some(id.clone()),
                    _ => None,
                });
        let (Some(number), Some(session)) = (number, session) else {
            self.strange += 1;
            return;
        };
        let spans = self.sessions.entry(session).or_default();
        self.twice += u64::from(*spans & (1 << number) != 0);
        *spans |= 1 << number;
    }
}

fn child(url: &str, seconds: u64) -> Outcome<()> {
    let tracer = HoneyHiveTracer::builder()
        .api_key("hh_bench")
        .server_url(url)
        .session_transport(SessionTransport::Otlp)
        .otlp_compression(OtlpCompression::None)
        .build()?;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut sessions = 0_u64;
    while Instant::now() < end {
        if tracer.fullness() > 0.5 {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        session(&tracer);
        sessions += 1;
    }
    tracer.shutdown_blocking(PATIENCE)?;
    let stats = tracer.stats();
    println!(
        "{sessions} sessions; accepted {}, delivered {}, dropped {}, tried again {}",
        stats.accepted,
        stats.delivered,
        stats.dropped.total(),
        stats.retried
    );
    Ok(())
}

fn session(tracer: &HoneyHiveTracer) {
    let session = tracer.create_session("POST /chat");
    session.in_scope(|| {
        for number in 0..EACH {
            let span = tracer.span(format!("step {number}")).start();
            span.inputs(json!({"question": "why?", "tries": number}));
        }
    });
}
