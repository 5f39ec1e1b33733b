//! Promises hold whatever else happens: a wait ends in time, and nothing of a session is lost because another route is
//! down.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use crate::support::*;
use honeyhive::redaction::Verdict;
use honeyhive::{
    Enrichment, FlushError, HoneyHiveTracer, NewSession, Redaction, SessionSampling, StartError,
};
use honeyhive_local::{Endpoint, Fault};
use integration_tests::program::again;
use serde_json::json;

/// A `Gate` is a hook that stands still from `shut` to `open`. The hook is open while the tracer is built: `build` asks
/// for what may leave of the resource.
#[derive(Debug, Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn redaction(&self) -> Redaction {
        let gate = self.clone();
        Redaction::new().hook(move |_| {
            let (is_shut, opened) = &*gate.0;
            let is_shut = is_shut.lock().unwrap();
            drop(opened.wait_while(is_shut, |is_shut| *is_shut).unwrap());
            Verdict::Keep
        })
    }

    fn shut(&self) {
        *self.0.0.lock().unwrap() = true;
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = false;
        self.0.1.notify_all();
    }
}

fn asked(tracer: &HoneyHiveTracer) -> NewSession {
    drop(tracer.span("outside").start());
    NewSession::named("chat").inputs(json!({"question": "?"}))
}

#[test]
fn a_flush_ends_in_time_while_a_hook_stands_still() {
    let (server, gate) = (server(), Gate::default());
    let tracer = builder(&server)
        .redaction(gate.redaction())
        .build()
        .unwrap();
    gate.shut();
    let chat = tracer.create_session(asked(&tracer));
    for _ in 0..2 {
        let flushed = block_on(tracer.force_flush(Duration::from_millis(50)));
        let Err(FlushError::TimedOut { report, .. }) = flushed else {
            panic!("{flushed:?}");
        };
        assert!(report.pending >= 2, "{report:?}");
    }
    gate.open();
    flush(&tracer);
    session(&server, chat.id());
    assert_eq!(tracer.stats().dropped.total(), 0);
}

#[test]
fn who_awaits_a_session_is_told_in_time_while_a_hook_stands_still() {
    let (server, gate) = (server(), Gate::default());
    let tracer = builder(&server)
        .redaction(gate.redaction())
        .api_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    gate.shut();
    let answer = block_on(tracer.acreate_session(asked(&tracer)));
    assert!(
        matches!(answer, Err(StartError::Unconfirmed { .. })),
        "{answer:?}"
    );
    gate.open();
}

#[test]
fn a_shutdown_ends_in_time_while_a_hook_stands_still() {
    let (server, gate) = (server(), Gate::default());
    let tracer = builder(&server)
        .redaction(gate.redaction())
        .build()
        .unwrap();
    gate.shut();
    tracer.create_session(asked(&tracer));
    let stopped = block_on(tracer.shutdown(Duration::from_millis(50)));
    assert!(
        matches!(stopped, Err(FlushError::TimedOut { .. })),
        "{stopped:?}"
    );
    assert_balanced(&tracer);
    gate.open();
}

#[test]
fn a_hook_that_flushes_does_not_wait_for_itself() {
    static TRACER: OnceLock<HoneyHiveTracer> = OnceLock::new();
    let server = server();
    let redaction = Redaction::new().hook(|_| {
        if let Some(tracer) = TRACER.get() {
            assert!(tracer.provider().force_flush().is_err());
            assert!(tracer.force_flush_blocking(PATIENCE).is_err());
        }
        Verdict::Keep
    });
    let tracer = builder(&server).redaction(redaction).build().unwrap();
    TRACER.set(tracer.clone()).unwrap();
    let chat = tracer.create_session(asked(&tracer));
    flush(&tracer);
    assert_eq!(session(&server, chat.id()).inputs["question"], "?");
    assert_eq!(tracer.stats().callback_panics, 0);
}

#[test]
fn spans_reach_honeyhive_by_the_end_though_their_sessions_starts_do_not() {
    let server = server();
    server.fail(Fault::status(503).on(Endpoint::Sessions));
    let tracer = builder(&server)
        .coalesce_window(Duration::ZERO)
        .build()
        .unwrap();
    let chats: Vec<_> = (0..20)
        .map(|number| {
            let chat = tracer.create_session(format!("chat {number}"));
            chat.in_scope(|| drop(tracer.span("work").start()));
            chat
        })
        .collect();
    drop(tracer.shutdown_blocking(Duration::from_secs(3)));

    for (number, chat) in chats.iter().enumerate() {
        let stored = session(&server, chat.id());
        assert!(stored.auto_created);
        assert_eq!(stored.name, Some(format!("chat {number}")));
        assert_eq!(stored.event_count, 1);
    }
    let stats = tracer.stats();
    assert_eq!((stats.delivered, stats.dropped.shut_down), (20, 20));
}

