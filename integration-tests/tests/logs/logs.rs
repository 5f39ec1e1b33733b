//! The core writes few log lines, each once, and never the key. The log belongs to the whole process, so these tests
//! take turns.

use std::time::{Duration, Instant};

use crate::support::*;
use honeyhive::http::{Headers, RequestInfo, ServerInstrumentation};
use honeyhive::opentelemetry::Context as OtelContext;
use honeyhive::opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use honeyhive::{Enrichment, HoneyHiveTracer, NewSession, Spool};
use honeyhive_local::{Endpoint, Fault};
use integration_tests::harness::local_server;
use integration_tests::log::{lines, said, turn};
use serde_json::json;
use tracing::Level;

const SECRET: &str = "hh_zX9-very-distinctive-Qw7";

/// Ends the delivery thread, so that nothing of it is heard in the next turn.
fn end(tracer: &HoneyHiveTracer) {
    drop(tracer.shutdown_blocking(Duration::ZERO));
}

fn many(tracer: &HoneyHiveTracer) {
    for _ in 0..200 {
        let chat = tracer.create_session("chat");
        chat.in_scope(|| drop(tracer.span("work").start()));
        chat.enrich(Enrichment::new().metrics(json!({"score": 1})));
    }
}

#[test]
fn a_key_that_is_refused_is_said_once_and_never_shown() {
    let _turn = turn();
    let server = server();
    let tracer = builder(&server).api_key(SECRET).build().unwrap();
    let echo = json!({ "message": format!("the key {SECRET} is not known") });
    server.fail(Fault::status(401).body(echo.to_string()));
    for _ in 0..3 {
        many(&tracer);
        drop(tracer.force_flush_blocking(PATIENCE));
    }
    assert!(block_on(tracer.acreate_session("awaited")).is_err());
    assert!(tracer.stats().dropped.unauthorized > 1_000);
    end(&tracer);

    let errors = said(Level::ERROR);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    for hint in ["401", "HH_API_KEY", "HH_API_URL", "<redacted>"] {
        assert!(errors[0].contains(hint), "{}", errors[0]);
    }
    assert_eq!(said(Level::WARN), [""; 0]);
    // The lines are of every crate, at every level.
    for line in lines().iter() {
        assert!(!line.text.contains(SECRET), "{line:?}");
    }
    assert!(!lines().is_empty());
}

/// Asserts that the log has one error, and one line with this text once that is put right.
#[track_caller]
fn assert_put_right(text: &str) {
    assert_eq!(said(Level::ERROR).len(), 1, "{:#?}", said(Level::ERROR));
    let news = said(Level::INFO);
    assert_eq!(news.len(), 1, "{news:#?}");
    assert!(news[0].contains(text), "{news:#?}");
}

#[test]
fn a_refused_key_is_a_line_at_its_beginning_and_one_once_it_is_accepted() {
    let _turn = turn();
    let server = server();
    server.fail(Fault::status(401).on(Endpoint::Sessions));
    let tracer = tracer(&server);
    many(&tracer);
    drop(tracer.force_flush_blocking(PATIENCE));
    assert!(
        tracer.stats().delivered > 0,
        "spans are taken all the while"
    );
    assert_eq!(said(Level::INFO), [""; 0]);
    server.heal();
    let asked = Instant::now();
    while block_on(tracer.acreate_session("after the pause")).is_err() {
        assert!(
            asked.elapsed() < PATIENCE,
            "the key is accepted, and stays refused"
        );
    }
    end(&tracer);

    assert_put_right("accepts the key");
}

#[test]
fn a_missing_place_is_a_line_at_its_beginning_and_one_once_it_is_there() {
    let _turn = turn();
    let server = server();
    server.fail(Fault::status(404).on(Endpoint::Sessions));
    let tracer = tracer(&server);
    many(&tracer);
    drop(tracer.force_flush_blocking(PATIENCE));
    assert_eq!(said(Level::INFO), [""; 0]);
    server.heal();
    many(&tracer);
    flush(&tracer);
    end(&tracer);

    assert_put_right("takes sessions");
}

#[test]
fn an_outage_is_a_line_at_its_beginning_and_one_at_its_end() {
    let _turn = turn();
    let server = server();
    server.fail(Fault::status(503));
    let tracer = builder(&server)
        .coalesce_window(Duration::from_millis(1))
        .build()
        .unwrap();
    many(&tracer);
    assert!(server.wait_until_blocking(PATIENCE, |s| s.stats().requests >= 18));
    server.heal();
    flush(&tracer);
    end(&tracer);

    let warnings = said(Level::WARN);
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert!(warnings[0].contains("503"), "{warnings:#?}");
    let news = said(Level::INFO);
    assert_eq!(news.len(), 1, "{news:#?}");
    assert!(news[0].contains("again"), "{news:#?}");
    assert_eq!(said(Level::ERROR), [""; 0]);
}

