//! HoneyHive is slow, down, or behind. What the captures 100 to 103 show, one fault at a time, is in
//! `faults/table.rs`, and the calls of the client in 130 are in `sdk/client.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use honeyhive::client::{Client, ClientError, EventSearch};
use honeyhive::{HoneyHiveTracer, HoneyHiveTracerBuilder, NewSession, OtlpProtocol};
use honeyhive_local::{Endpoint, Fault, RecordedRequest};
use serde_json::json;

use crate::hive::{Hive, PATIENCE, run};
use crate::python::Python;

/// A row that waited for this call would not end.
const ENDLESS: Duration = Duration::from_secs(3_600);

/// Only the variable of the capture makes a call that hangs end within this time.
const UNDER_THE_DEFAULT_TIMEOUT: Duration = Duration::from_millis(4_900);

pub(crate) fn a_slow_answer_to_a_span(python: Python) {
    let hive = Hive::new();
    hive.server
        .fail(Fault::hang().on(Endpoint::Traces).times(1));
    let settings = hive.builder().project("p").session_name("s");
    let tracer = hive.init(settings.api_timeout(ENDLESS));
    drop(tracer.span("one").start());
    // Bug 19: the end of the span waited for the answer.
    assert_eq!(tracer.stats().delivered, 0);
    hive.server.heal();
    python.compare(&hive);
}

pub(crate) fn a_timeout_from_the_environment(python: Python) {
    let hive = Hive::new();
    let slow = || Fault::hang().on(Endpoint::Sessions).times(1);
    hive.server.fail(slow());
    let is_child = hive.runs(&python, || {
        let settings = HoneyHiveTracer::builder().project("p").session_name("s");
        let tracer = settings.build().unwrap();
        tracer.session_start(NewSession::default());
        let flushed = tracer.force_flush_blocking(UNDER_THE_DEFAULT_TIMEOUT);
        flushed.expect("the first call was given up, and a second one made");
        assert_eq!(tracer.stats().retried, 1);
        tracer.shutdown_blocking(PATIENCE).unwrap();
    });
    if !is_child {
        python.compare(&hive);
    }
}

fn traces(hive: &Hive) -> Vec<RecordedRequest> {
    let requests = hive.server.requests().into_iter();
    requests
        .filter(|request| request.path.ends_with("/traces"))
        .collect()
}

#[test]
fn c89_spans_go_in_batches_of_512_at_the_most_and_one_that_is_alone_goes_without_a_flush() {
    let hive = Hive::new();
    let settings = hive.builder().session_name("s");
    let settings = settings.coalesce_window(Duration::from_millis(1));
    let tracer = hive.init(settings.otlp_protocol(OtlpProtocol::HttpJson));
    let arrive = |spans| {
        let arrived = |server: &honeyhive_local::LocalServer| server.stats().events == spans;
        assert!(hive.server.wait_until_blocking(PATIENCE, arrived));
    };
    (0..1_300).for_each(|index| drop(tracer.span(format!("s{index}")).start()));
    arrive(1_300);
    drop(tracer.span("lonely").start());
    arrive(1_301);

    let batches = traces(&hive).into_iter().map(|request| {
        let body = request.json.expect("JSON");
        let scopes = body["resourceSpans"][0]["scopeSpans"].as_array().cloned();
        let spans = scopes.into_iter().flatten();
        spans
            .map(|scope| scope["spans"].as_array().map_or(0, Vec::len))
            .sum()
    });
    let batches: Vec<usize> = batches.collect();
    assert_eq!(batches.iter().sum::<usize>(), 1_301);
    assert!(batches.iter().all(|spans| *spans <= 512), "{batches:?}");
    assert_eq!(batches.last(), Some(&1), "{batches:?}");
    let sessions = hive.server.sessions();
    let [session] = &sessions[..] else {
        panic!("{sessions:#?}")
    };
    assert_eq!(session.name.as_deref(), Some("s"));
    let names = hive.server.events(&session.session_id).into_iter();
    let names: BTreeSet<_> = names.map(|event| event.event_name).collect();
    assert_eq!(names.len(), 1_301, "each is there once");
}