#[test]
fn a_shutdown_counts_the_tracers_own_session_that_begins_with_it() {
    let server = server();
    server.fail(Fault::status(503));
    let tracer = tracer(&server);
    drop(tracer.span("outside").start());
    let stopped = tracer.shutdown_blocking(Duration::from_millis(300));
    let Err(FlushError::TimedOut { report, .. }) = stopped else {
        panic!("{stopped:?}");
    };
    assert_eq!(report.pending, 2, "the span, and the start of its session");
    assert_eq!(tracer.stats().dropped.shut_down, 2);
}

#[test]
fn a_second_turn_is_not_dropped_with_the_end_of_the_first() {
    let server = server();
    let tracer = builder(&server)
        .sampling(SessionSampling::ratio(0.0))
        .build()
        .unwrap();
    let turn = |name: &'static str| {
        tracer.with_session(NewSession::named("chat").id("conversation-7"), {
            let tracer = tracer.clone();
            move |_| {
                drop(tracer.span(name).start());
                async {}
            }
        })
    };
    block_on(turn("first"));
    // The second one is under way when the first is decided.
    let second = tracer.create_session(NewSession::named("chat").id("conversation-7"));
    second.in_scope(|| drop(tracer.span("second").start()));
    let is_decided = || tracer.stats().dropped.sampled_out >= 3;
    while !is_decided() {
        assert_balanced(&tracer);
        std::thread::park_timeout(Duration::from_millis(20));
    }
    second.enrich(Enrichment::new().error("it failed"));
    flush(&tracer);
    let names: Vec<_> = server
        .events(&second.id().to_string())
        .into_iter()
        .map(|event| event.event_name)
        .collect();
    assert_eq!(names, ["second"]);
    assert_eq!(session(&server, second.id()).metadata["error"], "it failed");
}

#[test]
fn an_http_client_that_panics_stops_nothing_for_good() {
    let server = server();
    let (client, has_panicked) = Shaky::new();
    let tracer = builder(&server)
        .http_client(client)
        .coalesce_window(Duration::ZERO)
        .build()
        .unwrap();
    // The calls are more than may be under way at a time.
    for _ in 0..40 {
        tracer.create_session("chat");
    }
    while !has_panicked.load(Ordering::Acquire) {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    flush(&tracer);
    assert_eq!(tracer.stats().delivered, 40);
}

/// A `Shaky` client panics twenty times, and then takes everything.
#[derive(Debug)]
struct Shaky {
    panics_left: std::sync::atomic::AtomicU32,
    has_panicked: Arc<AtomicBool>,
}

impl Shaky {
    fn new() -> (Self, Arc<AtomicBool>) {
        let has_panicked = Arc::<AtomicBool>::default();
        let shaky = Self {
            panics_left: 20.into(),
            has_panicked: has_panicked.clone(),
        };
        (shaky, has_panicked)
    }
}

#[async_trait::async_trait]
impl honeyhive::opentelemetry_http::HttpClient for Shaky {
    async fn send_bytes(
        &self,
        _: http::Request<honeyhive::opentelemetry_http::Bytes>,
    ) -> Result<
        http::Response<honeyhive::opentelemetry_http::Bytes>,
        honeyhive::opentelemetry_http::HttpError,
    > {
        let left = self
            .panics_left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |it| it.checked_sub(1));
        if left.is_ok() {
            panic!("on purpose");
        }
        self.has_panicked.store(true, Ordering::Release);
        Ok(http::Response::new(
            honeyhive::opentelemetry_http::Bytes::new(),
        ))
    }
}

/// Some servers fork for their workers: the fork has the tracer and no delivery thread.
#[cfg(unix)]
#[test]
fn in_a_fork_every_flush_ends_in_time() {
    const FORKS: &str = "HONEYHIVE_TEST_FORKS";
    if std::env::var_os(FORKS).is_some() {
        return forks();
    }
    // The program is a process of its own, in which nothing else is under way.
    let mut program = again(module_path!(), "in_a_fork_every_flush_ends_in_time");
    let run = program.env(FORKS, "1").output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[cfg(unix)]
fn forks() {
    let (_server, tracer) = connected();
    drop(tracer.span("before").start());
    flush(&tracer);
    if let fork::Fork::Parent(child) = fork::fork().unwrap() {
        assert!(fork::WIFEXITED(fork::waitpid(child).unwrap()));
        return;
    }
    // A flush that never ends is ended by a signal.
    std::thread::spawn(|| {
        std::thread::sleep(PATIENCE);
        std::process::abort();
    });
    tracer.create_session("in the fork");
    let flushed = block_on(tracer.force_flush(Duration::from_millis(50)));
    let of_provider = tracer.provider().force_flush();
    if !matches!(flushed, Err(FlushError::TimedOut { .. })) || of_provider.is_ok() {
        std::process::abort();
    }
    std::process::exit(0);
}
