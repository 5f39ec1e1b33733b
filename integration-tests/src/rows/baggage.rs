//! A caller that HoneyHive traces, too, sends W3C baggage and trace context.

use honeyhive::http::SessionTrust;
use honeyhive::{NewSession, SessionId};

use crate::adapter::Adapter;
use crate::client::{Answer, Call};
use crate::harness::{Stage, assert_ended, has_ended, tracer};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

async fn with_baggage(stage: &Stage, baggage: &str) -> Answer {
    called(stage.request("POST", "/chat/7"), baggage)
        .send()
        .await
}

/// Adds the headers that a traced service sends.
fn called(call: Call, baggage: &str) -> Call {
    let traceparent = format!("00-{TRACE}-{SPAN}-01");
    call.header("baggage", baggage)
        .header("traceparent", traceparent)
}

/// HoneyHive's own key links, with what stands around it.
pub async fn baggage_links_to_the_callers_session<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let id = begun_elsewhere(&stage).await;
    let members = [
        format!("honeyhive.session_id={id}"),
        format!("session_id={id}"),
        format!("user=ada, honeyhive.session_id = {id};ttl=1,x=y"),
        format!("session_id=not-a-uuid,honeyhive.session_id={id}"),
    ];
    for baggage in &members {
        let answer = with_baggage(&stage, baggage).await;
        assert_eq!(answer.session_id(), id, "{baggage}");
    }
    let session = stage.only_session().await;
    assert_eq!(session.posts, 1, "only elsewhere: {session:#?}");
    assert_eq!(stage.span_names(id).len(), 3 * members.len());
}

/// A header that is a list may come in several lines.
pub async fn baggage_in_several_lines_is_one_list<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let id = begun_elsewhere(&stage).await;
    let others = (0..70).map(|it| format!("key{it}=value"));
    let others = others.collect::<Vec<_>>().join(",");
    let ours = format!("honeyhive.session_id={id};ttl=1");
    let cases: [&[&str]; 4] = [
        &["user=ada", &ours],
        &[&ours, "user=ada"],
        &["user=ada", "", "=,;", &ours],
        &[&others, &ours],
    ];
    for lines in cases {
        let call = stage.request("POST", "/chat/7");
        let call = lines
            .iter()
            .fold(call, |call, line| call.header("baggage", *line));
        assert_eq!(call.send().await.session_id(), id, "{lines:?}");
    }
    assert_eq!(stage.only_session().await.posts, 1, "only elsewhere");
}

/// A placeholder under HoneyHive's own key leaves the choice to the bare key.
pub async fn a_key_that_says_nothing_leaves_it_to_the_bare_one<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let id = begun_elsewhere(&stage).await;
    for own in ["", "undefined", "%20", "%zz", "a%00b"] {
        let baggage = format!("honeyhive.session_id={own},session_id={id}");
        let answer = with_baggage(&stage, &baggage).await;
        assert_eq!(answer.session_id(), id, "{own:?}");
    }
    assert_eq!(stage.stats().ignored_session_ids, 5);
}

/// A session that another service has begun.
async fn begun_elsewhere(stage: &Stage) -> SessionId {
    begun_elsewhere_as(stage, SessionId::new()).await
}

async fn begun_elsewhere_as(stage: &Stage, id: SessionId) -> SessionId {
    let elsewhere = tracer(&stage.honeyhive.url());
    drop(elsewhere.create_session(NewSession::named("elsewhere").id(id)));
    let flushed = elsewhere.shutdown(crate::harness::PATIENCE).await;
    flushed.expect("the session has begun");
    id
}

/// The bare key belongs to everybody, so it counts only where it holds a UUID.
pub async fn a_bare_session_id_that_is_no_uuid_is_not_ours<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let mapped = SessionId::from_correlation_id("not-a-uuid");
    for baggage in [
        "session_id=not-a-uuid",
        "user=ada",
        "",
        "session_id=",
        "=,;",
    ] {
        let answer = with_baggage(&stage, baggage).await;
        assert_ne!(answer.session_id(), mapped, "{baggage}");
    }
    stage.settle().await;
    assert_eq!(stage.starts().len(), 5, "a session each");
}

/// An id in the client's header wins over one in the baggage.
pub async fn the_header_goes_before_the_baggage<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let (wanted, other) = (SessionId::new(), SessionId::new());
    let call = stage.request("GET", "/status/200").in_session(wanted);
    let call = call.header("baggage", format!("honeyhive.session_id={other}"));
    assert_eq!(call.send().await.session_id(), wanted);
}

