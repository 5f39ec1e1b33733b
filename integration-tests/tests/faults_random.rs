//! Three calls in ten fail at random, under load, through a real axum server. `HH_FAULT_SEED` repeats a run,
//! `HH_FAULT_SECONDS` makes it longer.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on should say so, and with which seed"
)]

use std::sync::Arc;
use std::time::Duration;

use honeyhive::{HoneyHiveTracer, SessionId};
use honeyhive_local::{LocalServer, RecordedRequest};
use integration_tests::faults::table::{KEY, builder};
use integration_tests::faults::{Auditor, Service, TURNS, Traffic, at_random, seed};
use integration_tests::harness::local_server;

const PER_SECOND: u32 = 500;

fn seconds() -> u64 {
    let given = std::env::var("HH_FAULT_SECONDS").ok();
    given.map_or(4, |seconds| seconds.parse().unwrap())
}

/// Starts a HoneyHive that keeps everything.
fn honeyhive() -> LocalServer {
    local_server()
        .unknown_updates(integration_tests::harness::unknown_updates())
        .api_key(KEY)
        .max_sessions(usize::MAX)
        .max_events(usize::MAX)
        .max_bytes(u64::MAX)
        .max_requests(usize::MAX)
        .max_request_bytes(usize::MAX)
        .start_blocking()
        .unwrap()
}

/// Delivers everything: a flush lets calls that wait for their next try go at once; with faults that go on it takes
/// some flushes.
async fn deliver(tracer: &HoneyHiveTracer) {
    for _ in 0..300 {
        if tracer.force_flush(Duration::from_secs(1)).await.is_ok() {
            return;
        }
    }
    panic!("{:?}", tracer.stats());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_faults_in_ten_fail_no_request_and_lose_nothing() {
    let seed = seed();
    println!("HH_FAULT_SEED={seed}");
    let honeyhive = honeyhive();
    at_random(&honeyhive, 0.3, seed);
    let tracer = builder(honeyhive.url())
        .coalesce_window(Duration::from_millis(20))
        .build()
        .unwrap();
    let auditor = Auditor::of(&tracer);
    let service = Service::start(&tracer).await;
    let traffic = Arc::new(Traffic::keeping_sessions());
    let time = Duration::from_secs(seconds());
    traffic.run(&service, PER_SECOND, time).await;
    service.stop().await;
    deliver(&tracer).await;

    let sessions = traffic.sessions();
    let expected = u64::from(PER_SECOND) * seconds();
    assert!(traffic.requests() >= expected - TURNS, "{traffic:?}");
    assert_eq!(traffic.failed(), 0);
    assert_eq!(traffic.requests(), sessions.len() as u64 * TURNS);
    let stats = tracer.stats();
    assert_eq!((stats.pending, stats.dropped.total()), (0, 0), "{stats:?}");
    let failed = failed_calls(&honeyhive);
    assert!((0.2..0.4).contains(&failed), "{failed} of the calls failed");
    assert_eq!(honeyhive.sessions().len(), sessions.len());
    assert!(honeyhive.orphans().is_empty());
    let mut duplicates = 0;
    for id in &sessions {
        duplicates += assert_whole(&honeyhive, *id);
    }
    println!(
        "{} requests, {stats:?}, {duplicates} spans twice",
        traffic.requests()
    );
    assert_order(
        &honeyhive,
        &sessions.into_iter().map(|id| id.to_string()).collect(),
    );
    auditor.assert_balanced();
}

fn failed_calls(honeyhive: &LocalServer) -> f64 {
    let requests = honeyhive.requests();
    let failed = requests.iter().filter(|it| it.status != Some(200)).count();
    failed as f64 / requests.len() as f64
}

/// Asserts that every turn is there, the last one counts, and no span is there twice. Returns how many came again.
fn assert_whole(honeyhive: &LocalServer, id: SessionId) -> u32 {
    let id = id.to_string();
    let session = honeyhive.session(&id).unwrap();
    assert_eq!(session.metadata["turn"], TURNS, "{session:#?}");
    assert_eq!(session.metadata["step"], 2, "{session:#?}");
    for turn in 1..=TURNS {
        assert_eq!(session.metadata[&format!("turn_{turn}")], true);
    }
    assert_eq!(session.outputs["status_code"], 200);
    assert!(!session.auto_created, "its start went first: {session:#?}");
    let events = honeyhive.events(&id);
    let turns: Vec<_> = events.iter().map(|it| it.inputs["turn"].as_u64()).collect();
    assert_eq!(turns.len() as u64, TURNS, "{events:#?}");
    events.iter().map(|event| event.duplicates).sum()
}

/// Asserts the order of a session's calls: first its start, and newer data never before older.
fn assert_order(honeyhive: &LocalServer, sessions: &std::collections::BTreeSet<String>) {
    let mut last = std::collections::BTreeMap::<String, u64>::new();
    for request in honeyhive.requests() {
        let Some(id) = session_of(&request) else {
            continue;
        };
        let body = request.json.as_ref().unwrap();
        let turn = body["metadata"]["turn"].as_u64().unwrap_or_default();
        assert!(sessions.contains(&id));
        let is_start = request.method == "POST";
        assert!(
            is_start || last.contains_key(&id),
            "{id} is changed before its start"
        );
        let before = last.entry(id).or_default();
        assert!(
            turn == 0 || turn >= *before,
            "turn {turn} after {before}: {request:?}"
        );
        *before = turn.max(*before);
    }
    assert_eq!(last.len(), sessions.len());
}

fn session_of(request: &RecordedRequest) -> Option<String> {
    match request.path.strip_prefix("/v1/") {
        Some("sessions") => Some(request.json.as_ref()?["session_id"].as_str()?.to_owned()),
        Some(path) => Some(path.strip_prefix("events/")?.to_owned()),
        None => None,
    }
}
