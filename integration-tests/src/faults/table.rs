//! The table of faults says what goes wrong, what is tried again, what becomes of the telemetry, and what the log says.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use honeyhive::{Drops, Enrichment, FlushError, HoneyHiveTracer, HoneyHiveTracerBuilder, Session};
use honeyhive_local::{Endpoint, Fault, LocalServer};
use serde_json::json;
use tokio::net::TcpSocket;
use tracing::Level;

use super::{Auditor, Cut, FaultProxy};
use crate::harness::PATIENCE;
use crate::harness::local_server;
use crate::log;

/// Each row records this number of items: a session, a span, and an update that needs a call of its own.
pub const ITEMS: u64 = 3;

/// The servers of the table take this key.
pub const KEY: &str = "hh_fault_key";

/// A `Row` has a fault and its consequences.
#[derive(Debug)]
pub struct Row {
    /// The fault.
    pub fault: What,
    /// The outcome.
    pub outcome: Outcome,
    /// The one line of the log; `None` for a fault that makes none.
    pub line: Option<(Level, &'static str)>,
}

/// `What` is a fault.
#[derive(Debug)]
pub enum What {
    /// HoneyHive answers the first call of each kind so.
    FirstAnswers(Fault),
    /// HoneyHive answers every call so.
    Answers(Fault),
    /// The first connections fail, over which the session's start goes.
    Connections(Vec<Cut>),
    /// The address has no listener at first, and later it has one.
    Refused,
    /// The host's name does not exist.
    NoSuchHost,
}

/// An `Outcome` is that of a fault.
#[derive(Debug)]
pub enum Outcome {
    /// Everything is delivered; so many calls were made once more.
    Retried(RangeInclusive<u64>),
    /// Everything is delivered at once.
    Delivered,
    /// Everything is dropped without another try, for this reason.
    Dropped(fn(&Drops) -> u64),
    /// Everything is tried again and waits.
    Waits,
}

const WARN: fn(&'static str) -> Option<(Level, &'static str)> = |text| Some((Level::WARN, text));
const ERROR: fn(&'static str) -> Option<(Level, &'static str)> = |text| Some((Level::ERROR, text));

/// Returns a row for a status that passes: each call is made once more.
#[must_use]
pub fn passing(status: u16, line: &'static str) -> Row {
    Row {
        fault: What::FirstAnswers(Fault::status(status)),
        outcome: Outcome::Retried(ITEMS..=ITEMS),
        line: WARN(line),
    }
}

/// Returns a row in which a gateway answers with an error page instead of JSON.
#[must_use]
pub fn error_page() -> Row {
    let page = "<html>\n<body>\n<h1>Bad Gateway</h1>\n</body>\n</html>";
    let fault = Fault::status(502)
        .header("content-type", "text/html")
        .body(page);
    Row {
        fault: What::FirstAnswers(fault),
        ..passing(502, "status 502: <html> <body> <h1>Bad Gateway</h1>")
    }
}

/// Returns a row for a call that is not made again: it would be refused again.
#[must_use]
pub fn refused(status: u16, reason: fn(&Drops) -> u64, line: &'static str) -> Row {
    let is_a_users_matter = matches!(status, 401 | 403 | 404);
    Row {
        fault: What::Answers(Fault::status(status)),
        outcome: Outcome::Dropped(reason),
        line: if is_a_users_matter {
            ERROR(line)
        } else {
            WARN(line)
        },
    }
}

/// Returns a row for a success, whatever its body.
#[must_use]
pub fn success(status: u16, kind: &str, body: &'static str) -> Row {
    let fault = Fault::status(status)
        .header("content-type", kind)
        .body(body);
    Row {
        fault: What::Answers(fault),
        outcome: Outcome::Delivered,
        line: None,
    }
}

/// Returns a row for connections on which the start fails, once each.
#[must_use]
pub fn cut(cuts: impl IntoIterator<Item = Cut>) -> Row {
    let cuts = Vec::from_iter(cuts);
    let times = cuts.len() as u64;
    Row {
        fault: What::Connections(cuts),
        outcome: Outcome::Retried(times..=times),
        line: WARN("HoneyHive did not take sessions"),
    }
}

/// Returns a row for a connection that brings everything, though in an unusual way.
#[must_use]
pub fn unusual(cut: Cut) -> Row {
    Row {
        fault: What::Connections(vec![cut]),
        outcome: Outcome::Delivered,
        line: None,
    }
}

/// Makes a row in which HoneyHive is missing at first.
#[must_use]
pub fn waits(fault: What) -> Row {
    Row {
        fault,
        outcome: Outcome::Waits,
        line: WARN("it is tried again, requests are not affected"),
    }
}

/// Returns a HoneyHive as the table wants it.
#[must_use]
pub fn server() -> LocalServer {
    let server = local_server()
        .unknown_updates(crate::harness::unknown_updates())
        .api_key(KEY)
        .start_blocking();
    server.expect("a HoneyHive on this machine")
}

/// Returns the builder of a tracer for an address. The tracer holds sessions back until it is flushed.
pub fn builder(url: impl Into<String>) -> HoneyHiveTracerBuilder {
    HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url(url)
        .source("faults")
        .coalesce_window(Duration::from_secs(3_600))
}

/// Records [`ITEMS`] items.
pub fn record(tracer: &HoneyHiveTracer) -> Session {
    let chat = tracer.create_session("chat");
    chat.in_scope(|| drop(tracer.span("work").start()));
    chat.enrich(Enrichment::new().metrics(json!({"score": 1})));
    chat
}

/// Asserts that everything of a session that was [recorded](record) is there, once.
#[track_caller]
pub fn assert_arrived(server: &LocalServer, chat: &Session) {
    let id = chat.id().to_string();
    let session = server.session(&id);
    let session = session.unwrap_or_else(|| panic!("{id} is lost: {:#?}", server.requests()));
    assert_eq!(session.metrics["score"], 1);
    assert_eq!(server.tree(&id), "chat\n  work [tool]\n");
    assert!(!session.auto_created && server.orphans().is_empty());
}

impl Row {
    /// Plays the fault and compares all consequences.
    pub fn run(self) {
        let _turn = log::turn();
        let server = server();
        match self.fault {
            What::FirstAnswers(fault) => {
                for endpoint in [Endpoint::Sessions, Endpoint::Events, Endpoint::Traces] {
                    server.fail(fault.clone().on(endpoint).times(1));
                }
                run_against(&server, server.url(), &self.outcome);
            }
            What::Answers(fault) => {
                server.fail(fault);
                run_against(&server, server.url(), &self.outcome);
            }
            What::Connections(cuts) => {
                let proxy = FaultProxy::start(server.address());
                proxy.cut(cuts);
                run_against(&server, proxy.url(), &self.outcome);
                assert!(proxy.connections() > 0);
            }
            What::Refused => wait_for_somebody(),
            What::NoSuchHost => wait_in_vain("http://honeyhive.invalid"),
        }
        assert_said(self.line);
    }
}

fn run_against(server: &LocalServer, url: String, outcome: &Outcome) {
    // The timeout is long enough for a slow machine, and short enough for the faults that hang.
    let tracer = builder(url).api_timeout(Duration::from_secs(2)).build();
    let tracer = tracer.expect("a tracer");
    let auditor = Auditor::of(&tracer);
    let chat = record(&tracer);
    let flushed = tracer.force_flush_blocking(PATIENCE);
    let stats = tracer.stats();
    match outcome {
        Outcome::Retried(times) => {
            assert_eq!(flushed.map(|it| it.delivered), Ok(ITEMS), "{stats:?}");
            assert!(times.contains(&stats.retried), "{stats:?}");
            assert_arrived(server, &chat);
        }
        Outcome::Delivered => {
            assert_eq!(flushed.map(|it| it.delivered), Ok(ITEMS), "{stats:?}");
            assert_eq!(stats.retried, 0, "{stats:?}");
        }
        Outcome::Dropped(reason) => {
            let dropped = matches!(flushed, Err(FlushError::Dropped { report, .. }) if report.dropped == ITEMS);
            assert!(dropped, "{flushed:?}");
            assert_eq!(
                (reason(&stats.dropped), stats.retried),
                (ITEMS, 0),
                "{stats:?}"
            );
        }
        Outcome::Waits => assert_waits(&tracer),
    }
    // The log has no more lines of this tracer in the next turn.
    drop(tracer.shutdown_blocking(Duration::ZERO));
    auditor.assert_balanced();
}

#[track_caller]
fn assert_waits(tracer: &HoneyHiveTracer) {
    let flushed = tracer.force_flush_blocking(Duration::from_millis(200));
    let waits =
        matches!(flushed, Err(FlushError::TimedOut { report, .. }) if report.pending == ITEMS);
    assert!(waits, "{flushed:?}");
    while tracer.stats().retried == 0 {
        drop(tracer.force_flush_blocking(Duration::from_millis(50)));
    }
    let stats = tracer.stats();
    assert_eq!(
        (stats.pending, stats.dropped.total()),
        (ITEMS, 0),
        "{stats:?}"
    );
}

fn wait_for_somebody() {
    // The port is taken, so that nobody else gets it, and never listened on.
    let nobody = TcpSocket::new_v4().expect("a socket");
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    nobody.bind(free).expect("a free port");
    let address = nobody.local_addr().expect("an address");
    let tracer = builder(format!("http://{address}")).build();
    let tracer = tracer.expect("a tracer");
    let auditor = Auditor::of(&tracer);
    let chat = record(&tracer);
    assert_waits(&tracer);
    drop(nobody);
    let server = LocalServer::builder()
        .unknown_updates(crate::harness::unknown_updates())
        .api_key(KEY)
        .address(address);
    let server = server.start_blocking().expect("the port is still free");
    tracer
        .force_flush_blocking(PATIENCE)
        .expect("it is delivered");
    assert_arrived(&server, &chat);
    drop(tracer.shutdown_blocking(Duration::ZERO));
    auditor.assert_balanced();
}

/// Runs against an address that never answers: the pending items are reported at the shutdown, and counted.
pub fn wait_in_vain(url: &str) {
    let tracer = builder(url).build().expect("a tracer");
    let auditor = Auditor::of(&tracer);
    drop(record(&tracer));
    assert_waits(&tracer);
    let ended = tracer.shutdown_blocking(Duration::ZERO);
    let left = matches!(ended, Err(FlushError::TimedOut { report, .. }) if report.pending == ITEMS);
    assert!(left, "{ended:?}");
    assert_eq!(tracer.stats().dropped.shut_down, ITEMS);
    auditor.assert_balanced();
}

/// Asserts that the log has one line that matters, with this text, or none.
#[track_caller]
pub fn assert_said(line: Option<(Level, &str)>) {
    for level in [Level::ERROR, Level::WARN] {
        let mut said = log::said(level);
        match line.filter(|(expected, _)| *expected == level) {
            Some((_, text)) => {
                // The sum of what was dropped follows where a tick comes before the end.
                said.retain(|line| !line.contains(" items were dropped ("));
                assert_eq!(said.len(), 1, "{said:#?}");
                assert!(said[0].contains(text), "{said:#?}");
                assert!(!said[0].contains('\n') && said[0].len() < 600, "{said:#?}");
            }
            None => assert_eq!(said, [""; 0], "{level}"),
        }
    }
}
