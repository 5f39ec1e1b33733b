//! A large history has 50,000 sessions and 250,000 events in a file; the bench measures what it takes to put them
//! there, to list, to open and to find them. `cargo bench -p honeyhive-local --bench large` prints the table of the
//! README.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for a terminal, which cannot go on without a server"
)]

use std::time::{Duration, Instant};

use honeyhive_local::LocalServer;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::json;

const SESSIONS: usize = 50_000;
const EVENTS_EACH: usize = 5;
const LARGE_SESSION: usize = 5_000;
const SPANS_A_BATCH: usize = 500;
const START: u64 = 1_767_225_600_000_000_000;

const WORDS: [&str; 12] = [
    "refund", "policy", "order", "delivery", "invoice", "account", "password", "weather", "paris",
    "ticket", "cancel", "upgrade",
];

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(run());
}

async fn run() {
    let folder = std::env::temp_dir().join(format!("honeyhive-local-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("store.db");
    let server = LocalServer::builder()
        .persist(&file)
        .max_sessions(usize::MAX)
        .max_events(usize::MAX)
        .max_request_bytes(16 * 1024 * 1024);
    let server = server.start().await.expect("a server");
    let client = client();
    let bench = Bench { server, client };

    let events = SESSIONS * EVENTS_EACH;
    let took = bench.ingest().await;
    println!(
        "ingest: {events} events and {SESSIONS} sessions in {:.1} s of processor time, {:.0} events/s of one core",
        took.as_secs_f64(),
        events as f64 / took.as_secs_f64()
    );
    println!(
        "file: {} MiB",
        std::fs::metadata(&file).map_or(0, |it| it.len()) / 1024 / 1024
    );
    println!("memory after ingest: {} MiB", resident());
    bench.large_session().await;
    for (name, path) in [
        ("newest 50 sessions, JSON", "/api/sessions".to_owned()),
        ("sessions page", "/".to_owned()),
        ("errors only, JSON", "/api/sessions?errors=1".to_owned()),
        (
            "a rare word, JSON",
            "/api/sessions?q=zanzibar49999".to_owned(),
        ),
        ("a common word, JSON", "/api/sessions?q=refund".to_owned()),
        // Each event holds one of 50,000 words that begin so.
        (
            "a common beginning, JSON",
            "/api/sessions?q=zanz".to_owned(),
        ),
        (
            "a session of 5,000 events, page",
            format!("/sessions/{}", id(SESSIONS)),
        ),
    ] {
        let before = processor();
        let (median, worst, bytes) = bench.ask(&path, 20).await;
        let each = (processor() - before).as_secs_f64() * 1e3 / 20.0;
        println!(
            "{name}: median {median:.1} ms, worst {worst:.1} ms, {each:.1} ms of processor time, {} KiB",
            bytes / 1024
        );
    }
    bench.starts_beside("in a file").await;
    println!("memory at the end: {} MiB", resident());
    drop(bench);
    let _ = std::fs::remove_dir_all(&folder);
    Bench::in_memory().await.starts_beside("in memory").await;
}

struct Bench {
    server: LocalServer,
    client: reqwest::Client,
}

impl Bench {
    async fn ingest(&self) -> Duration {
        let batches: Vec<Vec<u8>> = (0..SESSIONS)
            .collect::<Vec<_>>()
            .chunks(SPANS_A_BATCH / EVENTS_EACH)
            .map(batch)
            .collect();
        let began = processor();
        for batch in batches {
            self.export(batch).await;
        }
        processor() - began
    }

    async fn large_session(&self) {
        for first in (0..LARGE_SESSION).step_by(SPANS_A_BATCH) {
            let spans = (first..first + SPANS_A_BATCH).map(|turn| span(SESSIONS, turn));
            self.export(request(spans.collect()).encode_to_vec()).await;
        }
    }

    async fn export(&self, body: Vec<u8>) {
        let request = self.client.post(self.server.url() + "/v1/traces");
        let request = request
            .header("content-type", "application/x-protobuf")
            .body(body);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
    }

    /// Returns median and worst time in milliseconds, and the size of an answer.
    async fn ask(&self, path: &str, times: usize) -> (f64, f64, usize) {
        let mut took = Vec::new();
        let mut bytes = 0;
        for _ in 0..times {
            let began = Instant::now();
            let answer = self
                .client
                .get(self.server.url() + path)
                .send()
                .await
                .expect("an answer");
            assert_eq!(answer.status(), 200, "{path}");
            bytes = answer.bytes().await.expect("a body").len();
            took.push(began.elapsed().as_secs_f64() * 1e3);
        }
        took.sort_by(f64::total_cmp);
        (took[times / 2], took[times - 1], bytes)
    }

    /// Measures session starts alone, and while a client asks for a page without a pause.
    async fn starts_beside(&self, store: &str) {
        for (page, path) in [
            ("nothing", None),
            ("the page of sessions", Some("/")),
            ("a search for a common word", Some("/api/sessions?q=refund")),
            (
                "a search for a common beginning",
                Some("/api/sessions?q=zanz"),
            ),
        ] {
            let reader = path.map(|path| tokio::spawn(ask_for_ever(self.server.url() + path)));
            let took = self.starts().await;
            if let Some(reader) = reader {
                reader.abort();
            }
            println!(
                "a session start {store} beside {page}: median {:.1} ms, 99th of 100 {:.1} ms, worst {:.1} ms",
                took[100], took[197], took[199]
            );
        }
    }

    /// Returns the times of 200 session starts in milliseconds, the shortest first.
    async fn starts(&self) -> Vec<f64> {
        let mut took = Vec::new();
        for _ in 0..200 {
            let began = Instant::now();
            let request = self
                .client
                .post(self.server.url() + "/v1/sessions")
                .json(&json!({ "session_name": "beside" }));
            assert_eq!(request.send().await.expect("an answer").status(), 200);
            took.push(began.elapsed().as_secs_f64() * 1e3);
        }
        took.sort_by(f64::total_cmp);
        took
    }

    /// Returns a store in memory that is as full as its usual limits let it be.
    async fn in_memory() -> Self {
        let server = LocalServer::builder().start().await.expect("a server");
        let client = client();
        let bench = Self { server, client };
        for some in (0..20_000).collect::<Vec<_>>().chunks(100) {
            bench.export(batch(some)).await;
        }
        bench
    }
}

async fn ask_for_ever(url: String) {
    let client = client();
    loop {
        let answer = client.get(&url).send().await;
        drop(answer.expect("an answer").bytes().await);
    }
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().build();
    client.expect("a client")
}

/// Returns an export with all spans of these sessions.
fn batch(sessions: &[usize]) -> Vec<u8> {
    let spans = sessions
        .iter()
        .flat_map(|number| (0..EVENTS_EACH).map(move |turn| span(*number, turn)));
    request(spans.collect()).encode_to_vec()
}

fn id(session: usize) -> String {
    format!("00000000-0000-4000-8000-{session:012x}")
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

/// Returns a span: the first of a session is its turn, the others are model calls below it.
fn span(session: usize, turn: usize) -> Span {
    let start = START + session as u64 * 1_000_000_000 + turn as u64 * 1_000_000;
    let word = |step: usize| WORDS[(session + turn * 7 + step) % WORDS.len()];
    let question = format!("{} {} {} zanzibar{session}", word(0), word(3), word(5));
    let attributes = vec![
        text("honeyhive.session_id", &id(session)),
        flag("honeyhive.session_auto_create"),
        text("honeyhive.session_name", "POST /chat"),
        text(
            "gen_ai.operation.name",
            if turn == 0 { "invoke_agent" } else { "chat" },
        ),
        text("gen_ai.request.model", "gpt-4o"),
        text("honeyhive_inputs.question", &question),
        text(
            "honeyhive_outputs.answer",
            &format!("{} {}", word(1), "and so on ".repeat(10)),
        ),
        number("gen_ai.usage.input_tokens", 100),
        number("gen_ai.usage.output_tokens", 20),
    ];
    let mut trace_id = vec![1; 8];
    trace_id.extend_from_slice(&(session as u64 + 1).to_be_bytes());
    Span {
        trace_id,
        span_id: (turn as u64 + 1).to_be_bytes().to_vec(),
        parent_span_id: if turn == 0 {
            Vec::new()
        } else {
            (turn as u64 / 2 + 1).to_be_bytes().to_vec()
        },
        name: if turn == 0 {
            "turn".to_owned()
        } else {
            format!("chat {}", word(2))
        },
        start_time_unix_nano: start,
        end_time_unix_nano: start + 800_000,
        attributes,
        ..Span::default()
    }
}

fn attribute(key: &str, value: Kind) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn text(key: &str, text: &str) -> KeyValue {
    attribute(key, Kind::StringValue(text.to_owned()))
}

fn number(key: &str, number: i64) -> KeyValue {
    attribute(key, Kind::IntValue(number))
}

fn flag(key: &str) -> KeyValue {
    attribute(key, Kind::BoolValue(true))
}

/// Returns the processor time of this process, the client's included: other programs do not change it.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    // Linux counts a hundred ticks a second.
    Duration::from_millis(ticks.filter_map(|it| it.parse::<u64>().ok()).sum::<u64>() * 10)
}

/// Returns the resident memory of this process in MiB, the client's included.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<usize>().ok()).unwrap_or(0) / 1024
}
