//! Delivery costs processor time of its threads, and HTTP calls a request.
//!
//! Usage: `bench-delivery [NAME ...]`, where a name is one of [`MEASURES`]; all without one. Everything goes over a socket, to `HH_API_URL` or to a
//! HoneyHive in the same process; only the time of delivery's own threads counts, as Linux tells it.

#![expect(
    clippy::print_stdout,
    reason = "a program that prints its measurements"
)]

use std::error::Error;
use std::fs;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use honeyhive::http::{Headers, RequestInfo, ServerInstrumentation};
use honeyhive::opentelemetry::KeyValue;
use honeyhive::opentelemetry::trace::{SpanBuilder, Tracer as _, TracerProvider as _};
use honeyhive::{HoneyHiveTracer, SessionTransport};
use honeyhive_local::LocalServer;
use http::{HeaderMap, HeaderName};
use reqwest::{Client, ClientBuilder};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Delivery has two threads: one decides and makes calls, one seals them. The kernel keeps 15 characters of a name.
const THREADS: [&str; 2] = ["honeyhive-deliv", "honeyhive-seal"];

const PATIENCE: Duration = Duration::from_secs(120);

/// A `Measure` has the name that asks for it, a description, and the function that measures.
type Measure = (&'static str, &'static str, fn() -> Outcome<f64>);

const MEASURES: &[Measure] = &[
    (
        "sessions",
        "sessions a second of delivery's threads",
        || sessions(SessionTransport::Rest),
    ),
    (
        "sessions-otlp",
        "the same with SessionTransport::Otlp",
        || sessions(SessionTransport::Otlp),
    ),
    ("client", "calls a second of reqwest alone", || {
        let local = local()?;
        client(&url_of(&local), ClientBuilder::http1_only)
    }),
    #[cfg(feature = "http2")]
    (
        "client-http1",
        "the same, to a server of both versions",
        || client(&serve_both_versions()?, ClientBuilder::http1_only),
    ),
    #[cfg(feature = "http2")]
    ("client-http2", "the same with HTTP/2", || {
        client(
            &serve_both_versions()?,
            ClientBuilder::http2_prior_knowledge,
        )
    }),
    ("spans", "spans a second of delivery's threads", spans),
    ("calls", "REST calls a short request", || {
        calls(SessionTransport::Rest)
    }),
    (
        "otlp",
        "calls a request with SessionTransport::Otlp",
        || calls(SessionTransport::Otlp),
    ),
];

fn main() -> Outcome<()> {
    let wanted: Vec<_> = std::env::args().skip(1).collect();
    println!("{:<44} {:>10}", "", "measured");
    for (name, title, measure) in MEASURES {
        if wanted.is_empty() || wanted.iter().any(|it| it == name) {
            println!("{title:<44} {:>10.3}", measure()?);
        }
    }
    Ok(())
}

fn local() -> Outcome<LocalServer> {
    Ok(LocalServer::builder()
        .max_sessions(1000)
        .max_requests(10)
        .max_events(1000)
        .start_blocking()?)
}

fn url_of(local: &LocalServer) -> String {
    std::env::var("HH_API_URL").unwrap_or_else(|_| local.url())
}

fn tracer(local: &LocalServer, transport: SessionTransport) -> Outcome<HoneyHiveTracer> {
    Ok(HoneyHiveTracer::builder()
        .api_key("hh_bench")
        .server_url(url_of(local))
        .session_transport(transport)
        .max_pending_items(10_000_000)
        .max_pending_bytes(4 << 30)
        .build()?)
}

/// Measures requests that begin and end at once.
fn sessions(transport: SessionTransport) -> Outcome<f64> {
    const COUNT: u32 = 20_000;
    let local = local()?;
    let tracer = tracer(&local, transport)?;
    let instrumentation = ServerInstrumentation::new(tracer.clone());
    let before = delivery_time()?;
    for _ in 0..COUNT {
        request(&instrumentation);
    }
    per_second(&tracer, COUNT, before)
}

/// Measures the calls that begin as many sessions, by the HTTP client alone on a thread: as many at a time as delivery
/// makes, with as many headers.
fn client(url: &str, speaking: fn(ClientBuilder) -> ClientBuilder) -> Outcome<f64> {
    const COUNT: u32 = 20_000;
    const AT_A_TIME: usize = 16;
    let url = reqwest::Url::parse(url)?.join("/v1/sessions")?;
    let headers = client_headers()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let client = speaking(Client::builder().tls_certs_only([])).build()?;
    let call = |number: u32| {
        let body = format!(
            r#"{{"session_id":"00000000-0000-4000-8000-{number:012x}","session_name":"POST /chat","source":"dev","inputs":{{"method":"POST","path":"/chat"}},"outputs":{{"status_code":200,"outcome":"completed"}},"metadata":{{"http.route":"/chat"}},"start_time":1764460800000,"end_time":1764460800005,"duration":5}}"#
        );
        let request = client.post(url.clone()).headers(headers.clone());
        let request = request.timeout(PATIENCE).body(body);
        async move { request.send().await?.error_for_status()?.bytes().await }
    };
    let calls = stream::iter(0..COUNT).map(call).buffer_unordered(AT_A_TIME);
    let before = time_of(Path::new("/proc/thread-self"))?;
    runtime.block_on(calls.try_for_each(|_| ready(Ok(()))))?;
    let spent = time_of(Path::new("/proc/thread-self"))? - before;
    Ok(f64::from(COUNT) / spent.as_secs_f64())
}