#[test]
fn what_honeyhive_refuses_is_a_line_and_not_one_a_request() {
    let _turn = turn();
    let server = server();
    server.fail(Fault::status(400).on(Endpoint::Sessions));
    server.fail(Fault::status(400).on(Endpoint::Traces));
    let tracer = tracer(&server);
    many(&tracer);
    drop(tracer.force_flush_blocking(PATIENCE));
    end(&tracer);

    let warnings = said(Level::WARN);
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert!(warnings[0].contains("400"), "{warnings:#?}");
}

#[test]
fn a_host_that_is_no_honeyhive_is_said_once() {
    let _turn = turn();
    let server = server();
    let tracer = builder(&server)
        .server_url(format!("{}/elsewhere", server.url()))
        .build()
        .unwrap();
    many(&tracer);
    drop(tracer.force_flush_blocking(PATIENCE));
    end(&tracer);

    let errors = said(Level::ERROR);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(errors[0].contains("404") && errors[0].contains("HH_API_URL"));
}

#[test]
fn a_full_queue_is_said_with_its_numbers() {
    let _turn = turn();
    let server = server();
    let tracer = builder(&server).max_pending_items(10).build().unwrap();
    many(&tracer);
    flush(&tracer);
    let heard = || {
        said(Level::WARN)
            .iter()
            .any(|line| line.contains("590 items"))
    };
    let mut rounds = 0;
    while !heard() {
        // The line comes with the next look at the clock; a session that is awaited makes that look happen.
        block_on(tracer.acreate_session("chat")).unwrap();
        rounds += 1;
        assert!(rounds < 10_000, "{:#?}", said(Level::WARN));
    }
    many(&tracer);
    flush(&tracer);
    end(&tracer);
    assert_eq!(said(Level::WARN).len(), 1, "{:#?}", said(Level::WARN));
}

#[test]
fn nothing_is_said_while_all_is_well() {
    let _turn = turn();
    let server = server();
    let tracer = tracer(&server);
    many(&tracer);
    tracer.session_start("own");
    flush(&tracer);
    tracer.shutdown_blocking(PATIENCE).unwrap();

    for level in [Level::ERROR, Level::WARN, Level::INFO] {
        assert_eq!(said(level), [""; 0], "{level}");
    }
}

#[test]
fn a_deployment_with_the_legacy_routes_only_is_mentioned_and_no_error() {
    let _turn = turn();
    let server = local_server()
        .api_key(KEY)
        .without_v1_routes()
        .start_blocking()
        .unwrap();
    let tracer = tracer(&server);
    many(&tracer);
    flush(&tracer);
    end(&tracer);

    assert!(said(Level::INFO).iter().all(|line| line.contains("legacy")));
    assert!(!said(Level::INFO).is_empty());
    assert_eq!(said(Level::ERROR), [""; 0]);
    assert_eq!(said(Level::WARN), [""; 0]);
}

#[test]
fn a_session_that_honeyhive_gives_another_id_is_reported() {
    let _turn = turn();
    let server = server();
    let other = json!({"session_id": "00000000-0000-4000-8000-000000000000"});
    server.fail(
        Fault::status(200)
            .body(other.to_string())
            .on(Endpoint::Sessions),
    );
    let tracer = tracer(&server);
    tracer.create_session("chat");
    flush(&tracer);
    end(&tracer);

    let warnings = said(Level::WARN);
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert!(warnings[0].contains("another id"), "{warnings:#?}");
}

#[test]
fn what_is_left_out_at_creation_is_said() {
    let _turn = turn();
    let tracer = HoneyHiveTracer::builder().test_mode(true).build().unwrap();
    tracer.create_session(NewSession::named("chat").inputs("just text"));
    let warnings = said(Level::WARN);
    assert!(warnings[0].contains("inputs"), "{warnings:#?}");
    assert!(!warnings[0].contains("just text"), "{warnings:#?}");
    end(&tracer);
}

#[honeyhive::trace(tracer = tracer)]
fn lost(tracer: &HoneyHiveTracer) {}

#[test]
fn a_span_that_lost_its_session_is_said_once_a_call_site() {
    let _turn = turn();
    let server = server();
    let tracer = tracer(&server);
    let chat = tracer.create_session("chat");
    chat.in_scope(|| {
        for _ in 0..3 {
            let tracer = tracer.clone();
            let thread = std::thread::spawn(move || {
                lost(&tracer);
                drop(tracer.span("by hand").start());
                drop(tracer.provider().tracer("lib").start("of a library"));
            });
            assert!(thread.join().is_ok());
        }
    });
    flush(&tracer);
    end(&tracer);

    let mut warnings = said(Level::WARN);
    warnings.sort();
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    for (warning, hints) in warnings.iter().zip([
        ["\"by hand\"", "logs.rs:"],
        ["\"lost\"", "logs.rs:"],
        ["\"of a library\"", "(lib)"],
    ]) {
        assert!(hints.iter().all(|hint| warning.contains(hint)), "{warning}");
        assert!(warning.contains("Session::spawn"), "{warning}");
    }
    for event in all_events(&server) {
        let notes = ["honeyhive.call_site", "honeyhive.open_sessions"];
        assert!(
            notes
                .iter()
                .all(|note| !event.attributes.contains_key(*note))
        );
    }
}

