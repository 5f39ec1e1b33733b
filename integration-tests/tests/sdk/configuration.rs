//! A tracer has settings and errors about them, none of which repeats the key.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::*;
use honeyhive::http::ServerInstrumentation;
use honeyhive::{BuildError, HoneyHiveTracer, HoneyHiveTracerBuilder, OtlpProtocol};
use honeyhive_local::{Fault, LocalServer};
use integration_tests::harness::local_server;
use serde_json::json;

const SECRET: &str = "hh_zX9-very-distinctive-Qw7";

/// Returns a key of the typed kinds, in the right shape.
fn typed(prefix: &str) -> String {
    format!("{prefix}{}_{}", "a1".repeat(12), "Zz_-".repeat(16))
}

fn refusal(builder: HoneyHiveTracerBuilder) -> String {
    match builder.build() {
        Ok(_) => panic!("it should have been refused"),
        Err(error) => {
            let debug = format!("{error:?}");
            assert!(!debug.contains(SECRET), "{debug}");
            error.to_string()
        }
    }
}

#[test]
fn no_key_says_what_to_set() {
    for builder in [
        HoneyHiveTracer::builder(),
        HoneyHiveTracer::builder().api_key(" \t"),
    ] {
        let error = builder.build().unwrap_err();
        assert!(matches!(error, BuildError::MissingApiKey), "{error:?}");
        let text = error.to_string();
        for hint in ["HH_API_KEY", "HH_INGESTION_API_KEY", ".test_mode(true)"] {
            assert!(text.contains(hint), "{text}");
        }
    }
}

#[test]
fn a_url_that_cannot_be_used_is_named_with_the_reason() {
    for (url, reason) in [
        ("not a url", "it is no URL"),
        ("http://", "it is no URL"),
        ("api.honeyhive.ai", "http:// or https://"),
        ("ftp://honeyhive.example", "http:// or https://"),
        ("https://user:pass@honeyhive.example", "credentials"),
        ("https://honeyhive.example/?key=1", "query"),
        ("https://honeyhive.example/#top", "fragment"),
    ] {
        let text = refusal(HoneyHiveTracer::builder().api_key(SECRET).server_url(url));
        assert!(
            text.contains("`.server_url(..)`") && text.contains(reason),
            "{url}: {text}"
        );
        assert!(!text.contains("pass"), "{text}");
    }
}

#[test]
fn a_typed_key_of_the_wrong_shape_is_named_and_never_repeated() {
    let tail = &SECRET[3..];
    for (builder, setter) in [
        (
            HoneyHiveTracer::builder().ingestion_api_key(SECRET),
            "`.ingestion_api_key(..)`",
        ),
        (
            HoneyHiveTracer::builder().ingestion_api_key(format!("hh_ingst_{tail}")),
            "`.ingestion_api_key(..)`",
        ),
        (
            HoneyHiveTracer::builder()
                .api_key("hh_fine")
                .data_plane_api_key(format!("hh_fgdp_{tail}")),
            "`.data_plane_api_key(..)`",
        ),
        (
            HoneyHiveTracer::builder().api_key(format!("{SECRET}\nX-Injected: 1")),
            "`.api_key(..)`",
        ),
    ] {
        let text = refusal(builder);
        assert!(text.starts_with(setter), "{text}");
        assert!(!text.contains(tail), "{text}");
    }
}

#[test]
fn a_timeout_of_nothing_is_refused() {
    let text = refusal(
        HoneyHiveTracer::builder()
            .api_key(SECRET)
            .api_timeout(Duration::ZERO),
    );
    assert!(
        text.contains("`.api_timeout(..)`") && text.contains("above zero"),
        "{text}"
    );
}

#[test]
fn blanks_around_a_key_and_a_url_do_not_matter_nor_does_a_slash_at_the_end() {
    let server = server();
    let tracer = HoneyHiveTracer::builder()
        .api_key(format!("  {KEY}\n"))
        .server_url(format!(" {}/ ", server.url()))
        .coalesce_window(NEVER)
        .build()
        .unwrap();
    tracer.create_session("chat");
    flush(&tracer);
    assert_eq!(calls(&server), [START]);
    assert!(server.requests()[0].authorized);
}

#[test]
fn the_ingestion_key_is_the_one_that_writes() {
    let ingestion = typed("hh_ingst_");
    let server = local_server().api_key(&ingestion).start_blocking().unwrap();
    let tracer = builder(&server)
        .ingestion_api_key(&ingestion)
        .data_plane_api_key(typed("hh_fgdp_"))
        .build()
        .unwrap();
    drop(tracer.span("work").start());
    flush(&tracer);
    assert!(server.requests().iter().all(|request| request.authorized));
    assert_eq!(server.stats().events, 1);
}

#[test]
fn a_path_in_the_url_is_kept() {
    let server = server();
    let url = format!("{}/behind/a/proxy/", server.url());
    let tracer = builder(&server).server_url(url).build().unwrap();
    tracer.create_session("chat");
    assert!(tracer.force_flush_blocking(PATIENCE).is_err());
    assert_eq!(calls(&server)[0], "POST /behind/a/proxy/v1/sessions");
}