/// The caller's span is the parent of the request's, also where the caller's id comes in a header, too.
pub async fn the_callers_span_is_the_parent_of_the_requests<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let id = begun_elsewhere(&stage).await;
    let baggage = format!("honeyhive.session_id={id}");
    with_baggage(&stage, &baggage).await;
    let call = stage.request("POST", "/chat/7").in_session(id);
    called(call, &baggage).send().await;
    stage.settle().await;
    let events = stage.honeyhive.events(&id.to_string());
    assert!(
        events.iter().all(|event| event.trace_id == TRACE),
        "{events:#?}"
    );
    let of_requests = events
        .iter()
        .filter(|it| it.event_name == "POST /chat/{id}");
    let parents: Vec<_> = of_requests.map(|it| it.parent_span_id.as_deref()).collect();
    assert_eq!(parents, [Some(SPAN); 2], "{events:#?}");
}

/// An id that is mapped names the caller's session in header and baggage alike: as it is, or as the UUID that it stands
/// for.
pub async fn a_mapped_id_names_the_callers_session_in_either_place<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let id = begun_elsewhere_as(&stage, RAW.into()).await;
    let mapped = id.to_string();
    for (header, baggage) in [(RAW, RAW), (RAW, &mapped), (&mapped, RAW)] {
        let answer = with_both(&stage, header, baggage).await;
        assert_eq!(answer.session_id(), id, "{header} and {baggage}");
    }
    stage.settle().await;
    let events = stage.honeyhive.events(&mapped);
    let parents: Vec<_> = events
        .iter()
        .map(|it| it.parent_span_id.as_deref())
        .collect();
    assert_eq!(parents, [Some(SPAN); 3], "{events:#?}");
    assert!(!has_ended(&stage.known(id)), "its caller ends it");
}

/// Ids that differ, and those of a program that maps them by itself, say nothing of a caller: the request ends the session.
pub async fn only_one_session_in_header_and_baggage_is_the_callers<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let id = begun_elsewhere_as(&stage, RAW.into()).await;
    with_both(&stage, RAW, "conversation-8").await;
    assert_ended(&stage.session(id).await, 200, "complete");

    let mapping = SessionTrust::with(|raw| Some(raw.into()));
    let builder = Stage::builder().instrumentation(|builder| builder.session_trust(mapping));
    let stage = builder.start::<A>().await;
    let id = begun_elsewhere_as(&stage, RAW.into()).await;
    with_both(&stage, RAW, RAW).await;
    assert_ended(&stage.session(id).await, 200, "complete");
}

const RAW: &str = "conversation-7";

async fn with_both(stage: &Stage, header: &str, baggage: &str) -> Answer {
    let call = stage.request("GET", "/status/200");
    let call = call.header("x-session-id", header);
    called(call, &format!("honeyhive.session_id={baggage}"))
        .send()
        .await
}

/// The caller ends its session itself, so the request says by its span how it went.
pub async fn a_callers_session_keeps_its_own_end<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let id = begun_elsewhere(&stage).await;
    let before = stage.known(id);
    let call = stage.request("GET", "/status/503");
    let answer = called(call, &format!("honeyhive.session_id={id}"));
    assert_eq!(answer.send().await.status, 503);
    stage.settle().await;
    let after = stage.known(id);
    assert_eq!(
        (&after.outputs, &after.metadata),
        (&before.outputs, &before.metadata)
    );
    assert_eq!(
        (after.end_time, after.updates),
        (before.end_time, before.updates)
    );
    let events = stage.honeyhive.events(&id.to_string());
    let [request] = &events[..] else {
        panic!("one span: {events:#?}");
    };
    assert_eq!(request.event_name, "GET /status/{code}");
    assert_eq!(request.inputs["path"], "/status/503");
    assert_eq!(request.outputs["status_code"], 503);
    assert!(request.metadata["response_bytes"].is_u64(), "{request:#?}");
    assert_eq!(request.error.as_deref(), Some("HTTP status 503"));
}

/// A trace context without a HoneyHive session comes from somebody whose spans HoneyHive never sees.
pub async fn a_trace_context_alone_is_no_parent<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let answer = with_baggage(&stage, "user=ada").await;
    stage.settle().await;
    let events = stage.honeyhive.events(&answer.session_id().to_string());
    assert_eq!(events.len(), 2);
    assert!(
        events.iter().all(|event| event.trace_id != TRACE),
        "{events:#?}"
    );
}