/// Makes 5000 spans behind a call that hangs, and returns how many of them arrive.
fn behind_a_call_that_hangs(
    settings: impl FnOnce(HoneyHiveTracerBuilder) -> HoneyHiveTracerBuilder,
) -> u64 {
    let hive = Hive::new();
    hive.server.fail(Fault::hang().on(Endpoint::Traces));
    let patient = hive.builder().session_name("s").api_timeout(ENDLESS);
    let tracer = hive.init(settings(patient));
    (0..5_000).for_each(|_| drop(tracer.span("s").start()));
    assert_eq!(hive.server.stats().events, 0, "the call hangs");
    hive.server.heal();
    tracer.force_flush_blocking(PATIENCE).ok();

    let (stats, arrived) = (tracer.stats(), hive.server.stats().events as u64);
    assert_eq!(stats.pending, 0, "{stats:?}");
    assert_eq!(
        stats.dropped.queue_full + arrived,
        5_000,
        "bug 9: {stats:?}"
    );
    assert_eq!(stats.delivered, arrived + 1, "the session, too: {stats:?}");
    arrived
}

#[test]
fn c105_spans_behind_a_call_that_hangs_all_arrive_and_where_there_is_no_room_each_is_counted() {
    assert_eq!(behind_a_call_that_hangs(|settings| settings), 5_000);
    let as_in_python = behind_a_call_that_hangs(|settings| settings.max_pending_items(2_048));
    // The session takes a place, too, unless it was delivered before the queue was full.
    assert!((2_047..=2_048).contains(&as_in_python), "{as_in_python}");
}

/// Returns the client of `HoneyHive()`.
fn client(hive: &Hive, timeout: Duration) -> Client {
    let client = Client::builder().api_key("hh_test_key");
    let client = client.server_url(hive.server.url()).api_timeout(timeout);
    client.build().expect("a client")
}

#[test]
fn c108_a_search_is_asked_again_until_there_is_an_answer() {
    let hive = Hive::new();
    drop(hive.tracer("s").span("x").start());
    hive.received();
    let forced = Fault::status(503).body(r#"{"message": "forced 503", "errorCode": "FORCED"}"#);
    hive.server.fail(forced.on(Endpoint::All).times(2));
    let client = client(&hive, PATIENCE);
    let found = run(client
        .events()
        .search(EventSearch::all().page_size(5))
        .all());
    assert_eq!(
        found.expect("a third answer").len(),
        2,
        "the session and its span"
    );
    let mut requests = hive.server.requests();
    requests.retain(|request| request.path == "/v1/events/search");
    let statuses: Vec<_> = requests.iter().filter_map(|it| it.status).collect();
    assert_eq!(statuses, [503, 503, 200]);
    for request in &requests {
        assert_eq!(request.json, requests[0].json);
        assert_eq!(request.json.as_ref().expect("JSON")["filters"], json!([]));
        assert_eq!(request.json.as_ref().expect("JSON")["limit"], 5);
        assert_eq!(request.json.as_ref().expect("JSON")["page"], 1);
    }
}

#[test]
fn c109_what_fails_in_the_client_is_an_error_of_the_caller() {
    let forced = |status: u16| {
        let body = json!({"message": format!("forced {status}"), "errorCode": "FORCED"});
        Fault::status(status).body(body.to_string())
    };
    let page = Fault::status(500).body("<html>oops</html>");
    type Is = fn(&ClientError) -> bool;
    let refused: Is = |error| matches!(error, ClientError::Rejected { .. });
    let unauthorized: Is = |error| matches!(error, ClientError::Unauthorized { .. });
    let unavailable: Is = |error| matches!(error, ClientError::Unavailable { .. });
    for (fault, is, says, tries) in [
        (forced(400), refused, "status 400: forced 400", 1),
        (forced(401), unauthorized, "status 401: forced 401", 1),
        (forced(404), refused, "status 404: forced 404", 1),
        // Python asks once. Here a list, which changes nothing, is asked for again.
        (forced(429), unavailable, "status 429: forced 429", 3),
        (forced(500), unavailable, "status 500: forced 500", 3),
        (page, unavailable, "status 500: <html>oops</html>", 3),
        (Fault::hang(), unavailable, "no answer", 3),
    ] {
        let hive = Hive::new();
        hive.server.fail(fault);
        let timeout = Duration::from_millis(if says == "no answer" { 100 } else { 30_000 });
        let error = run(client(&hive, timeout).datasets().list()).expect_err(says);
        assert!(is(&error), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains(says) && text.contains("GET /v1/datasets"),
            "{text}"
        );
        assert_eq!(hive.server.requests().len(), tries, "{text}");
    }
}