/// Returns a page as text, head and all.
fn get(server: &LocalServer, path: &str) -> String {
    let mut connection = TcpStream::connect(server.address()).unwrap();
    let host = server.address();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn the_key_shows_nowhere() {
    let server = local_server().api_key(SECRET).start().await.unwrap();
    let builder = builder(&server)
        .api_key(SECRET)
        .project("shop")
        .otlp_protocol(OtlpProtocol::HttpJson);
    let mut shown = vec![format!("{builder:?} {builder:#?}")];
    let tracer = builder.build().unwrap();
    let created = tracer.acreate_session("chat");
    shown.push(format!("{created:?}"));
    let chat = created.await.unwrap();
    let span = chat.in_scope(|| tracer.span("work").start());
    shown.push(format!("{span:?} {:?}", tracer.span("other")));
    drop(span);
    shown.push(format!("{:?}", tracer.force_flush(PATIENCE).await));
    shown.push(format!("{tracer:?} {tracer:#?} {chat:?}"));
    shown.push(format!(
        "{:?} {:?}",
        tracer.span_processor(),
        tracer.shutdown_guard()
    ));
    shown.push(format!("{server:?} {:?}", server.requests()));

    for path in [
        "/".to_owned(),
        format!("/sessions/{}", chat.id()),
        "/api/sessions".to_owned(),
        format!("/api/sessions/{}", chat.id()),
        "/api/requests".to_owned(),
        "/api/orphans".to_owned(),
    ] {
        let answer = get(&server, &path);
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        shown.push(answer);
    }
    for text in &shown {
        assert!(!text.contains(SECRET), "{text}");
    }
    assert!(server.requests().iter().all(|request| request.authorized));
}

#[tokio::test]
async fn the_key_is_cut_out_of_what_honeyhive_says_about_it() {
    let server = server();
    let message = format!("the key {SECRET} is not known");
    for body in [
        json!({ "message": message }).to_string(),
        json!({ "error": message }).to_string(),
        message.clone(),
        // The text is cut off in the middle of the key.
        format!("{} {SECRET}", "x".repeat(190)),
    ] {
        server.clear();
        server.heal();
        server.fail(Fault::status(401).body(body));
        let tracer = builder(&server).api_key(SECRET).build().unwrap();
        let error = tracer.acreate_session("chat").await.unwrap_err();
        let text = format!("{error} {error:?}");
        for length in [SECRET.len(), 8] {
            assert!(!text.contains(&SECRET[..length]), "{text}");
        }
    }
}

#[test]
fn a_header_for_the_session_that_http_does_not_allow_is_named() {
    let tracer = HoneyHiveTracer::builder().test_mode(true).build().unwrap();
    let built = |name: &str| {
        let builder = ServerInstrumentation::builder(tracer.clone());
        builder.session_id_header(name).build()
    };
    for name in [
        "bad name",
        "",
        "x-sitzung-ä",
        "a:b",
        "Content-Length",
        "host",
    ] {
        let error = built(name).unwrap_err().to_string();
        assert!(error.starts_with("`.session_id_header(..)`"), "{error}");
        assert!(
            error.contains("X-Session-ID"),
            "what to write instead: {error}"
        );
    }
    let instrumentation = built("X-Conversation").unwrap();
    assert_eq!(instrumentation.session_id_header(), "x-conversation");
}

/// A setting of any kind may be pasted: `build` takes it, and delivery uses it as it is.
#[test]
fn a_setting_is_refused_by_its_name_or_what_is_recorded_arrives() {
    type Set = fn(HoneyHiveTracerBuilder, String) -> HoneyHiveTracerBuilder;
    let server = local_server().start_blocking().unwrap();
    let url = server.url();
    let url = url.trim_end_matches('/');
    let urls = [
        format!(" {url}/ "),
        format!("{url}//"),
        url.replace("http", "HTTP"),
        format!("{url}\n"),
        format!("{url}\u{200b}"),
        format!("{url}?"),
        format!("{url}\\"),
        format!("{url}/a b"),
        url.replace("127.0.0.1", "127.0.0.1."),
        url.replace("127.0.0.1", "127.1"),
    ];
    let texts = [
        "",
        " ",
        "größe",
        "a\nb",
        "a\r",
        "a\0b",
        "\u{feff}x",
        "日本",
        "x y",
        "\u{7f}",
    ];
    let keys = [
        "hh_k\n",
        " hh_k",
        "hh_k\u{200b}",
        "=hh_k",
        "hh_k;",
        "%68h",
        "\u{feff}hh_k",
        "hh_k\\n",
    ];
    let long = "x".repeat(70_000);
    let texts = || {
        let mut all = texts.map(str::to_owned).to_vec();
        all.extend([long.clone(), "\"quoted\"".to_owned()]);
        all
    };
    let cases: [(&str, Set, Vec<String>); 5] = [
        (
            "server_url",
            |it, value| it.server_url(value),
            urls.to_vec(),
        ),
        (
            "api_key",
            |it, value| it.api_key(value),
            keys.map(str::to_owned).to_vec(),
        ),
        ("source", |it, value| it.source(value), texts()),
        ("project", |it, value| it.project(value), texts()),
        ("session_name", |it, value| it.session_name(value), texts()),
    ];
    let mut taken = 0;
    for (name, set, values) in cases {
        for value in values {
            let builder = HoneyHiveTracer::builder().server_url(url).api_key("hh_k");
            let tracer = match set(builder, value.clone()).build() {
                Ok(tracer) => tracer,
                Err(error) => {
                    let said = error.to_string();
                    assert!(
                        said.contains(&format!("`.{name}(..)`")),
                        "{name} {value:?}: {said}"
                    );
                    continue;
                }
            };
            taken += 1;
            drop(tracer.span("work").start());
            let flushed = tracer.force_flush_blocking(PATIENCE);
            assert!(flushed.is_ok(), "{name} {value:?}: {flushed:?}");
            assert_eq!(tracer.stats().delivered, 2, "{name} {value:?}");
        }
    }
    assert!(taken > 10, "{taken}");
}
