//! The core runs on every kind of runtime and on none: the tests flush, shut down, and go on after that.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

#[path = "sdk/support.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use honeyhive::opentelemetry::trace::{Tracer as _, TracerProvider as _};
use honeyhive::{Enrichment, FlushError, FlushReport, HoneyHiveTracer, StartError};
use honeyhive_local::{Fault, LocalServer};
use serde_json::json;
use support::*;

const SHORT: Duration = Duration::from_millis(300);

/// Returns a HoneyHive that never answers.
fn hanging() -> LocalServer {
    let server = server();
    server.fail(Fault::hang());
    server
}

fn record(tracer: &HoneyHiveTracer) {
    let chat = tracer.create_session("chat");
    chat.in_scope(|| drop(tracer.span("work").start()));
}

#[track_caller]
fn assert_timed_out(result: Result<FlushReport, FlushError>, pending: u64) {
    match result {
        Err(FlushError::TimedOut {
            timeout, report, ..
        }) => {
            assert_eq!(timeout, SHORT);
            assert_eq!((report.pending, report.delivered), (pending, 0));
        }
        other => panic!("{other:?}"),
    }
}

/// Asserts that flush and shutdown end in time, against a HoneyHive that answers and one that does not.
async fn ends_in_time() {
    let server = server();
    let tracer = tracer(&server);
    record(&tracer);
    assert_eq!(tracer.force_flush(PATIENCE).await.unwrap().delivered, 2);
    record(&tracer);
    assert_eq!(tracer.shutdown(PATIENCE).await.unwrap().delivered, 2);
    assert_eq!(server.stats().sessions, 2);

    let server = hanging();
    let tracer = support::tracer(&server);
    record(&tracer);
    assert_timed_out(tracer.force_flush(SHORT).await, 2);
    assert_eq!(tracer.stats().pending, 2, "a flush gives nothing up");
    assert_timed_out(tracer.shutdown(SHORT).await, 2);
    let stats = tracer.stats();
    assert_eq!((stats.pending, stats.dropped.shut_down), (0, 2));
    assert_balanced(&tracer);
}

fn ends_in_time_blocking() {
    let server = server();
    let tracer = tracer(&server);
    record(&tracer);
    assert_eq!(flush(&tracer).delivered, 2);
    record(&tracer);
    assert_eq!(tracer.shutdown_blocking(PATIENCE).unwrap().delivered, 2);

    let server = hanging();
    let tracer = support::tracer(&server);
    record(&tracer);
    assert_timed_out(tracer.force_flush_blocking(SHORT), 2);
    assert_timed_out(tracer.shutdown_blocking(SHORT), 2);
    assert_eq!(tracer.stats().dropped.shut_down, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flush_and_shutdown_end_in_time_on_many_threads() {
    ends_in_time().await;
}

#[tokio::test(flavor = "current_thread")]
async fn flush_and_shutdown_end_in_time_on_one_thread() {
    ends_in_time().await;
}

#[test]
fn flush_and_shutdown_end_in_time_awaited_without_a_runtime() {
    block_on(ends_in_time());
}

#[test]
fn flush_and_shutdown_end_in_time_in_a_plain_program() {
    ends_in_time_blocking();
}

#[tokio::test(flavor = "current_thread")]
async fn blocking_calls_end_in_time_inside_a_runtime_of_one_thread() {
    ends_in_time_blocking();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_calls_end_in_time_inside_a_runtime_of_many_threads() {
    ends_in_time_blocking();
}

#[tokio::test(start_paused = true)]
async fn a_runtime_whose_clock_stands_still_changes_nothing() {
    let server = server();
    let tracer = tracer(&server);
    record(&tracer);
    tracer.force_flush(PATIENCE).await.unwrap();
    tracer.acreate_session("awaited").await.unwrap();
    tracer.shutdown(PATIENCE).await.unwrap();
    assert_eq!(server.stats().sessions, 2);
}

#[test]
fn a_session_is_awaited_without_a_runtime() {
    let server = server();
    let tracer = tracer(&server);
    let chat = block_on(tracer.acreate_session("chat")).unwrap();
    session(&server, chat.id());
}

#[test]
fn a_tracer_outlives_the_runtime_it_was_made_on() {
    let server = server();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (tracer, chat) = runtime.block_on(async {
        let tracer = tracer(&server);
        let chat = tracer.acreate_session("made inside").await.unwrap();
        (tracer, chat)
    });
    drop(runtime);
    chat.enrich(Enrichment::new().outputs(json!({"answer": 42})));
    chat.in_scope(|| drop(tracer.span("work").start()));
    record(&tracer);
    flush(&tracer);

    assert_eq!(session(&server, chat.id()).outputs["answer"], 42);
    assert_eq!(server.stats().events, 2);
}

#[test]
fn a_guard_delivers_the_rest_when_main_ends() {
    let server = server();
    {
        let tracer = tracer(&server);
        let _guard = tracer.shutdown_guard();
        record(&tracer);
    }
    assert_eq!((server.stats().sessions, server.stats().events), (1, 1));
}

#[test]
fn a_guard_delivers_the_rest_when_main_panics() {
    let server = server();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let tracer = tracer(&server);
        let _guard = tracer.shutdown_guard();
        let chat = tracer.create_session("chat");
        let _current = chat.enter();
        let _span = tracer.span("open").start();
        panic!("on purpose");
    }));
    assert!(caught.is_err());
    assert_eq!((server.stats().sessions, server.stats().events), (1, 1));
}

