//! Four processes send as many spans as the machine can to one OTLP sink, which counts whether any is lost, or there
//! twice.
//!
//! Usage: `bench-scale [SECONDS] [offer]` (default 60). Each process has a tracer with `SessionTransport::Otlp`, and makes sessions
//! of five spans as fast as its queue empties; the sink notes which span of which session has come. With `offer` it makes them as fast
//! as it can and heeds no queue, so that what delivery cannot take is dropped, and counted.
//!
//! In the end each process waits for its delivery as long as something of it arrives every [`PATIENCE`]: how long that takes is the
//! machine's matter, for delivery's threads give way to every other program.

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
/// A session has this number of spans.
const EACH: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Outcome<()> {
    let given: Vec<String> = env::args().skip(1).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    match given[..] {
        ["child", url, seconds] => child(url, seconds.parse()?, true),
        ["child", url, seconds, "offer"] => child(url, seconds.parse()?, false),
        [] => parent("60", &[]),
        [seconds, ref more @ ..] => parent(seconds, more),
    }
}

/// `Seen` has the spans that have arrived: by session, one bit a span, and the number of those that arrived twice.
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

fn parent(seconds: &str, more: &[&str]) -> Outcome<()> {
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
        .map(|_| start(&url, seconds, more))
        .collect::<Outcome<_>>()?;
    let (mut made, mut accounts) = (0, Accounts::default());
    for child in children {
        let output = child.wait_with_output()?;
        let said = String::from_utf8(output.stdout)?;
        println!("a process: {}", said.trim());
        let numbers: Vec<u64> = said
            .split(|it: char| !it.is_ascii_digit())
            .filter_map(|it| it.parse().ok())
            .collect();
        let [sessions, accepted, delivered, dropped, pending, ..] = numbers[..] else {
            return Err(format!("a process failed: {said}").into());
        };
        made += sessions;
        accounts.accepted += accepted;
        accounts.delivered += delivered;
        accounts.dropped += dropped;
        accounts.pending += pending;
    }
    report(
        &seen.lock().unwrap_or_else(PoisonError::into_inner),
        made,
        began.elapsed(),
    );
    println!(
        "items offered {}, delivered {}, dropped {}, pending {}",
        accounts.accepted, accounts.delivered, accounts.dropped, accounts.pending
    );
    Ok(())
}

/// `Accounts` has the sum of what all processes say of their items.
#[derive(Debug, Default)]
struct Accounts {
    accepted: u64,
    delivered: u64,
    dropped: u64,
    pending: u64,
}

fn start(url: &str, seconds: &str, more: &[&str]) -> Outcome<Child> {
    let mut command = Command::new(env::current_exe()?);
    let command = command.args(["child", url, seconds]).args(more);
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

fn child(url: &str, seconds: u64, heeds_queue: bool) -> Outcome<()> {
    let tracer = HoneyHiveTracer::builder()
        .api_key("hh_bench")
        .server_url(url)
        .session_transport(SessionTransport::Otlp)
        .otlp_compression(OtlpCompression::None)
        .build()?;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut sessions = 0_u64;
    while Instant::now() < end {
        if heeds_queue && tracer.fullness() > 0.5 {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        session(&tracer);
        sessions += 1;
    }
    let queued = tracer.stats().pending;
    let waited = deliver(&tracer);
    let stats = tracer.stats();
    println!(
        "{sessions} sessions; accepted {}, delivered {}, dropped {}, pending {}; tried again {}, queued at the end {queued}, delivered in {:.1} s",
        stats.accepted,
        stats.delivered,
        stats.dropped.total(),
        stats.pending,
        stats.retried,
        waited.as_secs_f64()
    );
    Ok(())
}

/// Waits until nothing is pending, or nothing arrives any more.
fn deliver(tracer: &HoneyHiveTracer) -> Duration {
    let began = Instant::now();
    let mut before = None;
    loop {
        let stats = tracer.stats();
        if stats.pending == 0 || before == Some(stats.delivered) {
            return began.elapsed();
        }
        before = Some(stats.delivered);
        // The numbers tell also of a flush that ran out of time.
        let _ = tracer.force_flush_blocking(PATIENCE);
    }
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
