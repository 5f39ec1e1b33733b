//! The program runs a chat server under load while HoneyHive fails, and prints over time what that costs: memory,
//! threads, open files. It fails where one of them grows, where a user's request fails, or where telemetry is lost.
//!
//! ```text
//! cargo run --release -p integration-tests --bin soak -- --minutes 30 [--rate 300] [--seed 7] [--spool FOLDER]
//! ```
//!
//! With `--spool` memory has room for 2,000 items only, and what does not fit goes through the folder.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program talks to its user, and one that cannot go on should say so"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use honeyhive::{DeliveryStats, HoneyHiveTracer, Spool};
use honeyhive_local::{Fault, LocalServer};
use integration_tests::faults::table::{KEY, builder, record};
use integration_tests::faults::{Auditor, Footprint, Service, Traffic, at_random, seed};
use integration_tests::harness::local_server;

const MIB: f64 = 1024.0 * 1024.0;
/// A phase has this length, which is also the time between two lines of the output.
const PHASE: Duration = Duration::from_secs(10);

/// HoneyHive behaves so, phase by phase.
const PHASES: [Phase; 4] = [
    Phase::ThreeInTenFail,
    Phase::Healthy,
    Phase::Outage,
    Phase::Hangs,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    ThreeInTenFail,
    Healthy,
    Outage,
    Hangs,
}

struct Arguments {
    time: Duration,
    rate: u32,
    seed: u64,
    spool: Option<PathBuf>,
}

