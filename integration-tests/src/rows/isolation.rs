//! Many requests run at once, and no span is in another's session.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use honeyhive::SessionId;

use crate::adapter::Adapter;
use crate::app::{TOKENS, WORK_SPANS, is_through_tracing};
use crate::client::Client;
use crate::harness::{Stage, balanced, span_names};

const REQUESTS: usize = 2_000;
const AT_ONCE: usize = 100;

/// The spans go across awaits, tasks, blocking tasks and streams, half of them through `tracing`: each is in its
/// request's session, each once, none without a session.
pub async fn two_thousand_requests_at_once_keep_their_spans_apart<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let client = Client::keeping_connections(stage.address());
    let sessions: BTreeMap<SessionId, usize> = stream::iter(0..REQUESTS)
        .map(|number| work(client.clone(), number))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    assert_eq!(sessions.len(), REQUESTS, "a session each");
    stage.settle().await;

    for (id, number) in &sessions {
        let mut wanted = WORK_SPANS.map(|name| format!("{name} {number}"));
        wanted.sort();
        assert_eq!(
            span_names(&stage.honeyhive, *id),
            wanted,
            "{}",
            stage.tree(*id)
        );
        assert!(
            stage.tree(*id).contains(&nested(*number)),
            "{}",
            stage.tree(*id)
        );
    }
    assert_counts(&stage);
}

async fn work(client: Client, number: usize) -> (SessionId, usize) {
    let answer = client.request("GET", &format!("/task/{number}"));
    let answer = answer.send().await;
    assert_eq!(answer.text(), format!("first {number}\nsecond {number}\n"));
    (answer.session_id(), number)
}

/// Returns one span inside another, as both ways of making them have it.
fn nested(number: usize) -> String {
    let handle = format!("\n  handle {number} [chain]\n");
    let nested = format!("\n    nested {number} [tool]\n");
    format!("{}{}", handle.trim_end_matches('\n'), nested)
}

fn assert_counts(stage: &Stage) {
    assert!(stage.honeyhive.orphans().is_empty());
    let held = stage.honeyhive.stats();
    assert_eq!(held.sessions, REQUESTS);
    assert_eq!(held.events, REQUESTS * WORK_SPANS.len());
    let scopes = stage.honeyhive.sessions().into_iter().take(100);
    let events = scopes.flat_map(|session| stage.honeyhive.events(&session.session_id));
    for event in events {
        let number = event
            .event_name
            .rsplit(' ')
            .next()
            .and_then(|n| n.parse().ok());
        let through_tracing = number.is_some_and(is_through_tracing);
        assert_eq!(event.scope_name == "tracing", through_tracing, "{event:#?}");
        assert_eq!(event.duplicates, 0, "{event:#?}");
    }
    let stats = balanced(&stage.tracer);
    assert_eq!(stats.accepted, stats.delivered);
}

/// Traced and untraced requests share threads: untraced ones stay so, and traced ones miss nothing.
pub async fn untraced_requests_among_traced_ones_change_nothing<A: Adapter>() {
    let builder = Stage::builder().instrumentation(|builder| {
        builder.filter(|request| request.header("x-internal").is_none())
    });
    let stage = builder.start::<A>().await;
    let client = Client::keeping_connections(stage.address());
    let answers: Vec<_> = stream::iter(0..400)
        .map(|number| {
            let call = client.request("GET", "/tokens");
            match number % 2 {
                0 => call.send(),
                _ => call.header("x-internal", "1").send(),
            }
        })
        .buffer_unordered(50)
        .collect()
        .await;
    stage.settle().await;
    let traced = answers
        .iter()
        .filter(|answer| answer.header("x-session-id").is_some());
    for answer in traced.clone() {
        assert_eq!(stage.span_names(answer.session_id()).len(), TOKENS.len());
    }
    assert_eq!(traced.count(), 200);
    let held = stage.honeyhive.stats();
    assert_eq!(
        (held.sessions, held.events, held.orphans),
        (200, 200 * TOKENS.len(), 0)
    );
}