#[test]
fn a_guard_gives_up_when_its_time_is_over() {
    let server = hanging();
    let tracer = tracer(&server);
    let guard = tracer.shutdown_guard().timeout(SHORT);
    record(&tracer);
    drop(guard);
    assert_eq!(tracer.stats().dropped.shut_down, 2);
}

#[test]
fn the_last_handle_goes_without_waiting_and_what_was_recorded_still_arrives() {
    let server = hanging();
    let tracer = builder(&server)
        .api_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    record(&tracer);
    drop(tracer);
    // Nobody would be left to deliver this, had the drop waited for the end of delivery.
    server.heal();
    assert!(server.wait_until_blocking(PATIENCE, |s| s.stats().events == 1));
}

#[tokio::test]
async fn the_last_handle_may_go_inside_a_runtime() {
    let server = server();
    let tracer = tracer(&server);
    record(&tracer);
    drop(tracer);
    assert!(server.wait_until(PATIENCE, |s| s.stats().events == 1).await);
}

#[test]
fn a_session_that_outlives_its_tracer_is_harmless() {
    let server = server();
    let tracer = tracer(&server);
    let chat = tracer.create_session("chat");
    let span = chat.in_scope(|| tracer.span("open").start());
    drop(tracer);
    chat.enrich(Enrichment::new().metadata(json!({"late": true})));
    chat.in_scope(|| drop(span));
    assert!(server.wait_until_blocking(PATIENCE, |s| s.stats().sessions == 1));
}

#[test]
fn a_program_can_begin_again_after_a_shutdown() {
    let server = server();
    for round in 1..=3 {
        let tracer = tracer(&server);
        record(&tracer);
        tracer.shutdown_blocking(PATIENCE).unwrap();
        assert_eq!(server.stats().sessions, round);
        assert_eq!(server.stats().events, round);
    }
}

#[test]
fn what_comes_after_the_shutdown_is_counted_and_nothing_breaks() {
    let server = server();
    let tracer = tracer(&server);
    let early = tracer.create_session("early");
    tracer.shutdown_blocking(PATIENCE).unwrap();
    server.clear();

    let late = tracer.create_session("late");
    late.in_scope(|| drop(tracer.span("work").start()));
    early.enrich(Enrichment::new().metadata(json!({"late": true})));
    tracer.enrich_session(Enrichment::new().metadata(json!({"late": true})));
    assert_eq!(
        block_on(tracer.acreate_session("later")).unwrap_err(),
        StartError::ShutDown
    );
    assert_eq!(
        tracer.force_flush_blocking(PATIENCE),
        Err(FlushError::ShutDown)
    );
    assert_eq!(
        block_on(tracer.force_flush(PATIENCE)),
        Err(FlushError::ShutDown)
    );
    assert_eq!(
        tracer.shutdown_blocking(PATIENCE),
        Err(FlushError::ShutDown)
    );

    // Three starts (the tracer's own is one), two updates and a span.
    let stats = tracer.stats();
    assert_eq!((stats.dropped.shut_down, stats.accepted), (6, 7));
    assert_balanced(&tracer);
    assert!(server.requests().is_empty());
}

#[test]
fn who_awaits_a_session_when_the_tracer_is_shut_down_is_told() {
    let server = hanging();
    let tracer = tracer(&server);
    let created = tracer.acreate_session("chat");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| block_on(created));
        assert!(server.wait_until_blocking(PATIENCE, |s| s.stats().requests == 1));
        assert!(tracer.shutdown_blocking(Duration::ZERO).is_err());
        assert_eq!(waiting.join().unwrap().unwrap_err(), StartError::ShutDown);
    });
}

