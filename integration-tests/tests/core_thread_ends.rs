//! Thread-local values have destructors that use what HoneyHive offers: a thread that ends takes nothing down.
//!
//! A panic in such a destructor ends the process, so each case runs in one of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::cell::RefCell;
use std::future::Future;
use std::process::Command;
use std::task::{Context, Poll, Waker};
use std::thread;

use honeyhive::{Enrichment, HoneyHiveTracer, NewSession, Session, SessionGuard, testing};
use serde_json::json;
use tracing_subscriber::layer::SubscriberExt as _;

/// `AtTheEnd` runs a closure when its thread ends.
struct AtTheEnd(Box<dyn Fn()>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        (self.0)();
    }
}

thread_local! {
    static AT_THE_END: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    static KEPT: RefCell<Vec<SessionGuard>> = const { RefCell::new(Vec::new()) };
}

#[honeyhive::trace]
fn traced(argument: &str) -> usize {
    argument.len()
}

fn everything(tracer: Option<&HoneyHiveTracer>) {
    assert_eq!(traced("text"), 4);
    let _ = Session::current();
    let Some(tracer) = tracer else { return };
    let session = tracer.create_session(NewSession::named("late").inputs(json!({"a": 1})));
    let _ = (tracer.current_session(), tracer.current_event_id());
    session.inject(&mut std::collections::HashMap::new());
    drop(tracer.extract([("baggage", "session_id=x")]));
    session.in_scope(|| traced("text"));
    let mut scoped = Box::pin(session.scope(async { traced("text") }));
    let polled = scoped
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(4));
    let span = tracer.span("late").inputs(json!({"a": 1})).start();
    let _ = span.event_id();
    span.in_scope(|| tracer.enrich_span(Enrichment::new().metadata(json!({"a": 1}))));
    tracer.enrich_session(Enrichment::new().metadata(json!({"a": 1})));
}

/// The thread's own value is made before or after those of OpenTelemetry, which decides which goes first.
fn ends(tracer: Option<HoneyHiveTracer>, is_first: bool) {
    let thread = move || {
        // The registry of `tracing-subscriber` makes no spans itself while a thread ends.
        tracing::info_span!("before", a = 1).in_scope(|| traced("text"));
        let later = tracer.clone();
        let set = move || {
            let later = later.clone();
            let end = AtTheEnd(Box::new(move || everything(later.as_ref())));
            AT_THE_END.with_borrow_mut(|it| *it = Some(end));
        };
        if is_first {
            set();
            everything(tracer.as_ref());
        } else {
            everything(tracer.as_ref());
            set();
        }
    };
    thread::spawn(thread).join().unwrap();
}

fn with_subscriber(tracer: &HoneyHiveTracer) {
    let subscriber = tracing_subscriber::registry().with(tracer.tracing_layer());
    tracing::subscriber::set_global_default(subscriber).unwrap();
}

fn case(name: &str) {
    match name {
        "no tracer, made first" => ends(None, true),
        "no tracer, made last" => ends(None, false),
        // Nothing was asked before the thread ended.
        "no tracer, only at the end" => thread::spawn(|| {
            let end = AtTheEnd(Box::new(|| everything(None)));
            AT_THE_END.with_borrow_mut(|it| *it = Some(end));
        })
        .join()
        .unwrap(),
        "default tracer, made first" | "default tracer, made last" => {
            let (tracer, captured) = testing::tracer();
            with_subscriber(&tracer);
            HoneyHiveTracer::set_default(tracer.clone());
            ends(Some(tracer), name.ends_with("first"));
            // The spans from before the end were all recorded.
            let events = captured
                .sessions()
                .iter()
                .map(|it| it.events.len())
                .sum::<usize>();
            assert!(events >= 6, "{events}");
        }
        "a session is current until after the end" => {
            let (tracer, _captured) = testing::tracer();
            let session = tracer.create_session("kept");
            thread::spawn(move || {
                KEPT.with_borrow_mut(|kept| kept.reserve(1));
                let guard = session.enter();
                KEPT.with_borrow_mut(|kept| kept.push(guard));
                traced("text");
            })
            .join()
            .unwrap();
        }
        "a span of tracing is entered until after the end" => {
            let (tracer, _captured) = testing::tracer();
            with_subscriber(&tracer);
            thread::spawn(|| {
                std::mem::forget(tracing::info_span!("entered").entered());
                traced("text");
            })
            .join()
            .unwrap();
        }
        other => panic!("no case {other:?}"),
    }
}

const CASE: &str = "HONEYHIVE_TEST_CASE";

#[test]
fn a_thread_that_ends_may_use_everything_and_takes_nothing_down() {
    if let Ok(name) = std::env::var(CASE) {
        return case(&name);
    }
    for name in [
        "no tracer, made first",
        "no tracer, made last",
        "no tracer, only at the end",
        "default tracer, made first",
        "default tracer, made last",
        "a session is current until after the end",
        "a span of tracing is entered until after the end",
    ] {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program
            .args(["a_thread_that_ends", "--nocapture"])
            .env(CASE, name);
        let output = program.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name}: {}\n{said}", output.status);
        assert!(!said.contains("panicked"), "{name}: {said}");
    }
}

/// OpenTelemetry's context is asked in one place only, on which the test above depends.
#[test]
fn opentelemetrys_context_is_asked_in_one_place_only() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/honeyhive/src");
    let mut folders = vec![std::path::PathBuf::from(source)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("context.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"));
                for line in code {
                    for past in [
                        "Context::current",
                        "Context::map_current",
                        ".attach()",
                        "with_context(",
                    ] {
                        let is_past = line.contains(past) && !line.contains("_with_context(");
                        assert!(!is_past, "{}: {line}", path.display());
                    }
                }
            }
        }
    }
}