struct NoHeaders;

impl Headers for NoHeaders {
    fn for_each<'h>(&'h self, _: &mut dyn FnMut(&'h str, &'h [u8])) {}
}

#[test]
fn spans_that_are_meant_to_be_outside_are_not_said() {
    let _turn = turn();
    let server = server();
    // No session is open.
    let script = tracer(&server);
    drop(script.span("alone").start());
    flush(&script);
    // The span encloses the request.
    let web = tracer(&server);
    let instrumentation = ServerInstrumentation::new(web.clone());
    let around = web.provider().tracer("server").start("request");
    let around = OtelContext::current_with_span(around);
    let request = {
        let _around = around.attach();
        instrumentation.on_request(&RequestInfo::new("GET", "/", &NoHeaders))
    };
    flush(&web);
    drop(request);
    // The program has begun its own session.
    let worker = tracer(&server);
    worker.session_start("the worker");
    let chat = worker.create_session("chat");
    chat.in_scope(|| {
        let worker = worker.clone();
        let thread = std::thread::spawn(move || drop(worker.span("tick").start()));
        assert!(thread.join().is_ok());
    });
    flush(&worker);
    [script, web, worker].iter().for_each(end);

    assert_eq!(said(Level::WARN), [""; 0]);
}

#[test]
fn a_redirect_is_a_warning_that_says_where_to() {
    let _turn = turn();
    let server = server();
    let moved =
        Fault::status(308).header("location", "https://eu.honeyhive.example/v1/sessions?k=1");
    server.fail(moved);
    let tracer = builder(&server).build().unwrap();
    many(&tracer);
    drop(tracer.force_flush_blocking(PATIENCE));
    let error = block_on(tracer.acreate_session("awaited")).unwrap_err();
    end(&tracer);
    let place = "https://eu.honeyhive.example/v1/sessions;";
    assert!(error.to_string().contains(place), "{error}");
    let warnings = said(Level::WARN);
    assert!(!warnings.is_empty());
    for said in &warnings {
        assert!(
            said.contains("308") && said.contains("https://eu.honeyhive.example"),
            "{said}"
        );
        assert!(
            said.contains("HH_API_URL") && !said.contains("k=1"),
            "{said}"
        );
    }
}

#[test]
fn what_a_server_says_has_nothing_in_it_that_a_terminal_obeys() {
    let _turn = turn();
    let server = server();
    server.fail(Fault::status(422).body("a\u{1b}]0;pwned\u{7}\r\nERROR forged \u{202e}line"));
    let tracer = builder(&server).build().unwrap();
    many(&tracer);
    drop(tracer.force_flush_blocking(PATIENCE));
    end(&tracer);
    let warnings = said(Level::WARN);
    assert!(
        warnings[0].contains("a ]0;pwned ERROR forged line"),
        "{warnings:#?}"
    );
}

/// Returns the number of items on disk once a tracer has ended that HoneyHive takes nothing of.
fn left_on_disk(tracer: &HoneyHiveTracer) -> u64 {
    tracer.create_session("chat");
    drop(tracer.shutdown_blocking(Duration::from_millis(500)));
    tracer.stats().spooled
}

#[test]
fn a_spool_that_cannot_be_used_is_said_with_its_folder() {
    let _turn = turn();
    let folder = std::env::temp_dir().join(format!("honeyhive-logs-file-{}", std::process::id()));
    std::fs::write(&folder, "no folder").unwrap();
    let server = server();
    server.fail(Fault::status(503));
    let spools = builder(&server).spool(Spool::new(&folder));
    assert_eq!(left_on_disk(&spools.build().unwrap()), 0);
    std::fs::remove_file(&folder).unwrap();

    let named = format!(", at {})", folder.display());
    let warnings = said(Level::WARN);
    let is_said =
        |line: &String| line.contains("the spool cannot be used (") && line.contains(&named);
    assert!(warnings.iter().any(is_said), "{warnings:#?}");
}

#[test]
fn items_of_another_project_in_the_spool_are_said() {
    let _turn = turn();
    let folder = std::env::temp_dir().join(format!("honeyhive-logs-spool-{}", std::process::id()));
    let server = server();
    server.fail(Fault::status(503));
    let spools = || builder(&server).spool(Spool::new(&folder));
    let (ours, another) = (spools().project("ours"), spools().project("another"));
    assert_eq!(left_on_disk(&ours.build().unwrap()), 1);
    left_on_disk(&another.build().unwrap());
    std::fs::remove_dir_all(&folder).unwrap();

    let warnings = said(Level::WARN);
    let is_said = |line: &String| line.contains("files for another key, URL or project");
    assert!(warnings.iter().any(is_said), "{warnings:#?}");
}
