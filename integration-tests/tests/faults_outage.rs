//! An outage is longer than the queue: the tests say what it costs in memory, what is lost, and what follows it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on should say so, and what was measured is worth reading"
)]

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use honeyhive::{DropPolicy, Enrichment, HoneyHiveTracer};
use honeyhive_local::{Fault, LocalServer};
use integration_tests::faults::table::{KEY, builder, server};
use integration_tests::faults::{Auditor, Footprint, balance};
use integration_tests::harness::PATIENCE;
use serde_json::json;
use tokio::net::TcpSocket;

const MIB: u64 = 1024 * 1024;
/// The bound is the default of `max_pending_bytes`.
const BOUND: u64 = 64 * MIB;
const CHILD: &str = "HH_OUTAGE_CHILD";

/// Returns an address where nobody listens while the socket is held.
fn nobody() -> (TcpSocket, SocketAddr) {
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = nobody.local_addr().unwrap();
    (nobody, address)
}

/// Records the items of a request: a session, an enrichment of it, and spans with texts of so many bytes.
fn request(tracer: &HoneyHiveTracer, bytes: usize) {
    let chat = tracer.create_session("chat");
    chat.in_scope(|| {
        for _ in 0..2 {
            let span = tracer
                .span("work")
                .inputs(json!({"text": "x".repeat(bytes)}));
            drop(span.start());
        }
    });
    let answer = json!({"answer": "y".repeat(bytes), "score": 1});
    chat.enrich(Enrichment::new().outputs(answer));
    chat.enrich(Enrichment::new().metrics(json!({"score": 1})));
}

/// Returns the bytes by which the process grows in an outage in which three times as much comes as may be pending.
fn growth(policy: DropPolicy, bytes: usize) -> u64 {
    let (_nobody, address) = nobody();
    let tracer = builder(format!("http://{address}"))
        .drop_policy(policy)
        .coalesce_window(Duration::from_millis(500))
        .build()
        .unwrap();
    request(&tracer, bytes);
    drop(tracer.force_flush_blocking(Duration::from_millis(300)));
    let before = Footprint::now().unwrap().resident;
    let auditor = Auditor::of(&tracer);
    let mut most = 0;
    while tracer.stats().dropped.queue_full < 2 * tracer.stats().pending {
        for _ in 0..100 {
            request(&tracer, bytes);
        }
        most = most.max(Footprint::now().unwrap().resident - before);
    }
    drop(tracer.force_flush_blocking(Duration::from_millis(300)));
    most = most.max(Footprint::now().unwrap().resident - before);
    let stats = tracer.stats();
    assert_eq!(stats.dropped.total(), stats.dropped.queue_full);
    assert!(stats.pending_bytes > BOUND / 2, "{stats:?}");
    let counted = auditor.assert_balanced();
    println!(
        "{policy:?}, texts of {bytes} bytes: {} MiB held, {} MiB counted, {stats:?}",
        most / MIB,
        counted / MIB
    );
    assert!(counted <= BOUND);
    most
}

const CASES: [(DropPolicy, usize); 4] = [
    (DropPolicy::Newest, 2_000),
    (DropPolicy::Oldest, 2_000),
    (DropPolicy::Newest, 10),
    (DropPolicy::Oldest, 10),
];

/// Each case has a process of its own: memory that was once given back may be held all the same.
#[test]
fn memory_stays_within_its_bound_however_long_an_outage_lasts() {
    if let Ok(case) = std::env::var(CHILD) {
        let (policy, bytes) = CASES[case.parse::<usize>().unwrap()];
        let most = growth(policy, bytes);
        // The system gives a process more than the process asks for, depending on the allocator.
        assert!(most <= BOUND + BOUND / 4, "{} MiB", most / MIB);
        return;
    }
    if Footprint::now().is_none() {
        return;
    }
    for case in 0..CASES.len() {
        let mut program = Command::new(std::env::current_exe().unwrap());
        let test = "memory_stays_within_its_bound_however_long_an_outage_lasts";
        program.args(["--exact", test, "--nocapture"]);
        let output = program.env(CHILD, case.to_string()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        println!("{said}");
        assert!(
            output.status.success(),
            "{said} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn after_an_outage_everything_is_delivered_without_a_stampede() {
    let server = server();
    server.fail(Fault::status(503));
    let tracer = builder(server.url())
        .coalesce_window(Duration::from_millis(1))
        .build()
        .unwrap();
    let auditor = Auditor::of(&tracer);
    for _ in 0..1_000 {
        request(&tracer, 10);
    }
    assert!(server.wait_until_blocking(PATIENCE, |server| server.stats().requests > 20));
    server.heal();
    // Answers take a while from here on, so that calls would gather if they could.
    server.fail(Fault::delay(Duration::from_millis(5)));
    server.clear();
    let began = Instant::now();
    tracer.force_flush_blocking(PATIENCE).unwrap();

    let stats = server.stats();
    assert_eq!((stats.sessions, stats.events), (1_000, 2_000));
    // The calls are sixteen of sessions and four of spans, and eight more for each five seconds of a busy machine.
    let most = 20 + 8 * (began.elapsed().as_secs() / 5);
    let under_way = u64::try_from(stats.most_under_way).unwrap();
    assert!((2..=most).contains(&under_way), "{stats:?}");
    assert_eq!(tracer.stats().dropped.total(), 0);
    auditor.assert_balanced();
}

#[test]
fn an_outage_is_met_by_one_call_at_a_time() {
    let server = server();
    server.fail(Fault::status(503));
    let tracer = builder(server.url())
        .coalesce_window(Duration::from_millis(1))
        .build()
        .unwrap();
    for _ in 0..200 {
        request(&tracer, 10);
    }
    assert!(server.wait_until_blocking(PATIENCE, |server| server.stats().requests >= 16));
    assert!(server.wait_until_blocking(PATIENCE, |server| server.stats().under_way == 0));
    server.clear();
    while server.stats().requests < 6 {
        // A waiting flush makes delivery try at once.
        drop(tracer.force_flush_blocking(Duration::from_millis(20)));
    }
    // The calls are one of sessions and one of spans.
    assert!(server.stats().most_under_way <= 2, "{:?}", server.stats());
    assert!(balance(&tracer.stats()));
    drop(tracer.shutdown_blocking(Duration::ZERO));
}

#[test]
fn what_was_dropped_in_an_outage_is_counted_and_the_rest_arrives() {
    let (nobody, address) = nobody();
    let tracer = builder(format!("http://{address}"))
        .max_pending_items(400)
        .build()
        .unwrap();
    for _ in 0..200 {
        request(&tracer, 10);
    }
    let stats = tracer.stats();
    assert_eq!(
        (stats.accepted, stats.pending, stats.dropped.queue_full),
        (1_000, 400, 600)
    );
    drop(nobody);
    let server = LocalServer::builder().api_key(KEY).address(address);
    let server = server.start_blocking().unwrap();
    tracer.force_flush_blocking(PATIENCE).unwrap();
    assert_eq!(server.stats().sessions, 80);
    assert_eq!(tracer.stats().delivered, 400);
}