fn arguments() -> Option<Arguments> {
    let mut found = Arguments {
        time: Duration::from_secs(30 * 60),
        rate: 300,
        seed: seed(),
        spool: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--minutes" => {
                found.time = Duration::try_from_secs_f64(60.0 * value.parse::<f64>().ok()?).ok()?;
            }
            "--rate" => found.rate = value.parse().ok().filter(|rate| *rate > 0)?,
            "--seed" => found.seed = value.parse().ok()?,
            "--spool" => found.spool = Some(value.into()),
            _ => return None,
        }
    }
    Some(found)
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        println!("soak [--minutes 30] [--rate 300] [--seed 7] [--spool FOLDER]");
        return ExitCode::FAILURE;
    };
    let Some(before) = Footprint::now() else {
        println!("this needs /proc");
        return ExitCode::FAILURE;
    };
    // The core's warnings go to stderr, since the table is on stdout.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .init();
    let mut complaints = soak(&arguments).await;
    complaints.extend(leaks(before).await);
    for complaint in &complaints {
        println!("FAILED: {complaint}");
    }
    if complaints.is_empty() {
        println!("passed");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Starts a HoneyHive that forgets old data, so that it does not grow either; but none of the last minute, since an
/// update of a forgotten event would be rejected.
fn honeyhive() -> LocalServer {
    let builder = local_server()
        .unknown_updates(integration_tests::harness::unknown_updates())
        .api_key(KEY)
        .max_sessions(6_000)
        .max_events(18_000)
        .max_requests(1_000);
    builder
        .start_blocking()
        .expect("a HoneyHive on this machine")
}

fn tracer(honeyhive: &LocalServer, spool: Option<&Path>) -> HoneyHiveTracer {
    let mut builder = builder(honeyhive.url())
        .coalesce_window(Duration::from_millis(500))
        .api_timeout(Duration::from_secs(1));
    if let Some(folder) = spool {
        builder = builder.max_pending_items(2_000).spool(Spool::new(folder));
    }
    builder.build().expect("a tracer")
}

async fn soak(arguments: &Arguments) -> Vec<String> {
    let honeyhive = honeyhive();
    let tracer = tracer(&honeyhive, arguments.spool.as_deref());
    let auditor = Auditor::of(&tracer);
    let service = Service::start(&tracer).await;
    let traffic = Arc::new(Traffic::default());
    println!(
        "{} requests/s for {:?}, seed {}",
        arguments.rate, arguments.time, arguments.seed
    );
    println!(
        "{:>7} {:<15} {:>9} {:>7} {:>10} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>6}",
        "time",
        "phase",
        "requests",
        "failed",
        "delivered",
        "pending",
        "on disk",
        "dropped",
        "retried",
        "MiB",
        "threads",
        "files"
    );
    let began = Instant::now();
    let mut resident = Vec::new();
    for (number, phase) in (0..).zip(PHASES.into_iter().cycle()) {
        if began.elapsed() >= arguments.time {
            break;
        }
        enter(&honeyhive, phase, arguments.seed.wrapping_add(number * 100));
        traffic.run(&service, arguments.rate, PHASE).await;
        come_and_go(&honeyhive).await;
        resident.push(line(began, phase, &traffic, tracer.stats()));
    }
    honeyhive.heal();
    service.stop().await;
    let stats = end(&tracer).await;
    line(began, Phase::Healthy, &traffic, stats);
    auditor.assert_balanced();
    let mut complaints = of_memory(&resident);
    if traffic.failed() > 0 {
        complaints.push(format!("{} requests of users failed", traffic.failed()));
    }
    if stats.pending + stats.dropped.total() > 0 {
        complaints.push(format!("telemetry is lost: {stats:?}"));
    }
    complaints
}

fn enter(honeyhive: &LocalServer, phase: Phase, seed: u64) {
    honeyhive.heal();
    match phase {
        Phase::ThreeInTenFail => at_random(honeyhive, 0.3, seed),
        Phase::Healthy => {}
        Phase::Outage => honeyhive.fail(Fault::status(503)),
        // The fault takes only some calls, so that the others show what is left of them.
        Phase::Hangs => honeyhive.fail(Fault::hang().share(0.2)),
    }
}

/// Begins and ends another tracer of the same process: what it leaves behind would gather.
async fn come_and_go(honeyhive: &LocalServer) {
    let tracer = builder(honeyhive.url()).build().expect("a tracer");
    drop(record(&tracer));
    // The fate of these items is a matter of the other tests.
    drop(tracer.shutdown(Duration::from_millis(100)).await);
}

fn line(began: Instant, phase: Phase, traffic: &Traffic, stats: DeliveryStats) -> f64 {
    let footprint = Footprint::now();
    let resident = footprint.map_or(0.0, |it| it.resident as f64 / MIB);
    println!(
        "{:>6}s {:<15} {:>9} {:>7} {:>10} {:>8} {:>8} {:>8} {:>8} {:>8.1} {:>8} {:>6}",
        began.elapsed().as_secs(),
        format!("{phase:?}"),
        traffic.requests(),
        traffic.failed(),
        stats.delivered,
        stats.pending,
        stats.spooled,
        stats.dropped.total(),
        stats.retried,
        resident,
        footprint.map_or(0, |it| it.threads),
        footprint.map_or(0, |it| it.files),
    );
    resident
}

/// Delivers everything that is left: HoneyHive is well again.
async fn end(tracer: &HoneyHiveTracer) -> DeliveryStats {
    for _ in 0..12 {
        if tracer.force_flush(Duration::from_secs(5)).await.is_ok() {
            break;
        }
    }
    drop(tracer.shutdown(Duration::from_secs(5)).await);
    tracer.stats()
}

/// Checks the memory: after a first third in which everything fills, the last third holds as much as the one before.
/// Each third must have whole rounds of all phases, or they are not compared.
fn of_memory(resident: &[f64]) -> Vec<String> {
    let third = resident.len() / 3 / PHASES.len() * PHASES.len();
    if third == 0 {
        println!(
            "too short to say anything of memory: {} phases",
            resident.len()
        );
        return Vec::new();
    }
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (earlier, last) = resident.split_at(resident.len() - third);
    let (middle, last) = (mean(&earlier[earlier.len() - third..]), mean(last));
    println!("memory: {middle:.1} MiB in the middle third, {last:.1} MiB in the last");
    let is_flat = last <= middle * 1.05 + 2.0;
    let complaint = format!("memory grows: {middle:.1} MiB, then {last:.1} MiB");
    (!is_flat).then_some(complaint).into_iter().collect()
}

/// Checks that as many threads and files are open at the end as before the beginning.
async fn leaks(before: Footprint) -> Vec<String> {
    let mut now = before;
    for _ in 0..100 {
        now = Footprint::now().unwrap_or(before);
        if now.threads <= before.threads && now.files <= before.files {
            println!(
                "threads and files: {} and {}, as before",
                now.threads, now.files
            );
            return Vec::new();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    vec![format!(
        "{} threads and {} files are left over",
        now.threads.saturating_sub(before.threads),
        now.files.saturating_sub(before.files)
    )]
}