#[tokio::test]
async fn two_flushes_at_once_both_end_well() {
    let server = server();
    let tracer = tracer(&server);
    record(&tracer);
    let (one, two) = tokio::join!(tracer.force_flush(PATIENCE), tracer.force_flush(PATIENCE));
    assert_eq!((one.unwrap().delivered, two.unwrap().delivered), (2, 2));
}

#[test]
fn two_shutdowns_at_once_both_end() {
    let server = server();
    let tracer = tracer(&server);
    record(&tracer);
    std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| tracer.shutdown_blocking(PATIENCE)));
        for shutdown in both {
            let result = shutdown.join().unwrap();
            assert!(
                matches!(result, Ok(_) | Err(FlushError::ShutDown)),
                "{result:?}"
            );
        }
    });
    assert_eq!(server.stats().events, 1);
}

#[test]
fn a_flush_of_nothing_is_done_at_once_though_honeyhive_hangs() {
    let server = hanging();
    let tracer = tracer(&server);
    assert_eq!(flush(&tracer), FlushReport::default());
}

#[test]
fn a_flush_ends_though_others_never_stop_recording() {
    let server = server();
    // The bound is low enough to have the queue full all the time, also on a slow machine.
    let tracer = builder(&server).max_pending_items(200).build().unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (started, starting) = mpsc::channel();
        let (tracer, stop) = (&tracer, &stop);
        scope.spawn(move || {
            while !stop.load(Ordering::Acquire) {
                record(tracer);
                let _ = started.send(());
                std::thread::yield_now();
            }
        });
        starting.recv().unwrap();
        for _ in 0..3 {
            assert!(flush(tracer).delivered > 0);
        }
        stop.store(true, Ordering::Release);
    });
    assert_balanced(&tracer);
}

#[test]
fn forever_is_a_duration_like_any_other() {
    let server = server();
    let tracer = builder(&server)
        .coalesce_window(Duration::MAX)
        .api_timeout(Duration::MAX)
        .build()
        .unwrap();
    record(&tracer);
    assert_eq!(
        tracer
            .force_flush_blocking(Duration::MAX)
            .unwrap()
            .delivered,
        2
    );
    record(&tracer);
    block_on(tracer.shutdown(Duration::MAX)).unwrap();
    assert_eq!(server.stats().sessions, 2);
}

#[test]
fn a_flush_through_the_provider_is_a_flush() {
    let server = server();
    let tracer = tracer(&server);
    record(&tracer);
    tracer.provider().force_flush().unwrap();
    assert_eq!(server.stats().events, 1);
}

#[test]
fn shutting_the_provider_down_leaves_sessions_to_the_tracer() {
    let server = server();
    let tracer = tracer(&server);
    record(&tracer);
    tracer.provider().shutdown().unwrap();
    let chat = tracer.create_session("after");
    tracer.shutdown_blocking(PATIENCE).unwrap();
    session(&server, chat.id());
    assert_eq!(server.stats().events, 1);
}

#[test]
fn a_provider_goes_on_delivering_when_the_last_tracer_is_gone() {
    let server = server();
    let tracer = tracer(&server);
    let chat = tracer.create_session("chat");
    let provider = tracer.provider().clone();
    drop(tracer);
    chat.in_scope(|| drop(provider.tracer("elsewhere").start("after")));
    provider.force_flush().unwrap();
    assert_eq!(event(&server, "after").session_id, chat.id().to_string());
}

/// Returns the niceness of this process's thread with this name, as far as the kernel keeps it.
#[cfg(target_os = "linux")]
fn niceness_of(thread: &str) -> Option<i32> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    threads
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("stat")).ok())
        .find_map(|stat| {
            // The name may hold anything, so the fields are counted from its end on.
            let (before, after) = stat.rsplit_once(')')?;
            let (_, name) = before.split_once('(')?;
            let niceness = after.split_whitespace().nth(16)?;
            (thread.starts_with(name)).then(|| niceness.parse().ok())?
        })
}

#[cfg(target_os = "linux")]
#[test]
fn the_delivery_thread_gives_way_to_the_threads_of_the_program() {
    let server = server();
    let tracer = tracer(&server);
    drop(tracer.create_session("chat"));
    flush(&tracer);
    let delivery = niceness_of("honeyhive-delivery").unwrap();
    let own = niceness_of(std::thread::current().name().unwrap()).unwrap();
    // The program's own niceness counts: under `nice` it gives way, too.
    assert!(delivery >= own.max(10), "{delivery} {own}");
}
