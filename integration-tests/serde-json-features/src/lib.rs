//! Recordings are the same where some crate in the tree turns on features of `serde_json`: they are on for all crates
//! then, and change how numbers and raw JSON are serialised.

#![cfg(test)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use honeyhive::opentelemetry::KeyValue;
use honeyhive::opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use honeyhive::{Enrichment, HoneyHiveTracer, NewSession, OtlpProtocol, testing};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

#[derive(Serialize)]
struct Given {
    json: Value,
    raw: Box<RawValue>,
    share: f32,
}

#[honeyhive::trace]
fn traced(given: &Given) -> Value {
    given.json.clone()
}

fn given() -> Given {
    let raw = RawValue::from_string(r#"{"n": [1, 2.5], "s": "x"}"#.to_owned());
    Given {
        json: json!({"n": 42, "minus": -7, "half": 0.5, "large": u64::MAX, "deep": [{"n": 1}]}),
        raw: raw.expect("JSON"),
        share: 0.9,
    }
}

#[test]
fn numbers_and_raw_json_are_what_they_are_on_spans() {
    let (tracer, captured) = testing::tracer();
    let session = tracer.create_session("chat");
    session.in_scope(|| traced(&given()));
    let huge: Value = serde_json::from_str("123456789012345678901234567890").expect("a number");
    let span = tracer
        .span("by hand")
        .metadata(json!({"n": 42, "huge": huge}));
    session.in_scope(|| drop(span.start()));

    let session = captured.only_session();
    let event = session.event("traced");
    for (key, value) in [
        ("honeyhive_inputs.given.json.n", 42.into()),
        ("honeyhive_inputs.given.json.minus", (-7).into()),
        ("honeyhive_inputs.given.json.half", 0.5.into()),
        (
            "honeyhive_inputs.given.json.large",
            u64::MAX.to_string().into(),
        ),
        ("honeyhive_inputs.given.json.deep.0.n", 1.into()),
        ("honeyhive_inputs.given.raw.n.0", 1.into()),
        ("honeyhive_inputs.given.raw.n.1", 2.5.into()),
        ("honeyhive_inputs.given.raw.s", "x".into()),
        ("honeyhive_inputs.given.share", 0.9.into()),
        ("honeyhive_outputs.result.n", 42.into()),
    ] {
        assert_eq!(event.attributes.get(key), Some(&value), "{key}");
    }
    let by_hand = session.event("by hand");
    assert_eq!(by_hand.attributes["honeyhive_metadata.n"], 42.into());
    let digits = "123456789012345678901234567890";
    assert_eq!(by_hand.attributes["honeyhive_metadata.huge"], digits.into());
}

#[test]
fn what_is_sent_as_json_holds_numbers_and_no_private_names() {
    let server = Server::start();
    let tracer = HoneyHiveTracer::builder()
        .api_key("hh_test")
        .server_url(server.url())
        .otlp_protocol(OtlpProtocol::HttpJson)
        .build()
        .expect("a tracer");
    let new = NewSession::named("chat")
        .inputs(given().json)
        .metadata(given());
    let session = tracer.create_session(new);
    session.enrich(Enrichment::new().outputs(json!({"n": 42, "half": 0.5})));
    session.in_scope(|| traced(&given()));
    let foreign = tracer.provider().tracer("some-client");
    session.in_scope(|| {
        let mut span = foreign.start("chat");
        let messages =
            r#"[{"role": "tool", "content": [{"type": "tool_result", "content": {"n": 1.10}}]}]"#;
        span.set_attribute(KeyValue::new("gen_ai.input.messages", messages));
        span.set_attribute(KeyValue::new(
            "gen_ai.tool.call.result",
            r#"{"n": 42, "password": 7}"#,
        ));
        span.set_attribute(KeyValue::new("share", 0.25));
    });
    tracer
        .force_flush_blocking(Duration::from_secs(20))
        .expect("it is delivered");

    // OTLP's JSON is spread over lines.
    let all: String = server.bodies().concat().split_whitespace().collect();
    for part in [
        r#""n":42"#,
        r#""minus":-7"#,
        r#""share":0.9"#,
        r#""raw":{"n":[1,2.5],"s":"x"}"#,
        r#""key":"honeyhive_inputs.given.json.n","value":{"intValue":"42"}"#,
        r#""key":"honeyhive_inputs.given.json.half","value":{"doubleValue":0.5}"#,
        r#""key":"honeyhive_outputs.result.n","value":{"intValue":"42"}"#,
        r#""key":"honeyhive_outputs.result.password","value":{"stringValue":"<redacted>"}"#,
        r#""key":"share","value":{"doubleValue":0.25}"#,
    ] {
        assert!(all.contains(part), "{part} in {all}");
    }
    assert!(!all.contains("$serde_json"), "{all}");
    // The first call of both spans was too large, and its halves were not.
    let stats = tracer.stats();
    assert_eq!((stats.delivered, stats.dropped.total()), (4, 0));
}

/// A `Server` takes everything.
struct Server {
    address: SocketAddr,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&bodies);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let taken = Arc::clone(&taken);
                thread::spawn(move || answer(stream, &taken));
            }
        });
        Self { address, bodies }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().expect("no panic").clone()
    }
}

/// Answers the requests of one connection.
fn answer(stream: TcpStream, taken: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut is_packed, mut is_first) = (0, false, true);
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line == "\r\n" && !is_first => break,
                Ok(_) => is_first = false,
            }
            let line = line.to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            is_packed |= line.starts_with("content-encoding: gzip");
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let mut text = String::new();
        let read = match is_packed {
            true => GzDecoder::new(body.as_slice()).read_to_string(&mut text),
            false => body.as_slice().read_to_string(&mut text),
        };
        read.expect("a text");
        let is_too_large = text.matches("\"spanId\"").count() > 1;
        taken.lock().expect("no panic").push(text);
        let status = if is_too_large {
            "413 Content Too Large"
        } else {
            "200 OK"
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