/// Serves a HoneyHive that begins sessions alone, by both versions of HTTP in the clear, which honeyhive-local does not.
#[cfg(feature = "http2")]
fn serve_both_versions() -> Outcome<String> {
    use axum::body::Bytes;

    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = async |_: Bytes| r#"{"session_id":"00000000-0000-4000-8000-000000000000"}"#;
    let app = axum::Router::new().fallback(answer);
    std::thread::spawn(move || {
        runtime.block_on(async {
            axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
        })
    });
    Ok(url)
}

/// Returns headers like those of delivery's calls, besides those that the client adds.
fn client_headers() -> Outcome<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer hh_bench".parse()?);
    headers.insert("content-type", "application/json".parse()?);
    headers.insert("user-agent", "bench-delivery".parse()?);
    for name in ["hh-client-name", "hh-client-version", "hh-client-language"] {
        headers.insert(HeaderName::from_static(name), "bench".parse()?);
    }
    headers.insert("hh-client-time", "1764460800000".parse()?);
    Ok(headers)
}

/// Measures spans with five attributes, in one session.
fn spans() -> Outcome<f64> {
    const COUNT: u32 = 200_000;
    let local = local()?;
    let tracer = tracer(&local, SessionTransport::Rest)?;
    let session = tracer.create_session("bench");
    tracer.force_flush_blocking(PATIENCE)?;
    let before = delivery_time()?;
    session.in_scope(|| (0..COUNT).for_each(|_| span(&tracer)));
    per_second(&tracer, COUNT, before)
}

fn span(tracer: &HoneyHiveTracer) {
    let attributes = [
        KeyValue::new("model", "m-1"),
        KeyValue::new("question", "why?"),
        KeyValue::new("tries", 3),
        KeyValue::new("share", 0.5),
        KeyValue::new("stream", true),
    ];
    let builder = SpanBuilder::from_name("bench").with_attributes(attributes);
    drop(tracer.provider().tracer("bench").build(builder));
}

/// Counts HTTP calls a request, at 2,000 requests a second.
fn calls(transport: SessionTransport) -> Outcome<f64> {
    const MILLISECONDS: u32 = 3_000;
    const EACH: u32 = 2;
    let local = local()?;
    let tracer = tracer(&local, transport)?;
    let instrumentation = ServerInstrumentation::new(tracer.clone());
    for _ in 0..MILLISECONDS {
        for _ in 0..EACH {
            request(&instrumentation);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    finish(&tracer)?;
    let calls = local.stats().requests;
    Ok(calls as f64 / f64::from(MILLISECONDS * EACH))
}

struct NoHeaders;

impl Headers for NoHeaders {
    fn for_each<'h>(&'h self, _: &mut dyn FnMut(&'h str, &'h [u8])) {}
}

fn request(instrumentation: &ServerInstrumentation) {
    let mut guard = instrumentation.on_request(&RequestInfo::new("POST", "/chat", &NoHeaders));
    guard.on_response(200, &NoHeaders, None).finish();
}

/// Delivers everything; an item that got lost would make the numbers too good.
fn finish(tracer: &HoneyHiveTracer) -> Outcome<()> {
    let flushed = tracer.force_flush_blocking(PATIENCE);
    let stats = tracer.stats();
    flushed.map_err(|error| format!("{error}: {stats:?}"))?;
    if stats.delivered == stats.accepted {
        Ok(())
    } else {
        Err(format!("not everything was delivered: {stats:?}").into())
    }
}

/// Returns the items per second of processor time of delivery's threads since `before`. The threads end with the
/// tracer: the next measurement has its own.
fn per_second(tracer: &HoneyHiveTracer, count: u32, before: Duration) -> Outcome<f64> {
    finish(tracer)?;
    let spent = delivery_time()? - before;
    tracer.shutdown_blocking(PATIENCE)?;
    while !threads()?.is_empty() {
        std::thread::yield_now();
    }
    Ok(f64::from(count) / spent.as_secs_f64())
}

/// Returns the processor time of the running threads of delivery.
fn delivery_time() -> Outcome<Duration> {
    threads()?.iter().map(|thread| time_of(thread)).sum()
}

/// Returns the processor time of a thread, by its folder.
fn time_of(thread: &Path) -> Outcome<Duration> {
    let schedule = fs::read_to_string(thread.join("schedstat"))?;
    let nanoseconds = schedule.split(' ').next().unwrap_or_default();
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// Returns the running threads of delivery. One that has just ended has no name any more.
fn threads() -> Outcome<Vec<PathBuf>> {
    let mut threads = Vec::new();
    for thread in fs::read_dir("/proc/self/task")? {
        let thread = thread?.path();
        let name = fs::read_to_string(thread.join("comm")).unwrap_or_default();
        if THREADS.contains(&name.trim()) {
            threads.push(thread);
        }
    }
    Ok(threads)
}
