//! Spans go compressed as long as the server takes that, whatever the program has set for its own exporter.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use crate::support::*;
use honeyhive::{HoneyHiveTracer, OtlpCompression};
use honeyhive_local::{Endpoint, Fault, LocalServer};
use integration_tests::log::{said, turn};
use integration_tests::program::again;
use tracing::Level;

const CHILD: &str = "HH_COMPRESSION_CHILD";

/// Returns the encodings of the calls with spans, and the statuses of their answers.
fn encodings(server: &LocalServer) -> Vec<(String, u16)> {
    let requests = server.requests();
    let traces = requests.iter().filter(|it| it.path.ends_with("/traces"));
    let encodings = traces.map(|request| {
        let encoding = request.header("content-encoding").unwrap_or("none");
        (encoding.to_owned(), request.status.unwrap_or_default())
    });
    encodings.collect()
}

fn spans(tracer: &HoneyHiveTracer, count: usize) {
    for _ in 0..count {
        drop(tracer.span("work").start());
        drop(tracer.force_flush_blocking(PATIENCE));
    }
}

/// Sends two batches of spans to a server that answers the first `refusals` of them with `status`, and checks the
/// calls.
#[track_caller]
fn check(setting: OtlpCompression, status: u16, refusals: u64, expected: &[(&str, u16)]) {
    for protocol in PROTOCOLS {
        let server = server();
        server.fail(Fault::status(status).on(Endpoint::Traces).times(refusals));
        let tracer = builder(&server)
            .otlp_protocol(protocol)
            .otlp_compression(setting)
            .build()
            .unwrap();
        spans(&tracer, 2);
        let expected: Vec<_> = expected
            .iter()
            .map(|(it, to)| ((*it).to_owned(), *to))
            .collect();
        assert_eq!(
            encodings(&server),
            expected,
            "{setting:?} {status} {protocol:?}"
        );
        drop(tracer.shutdown_blocking(PATIENCE));
    }
}

#[test]
fn what_is_refused_compressed_goes_uncompressed_and_so_does_what_follows() {
    let _turn = turn();
    for status in [400, 415] {
        let expected = [("gzip", status), ("none", 200), ("none", 200)];
        check(OtlpCompression::Auto, status, 1, &expected);
    }
    // The line comes once for each of the four tracers.
    let warnings = said(Level::WARN);
    let said = warnings
        .iter()
        .filter(|it| it.contains("HH_OTLP_COMPRESSION"));
    assert_eq!(said.count(), 4, "{warnings:#?}");
}

#[test]
fn what_is_refused_uncompressed_too_says_nothing_of_the_compression() {
    let _turn = turn();
    let expected = [("gzip", 400), ("none", 400), ("gzip", 200)];
    check(OtlpCompression::Auto, 400, 2, &expected);
    assert!(
        said(Level::WARN)
            .iter()
            .all(|it| !it.contains("HH_OTLP_COMPRESSION"))
    );
}

#[test]
fn another_refusal_is_not_answered_by_the_same_spans() {
    let _turn = turn();
    check(
        OtlpCompression::Auto,
        422,
        1,
        &[("gzip", 422), ("gzip", 200)],
    );
}

#[test]
fn a_setting_settles_it() {
    let _turn = turn();
    check(
        OtlpCompression::Gzip,
        415,
        1,
        &[("gzip", 415), ("gzip", 200)],
    );
    check(
        OtlpCompression::None,
        415,
        1,
        &[("none", 415), ("none", 200)],
    );
}

/// Runs a test once more, as a program with this environment.
fn run(test: &str, environment: &[(&str, &str)]) {
    let mut program = again(module_path!(), test);
    program.env(CHILD, "1");
    let output = program.envs(environment.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

/// Runs a program that knows only its environment, where this process is that program.
fn program_in_child() -> bool {
    if std::env::var_os(CHILD).is_none() {
        return false;
    }
    let tracer = HoneyHiveTracer::from_env().unwrap();
    spans(&tracer, 1);
    tracer.shutdown_blocking(PATIENCE).unwrap();
    assert_eq!(tracer.stats().dropped.total(), 0);
    true
}

#[test]
fn variables_of_the_programs_own_exporter_change_nothing() {
    const TEST: &str = "variables_of_the_programs_own_exporter_change_nothing";
    if program_in_child() {
        return;
    }
    for compression in ["gzip", "zstd", "none", "nonsense"] {
        for (ours, encoding) in [("", "gzip"), ("gzip", "gzip"), ("none", "none")] {
            let server = server();
            let url = server.url();
            run(
                TEST,
                &[
                    ("HH_API_KEY", KEY),
                    ("HH_API_URL", &url),
                    ("HH_OTLP_COMPRESSION", ours),
                    ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
                    ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", compression),
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
                    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9"),
                    (
                        "OTEL_EXPORTER_OTLP_HEADERS",
                        "authorization=Bearer%20theirs,x-theirs=1",
                    ),
                    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
                    ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
                ],
            );
            let expected = [(encoding.to_owned(), 200)];
            assert_eq!(encodings(&server), expected, "{compression} {ours:?}");
            let requests = server.requests();
            assert!(
                requests
                    .iter()
                    .all(|it| it.authorized && it.header("x-theirs").is_none())
            );
            let types = requests.iter().filter_map(|it| it.header("content-type"));
            assert!(types.into_iter().any(|it| it == "application/x-protobuf"));
        }
    }
}
