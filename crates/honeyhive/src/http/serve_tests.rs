//! The tests stop a server that does not wait for a request any longer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::fs;
use std::path::Path;

use honeyhive_local::{Fault, LocalServer};
use serde_json::{Value, json};

use super::{Headers, RequestGuard, RequestInfo, ServerInstrumentation};
use crate::model::id::SessionId;
use crate::outbox::LAST_FLUSH;
use crate::testing::{Captured, tracer_with};
use crate::tracer::serve::end;
use crate::{HoneyHiveTracer, HoneyHiveTracerBuilder, SessionSampling, SessionTransport, Spool};

struct Sent<'a>(&'a [(&'static str, &'a str)]);

impl Headers for Sent<'_> {
    fn for_each<'h>(&'h self, visit: &mut dyn FnMut(&'h str, &'h [u8])) {
        for (name, value) in self.0 {
            visit(name, value.as_bytes());
        }
    }
}

/// Opens a request, which is under way as long as the guard lives.
fn open(tracer: &HoneyHiveTracer, headers: &[(&'static str, &str)]) -> RequestGuard {
    let builder = ServerInstrumentation::builder(tracer.clone());
    let instrumentation = builder.request_span(true).build().unwrap();
    instrumentation.on_request(&RequestInfo::new("POST", "/chat", &Sent(headers)))
}

/// Stops the server, with so many requests under way.
fn stop(tracer: &HoneyHiveTracer, unfinished: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let served = runtime.block_on(end(tracer, LAST_FLUSH));
    assert_eq!(served.unfinished, unfinished);
    let stats = tracer.stats();
    let settled = stats.delivered + stats.pending + stats.dropped.total();
    assert_eq!(stats.accepted, settled, "{stats:?}");
}

/// Returns the names and the outcomes of the sessions that have arrived.
fn outcomes(captured: &Captured) -> Vec<(Option<String>, Value)> {
    let sessions = captured.sessions().into_iter();
    let outcome = |metadata: &serde_json::Map<String, Value>| {
        metadata.get("outcome").cloned().unwrap_or_default()
    };
    sessions
        .map(|session| (session.name, outcome(&session.metadata)))
        .collect()
}

#[test]
fn a_request_that_is_cut_off_is_kept_by_sampling_as_one_that_failed_is() {
    let none = SessionSampling::ratio(0.0);
    for (sampling, kept) in [(none, true), (none.keep_errors(false), false)] {
        let (tracer, captured) = tracer_with(|builder| builder.sampling(sampling));
        drop(open(&tracer, &[]).on_response(200, &Sent(&[]), Some(0)));
        let running = open(&tracer, &[]);
        stop(&tracer, 1);
        let cut_off = (Some("POST /chat".to_owned()), json!("cancelled"));
        assert_eq!(outcomes(&captured), vec![cut_off; usize::from(kept)]);
        assert!(tracer.stats().dropped.sampled_out > 0);
        drop(running);
    }
}

#[test]
fn a_request_that_is_cut_off_in_an_outage_ends_when_another_process_reads_the_spool() {
    let folder = std::env::temp_dir().join(format!("honeyhive-serve-{}", SessionId::new()));
    let server = LocalServer::builder().start_blocking().unwrap();
    let spooling = |folder: &Path| {
        let builder = HoneyHiveTracer::builder().api_key("hh_key");
        let builder: HoneyHiveTracerBuilder = builder.server_url(server.url());
        builder.spool(Spool::new(folder)).build().unwrap()
    };
    server.fail(Fault::status(503));
    let first = spooling(&folder);
    let running = open(&first, &[]);
    stop(&first, 1);
    assert_eq!(
        (server.stats().sessions, first.stats().spooled > 0),
        (0, true)
    );
    drop(running);

    server.heal();
    let next = spooling(&folder);
    next.force_flush_blocking(LAST_FLUSH).unwrap();
    let [session] = &server.sessions()[..] else {
        panic!("{:?}", server.sessions());
    };
    assert_eq!(session.metadata["outcome"], "cancelled");
    drop(next);
    // Another test's folder has another name, so what cannot be removed is in nobody's way.
    let _ = fs::remove_dir_all(&folder);
}

#[test]
fn a_request_that_is_cut_off_has_no_end_over_otlp_and_in_a_session_of_elsewhere() {
    let id = SessionId::new().to_string();
    for (transport, headers) in [
        (SessionTransport::Otlp, &[][..]),
        (SessionTransport::Rest, &[("x-session-id", &*id)]),
    ] {
        let (tracer, captured) = tracer_with(|builder| builder.session_transport(transport));
        let mut running = open(&tracer, headers);
        running.run(|| drop(tracer.tool("work").start()));
        stop(&tracer, 1);
        let [(_, outcome)] = &outcomes(&captured)[..] else {
            panic!("{:?}", captured.sessions());
        };
        assert_eq!(*outcome, Value::Null);
        drop(running);
    }
}
