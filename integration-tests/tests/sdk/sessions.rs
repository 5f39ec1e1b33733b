//! Sessions of the core begin, get additions and end; the tests count their calls.

use std::future::{Ready, pending};
use std::net::TcpListener;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use honeyhive::{
    DropReason, Enrichment, HoneyHiveTracer, NewSession, SessionId, SessionTransport, StartError,
};
use std::time::Duration;

use crate::support::*;
use honeyhive_local::{Endpoint, Fault, LocalServer};
use serde_json::{Value, json};

#[test]
fn a_session_arrives_with_everything_it_was_given() {
    let (server, tracer) = connected();
    let chat = tracer.create_session(
        NewSession::named("support-chat")
            .id("thread_42")
            .inputs(json!({"question": "Where is my order?", "history": [{"role": "user"}]}))
            .metadata(json!({"version": 3}))
            .user_properties(json!({"plan": "pro"}))
            .source("lambda"),
    );
    flush(&tracer);

    assert_eq!(chat.id(), SessionId::from_correlation_id("thread_42"));
    assert_eq!(calls(&server), [START]);
    let stored = session(&server, chat.id());
    assert_eq!(stored.name.as_deref(), Some("support-chat"));
    assert_eq!(stored.source.as_deref(), Some("lambda"));
    assert_eq!(
        Value::Object(stored.inputs),
        json!({"question": "Where is my order?", "history": [{"role": "user"}]})
    );
    assert_eq!(Value::Object(stored.metadata), json!({"version": 3}));
    assert_eq!(
        Value::Object(stored.user_properties),
        json!({"plan": "pro"})
    );
    assert!(stored.raw["start_time"].is_number(), "{}", stored.raw);

    let request = &server.requests()[0];
    assert!(request.authorized);
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("hh-client-language"), Some("rust"));
}

#[test]
fn a_session_takes_the_tracers_source_and_a_name_from_its_id() {
    let (server, tracer) = connected();
    for unnamed in [NewSession::default(), NewSession::named(" ")] {
        let plain = tracer.create_session(unnamed);
        flush(&tracer);

        let stored = session(&server, plain.id());
        assert_eq!(stored.source.as_deref(), Some("tests"));
        let expected = format!("session-{}", &plain.id().to_string()[..8]);
        assert_eq!(stored.name, Some(expected));
    }
}

#[tokio::test]
async fn an_awaited_session_is_confirmed_while_the_window_is_still_open() {
    let (server, tracer) = connected();
    let session = tracer.acreate_session("chat").await.unwrap();

    assert!(server.session(&session.id().to_string()).is_some());
    assert_eq!(tracer.stats().delivered, 1);
}

#[tokio::test]
async fn awaiting_a_session_that_is_confirmed_already_makes_no_second_call() {
    let (server, tracer) = connected();
    let created = tracer.acreate_session("chat");
    tracer.force_flush(PATIENCE).await.unwrap();
    created.await.unwrap();
    flush(&tracer);

    assert_eq!(calls(&server), [START]);
}

#[tokio::test]
async fn awaiting_a_linked_session_makes_no_call_at_all() {
    let (server, tracer) = connected();
    let id = SessionId::new();
    let linked = tracer
        .acreate_session(NewSession::existing(id))
        .await
        .unwrap();

    assert_eq!(linked.id(), id);
    flush(&tracer);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_awaited_session_that_honeyhive_refuses_says_what_it_said() {
    let server = server();
    server.fail(
        Fault::status(422)
            .body(r#"{"message": "the name is too long"}"#)
            .on(Endpoint::Sessions),
    );
    let tracer = tracer(&server);
    let created = tracer.acreate_session("chat");
    let session = created.session();
    let error = created.await.unwrap_err();

    assert!(
        matches!(&error, StartError::Rejected { status: 422, message, .. } if message == "the name is too long"),
        "{error:?}"
    );
    assert_eq!(tracer.stats().dropped.rejected, 1);
    session.enrich(Enrichment::new().metadata(json!({"still": "usable"})));
}

#[tokio::test]
async fn a_session_that_nobody_answers_is_unconfirmed_and_delivered_after_the_recovery() {
    let port = {
        let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
        reserved.local_addr().unwrap().port()
    };
    let tracer = HoneyHiveTracer::builder()
        .api_key(KEY)
        .server_url(format!("http://127.0.0.1:{port}"))
        .coalesce_window(NEVER)
        .build()
        .unwrap();
    let created = tracer.acreate_session("chat");
    let chat = created.session();
    let error = created.await.unwrap_err();
    assert!(matches!(error, StartError::Unconfirmed { .. }), "{error:?}");
    chat.enrich(Enrichment::new().outputs(json!({"answer": 42})));

    let server = LocalServer::builder().port(port).start().await.unwrap();
    tracer.force_flush(PATIENCE).await.unwrap();
    let stored = session(&server, chat.id());
    assert_eq!(stored.name.as_deref(), Some("chat"));
    assert_eq!(stored.outputs["answer"], 42);
    assert_eq!(tracer.stats().dropped.total(), 0);
}

#[tokio::test]
async fn dropping_what_can_be_awaited_cancels_nothing() {
    let (server, tracer) = connected();
    let mut polled = tracer.acreate_session("polled once");
    assert!((&mut polled).now_or_never().is_none());
    let ids = [
        tracer.acreate_session("never polled").session().id(),
        polled.session().id(),
    ];
    drop(polled);
    tracer.force_flush(PATIENCE).await.unwrap();

    for id in ids {
        session(&server, id);
    }
    assert_eq!(tracer.stats().delivered, 2);
}

#[tokio::test]
async fn a_session_that_finds_the_queue_full_says_so_when_awaited() {
    let server = server();
    let tracer = builder(&server).max_pending_items(0).build().unwrap();
    let error = tracer.acreate_session("chat").await.unwrap_err();

    assert!(
        matches!(
            error,
            StartError::Dropped {
                reason: DropReason::QueueFull,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn spans_of_a_session_whose_start_was_dropped_still_make_it_known() {
    let server = server();
    let tracer = builder(&server).max_pending_items(1).build().unwrap();
    let kept = tracer.create_session("kept");
    let dropped = tracer.create_session("dropped");
    flush(&tracer);
    dropped.in_scope(|| drop(tracer.span("work").start()));
    flush(&tracer);

    session(&server, kept.id());
    assert_eq!(tracer.stats().dropped.queue_full, 1);
    assert_eq!(server.orphans(), []);
    assert_tree(&server, &dropped, "dropped\n  work [tool]\n");
}

#[tokio::test]
async fn a_unit_of_work_is_a_session_that_ends_with_it() {
    let (server, tracer) = connected();
    let id = tracer
        .with_session("nightly-import", |session| {
            let tracer = tracer.clone();
            async move {
                tokio::task::yield_now().await;
                drop(tracer.span("read").start());
                tracer.enrich_session(Enrichment::new().outputs(json!({"rows": 10_000})));
                session.id()
            }
        })
        .await;
    tracer.force_flush(PATIENCE).await.unwrap();

    let stored = session(&server, id);
    assert_eq!(stored.outputs["rows"], 10_000);
    assert_eq!(stored.metadata["outcome"], "complete");
    assert!(stored.duration.is_some() && stored.end_time.is_some());
    assert!(!stored.metadata.contains_key("error"));
    assert_eq!(
        server.tree(&id.to_string()),
        "nightly-import\n  read [tool]\n"
    );
    assert_eq!(server.sessions().len(), 1);
}

#[tokio::test]
async fn a_unit_of_work_that_panics_ends_its_session_as_panicked() {
    let (server, tracer) = connected();
    let task = tokio::spawn({
        let tracer = tracer.clone();
        async move {
            tracer
                .with_session(NewSession::named("job").id("job-7"), |_| async {
                    panic!("on purpose")
                })
                .await
        }
    });
    let joined: Result<(), _> = task.await;
    assert!(joined.unwrap_err().is_panic());
    tracer.force_flush(PATIENCE).await.unwrap();

    let stored = session(&server, "job-7".into());
    assert_eq!(stored.metadata["outcome"], "panicked");
    assert_eq!(stored.metadata["error"], "panicked: on purpose");
}

#[tokio::test]
async fn a_unit_of_work_beside_one_that_panics_was_cancelled() {
    let (server, tracer) = connected();
    let job = |name| NewSession::named("job").id(name);
    let both = async {
        tokio::join!(
            tracer.with_session(job("waits"), |_| pending::<()>()),
            tracer.with_session(job("panics"), |_| async { panic!("on purpose") }),
        )
    };
    let caught: Result<((), ()), _> = AssertUnwindSafe(both).catch_unwind().await;
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"on purpose"));
    tracer.force_flush(PATIENCE).await.unwrap();

    let outcome = |id: &str| session(&server, id.into()).metadata["outcome"].clone();
    assert_eq!(outcome("waits"), "cancelled");
    assert_eq!(outcome("panics"), "panicked");
}

#[tokio::test]
async fn a_unit_of_work_that_panics_before_there_is_a_future_ends_as_panicked() {
    let (server, tracer) = connected();
    let new = NewSession::named("job").id("job-9");
    let work = |_| -> Ready<()> { panic!("too early") };
    let ran = tracer.with_session(new, work);
    assert!(AssertUnwindSafe(ran).catch_unwind().await.is_err());
    tracer.force_flush(PATIENCE).await.unwrap();

    let stored = session(&server, "job-9".into());
    assert_eq!(stored.metadata["outcome"], "panicked");
    assert_eq!(stored.metadata["error"], "panicked: too early");
}

#[tokio::test]
async fn a_unit_of_work_that_is_dropped_ends_its_session_as_cancelled() {
    let (server, tracer) = connected();
    let new = NewSession::named("job").id("job-8");
    let given_up = tracer.with_session(new, |_| pending::<()>()).now_or_never();
    assert!(given_up.is_none());
    tracer.force_flush(PATIENCE).await.unwrap();

    let stored = session(&server, "job-8".into());
    assert_eq!(stored.metadata["outcome"], "cancelled");
    let error = stored.metadata["error"].as_str();
    assert!(error.is_some_and(|error| error.contains("cancelled")));
}

#[test]
fn a_started_session_is_where_everything_outside_every_other_session_goes() {
    let (server, tracer) = connected();
    let own = tracer.session_start(NewSession::named("script").inputs(json!({"argument": 1})));
    drop(tracer.span("step").start());
    tracer.enrich_session(Enrichment::new().outputs(json!({"done": true})));
    flush(&tracer);

    let stored = session(&server, own.id());
    assert_eq!(stored.inputs["argument"], 1);
    assert_eq!(stored.outputs["done"], true);
    assert_tree(&server, &own, "script\n  step [tool]\n");
    assert_eq!(server.sessions().len(), 1);
}

#[test]
fn a_session_that_is_started_anew_takes_over() {
    let (server, tracer) = connected();
    let first = tracer.session_start("first");
    drop(tracer.span("one").start());
    flush(&tracer);
    let second = tracer.session_start("second");
    drop(tracer.span("two").start());
    flush(&tracer);

    assert_tree(&server, &first, "first\n  one [tool]\n");
    assert_tree(&server, &second, "second\n  two [tool]\n");
}

#[test]
fn a_tracer_that_records_nothing_makes_no_call() {
    let (server, tracer) = connected();
    flush(&tracer);
    tracer.shutdown_blocking(PATIENCE).unwrap();

    assert!(server.requests().is_empty());
    assert_eq!(tracer.stats().accepted, 0);
}

#[test]
fn sessions_of_requests_leave_no_stray_startup_session() {
    let (server, tracer) = connected();
    for _ in 0..3 {
        let request = tracer.create_session("request");
        request.in_scope(|| {
            drop(tracer.span("work").start());
            tracer.enrich_session(Enrichment::new().metadata(json!({"k": 1})));
        });
    }
    flush(&tracer);

    let names: Vec<_> = server.sessions().into_iter().map(|s| s.name).collect();
    assert_eq!(names, vec![Some("request".to_owned()); 3]);
}

#[test]
fn an_enrichment_outside_every_session_begins_the_tracers_own() {
    let server = server();
    let tracer = builder(&server)
        .session_name("script")
        .session_id("run-1")
        .build()
        .unwrap();
    tracer.enrich_session(Enrichment::new().metadata(json!({"k": "v"})));
    flush(&tracer);

    assert_eq!(calls(&server), [START]);
    let stored = session(&server, "run-1".into());
    assert_eq!(stored.name.as_deref(), Some("script"));
    assert_eq!(stored.metadata["k"], "v");
}

#[test]
fn a_linked_session_is_enriched_and_never_posted() {
    let server = server();
    let first = tracer(&server);
    let begun = first.create_session("conversation");
    flush(&first);
    server.clear();
    let posted = first.create_session(NewSession::named("conversation").id(begun.id()));
    flush(&first);

    let second = tracer(&server);
    let linked = second.create_session(
        NewSession::existing(posted.id())
            .metadata(json!({"turn": 2}))
            .user_properties(json!({"plan": "pro"})),
    );
    let same = second.create_session(NewSession::default().id(posted.id()).skip_api_call(true));
    same.enrich(Enrichment::new().feedback(json!({"rating": true})));
    linked.in_scope(|| drop(second.span("answer").start()));
    flush(&second);

    assert_eq!(count(&server, START), 1, "{:?}", calls(&server));
    let stored = session(&server, posted.id());
    assert_eq!(stored.metadata["turn"], 2);
    assert_eq!(stored.user_properties["plan"], "pro");
    assert_eq!(stored.feedback["rating"], true);
    assert_eq!(stored.event_count, 1);
}

#[test]
fn a_session_without_an_id_has_nothing_to_link_to_and_is_started() {
    let (server, tracer) = connected();
    let session_ = tracer.create_session(NewSession::named("new").skip_api_call(true));
    flush(&tracer);

    session(&server, session_.id());
}

#[test]
fn enrichments_merge_deeply_and_the_last_write_wins_before_and_after_the_start_is_sent() {
    let (server, tracer) = connected();
    let job = tracer.create_session(
        NewSession::named("job").metadata(json!({"a": {"x": 0, "kept": true}, "list": [1, 2]})),
    );
    job.enrich(Enrichment::new().metadata(json!({"a": {"x": 1, "y": 1}, "list": [3]})));
    job.enrich(Enrichment::new().metadata(json!({"a": {"y": 2}})));
    flush(&tracer);
    assert_eq!(
        Value::Object(session(&server, job.id()).metadata),
        json!({"a": {"x": 1, "y": 2, "kept": true}, "list": [3]})
    );

    job.enrich(Enrichment::new().metadata(json!({"b": {"x": 1, "y": 1}})));
    job.enrich(Enrichment::new().metadata(json!({"b": {"x": 2}})));
    flush(&tracer);
    assert_eq!(
        session(&server, job.id()).metadata["b"],
        json!({"x": 2, "y": 1})
    );
    assert_eq!(calls(&server), [START.to_owned(), update(&job)]);
}

#[test]
fn inputs_belong_to_the_start_and_to_the_metadata_once_it_was_sent() {
    let (server, tracer) = connected();
    let chat = tracer.create_session(NewSession::named("chat").inputs(json!({"a": 1})));
    chat.enrich(Enrichment::new().inputs(json!({"b": 2})));
    flush(&tracer);
    chat.enrich(Enrichment::new().inputs(json!({"c": 3})));
    flush(&tracer);

    let stored = session(&server, chat.id());
    assert_eq!(Value::Object(stored.inputs), json!({"a": 1, "b": 2}));
    assert_eq!(stored.metadata["inputs"], json!({"c": 3}));
}

#[test]
fn an_error_is_found_in_the_metadata_of_short_and_of_long_sessions() {
    let (server, tracer) = connected();
    let short = tracer.create_session("short");
    short.enrich(Enrichment::new().error("no model"));
    let long = tracer.create_session("long");
    flush(&tracer);
    long.enrich(Enrichment::new().error("no answer"));
    flush(&tracer);

    let short = session(&server, short.id());
    assert_eq!(short.error, None, "a start has no place for it");
    assert_eq!(short.metadata["error"], "no model");
    assert_eq!(session(&server, long.id()).metadata["error"], "no answer");
}

#[test]
fn metrics_and_feedback_that_come_with_the_start_follow_it_in_an_update() {
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    chat.enrich(
        Enrichment::new()
            .outputs(json!({"answer": "42"}))
            .metrics(json!({"score": 0.9}))
            .feedback(json!({"rating": true})),
    );
    let report = flush(&tracer);

    assert_eq!((report.delivered, report.pending), (2, 0));
    assert_eq!(calls(&server), [START.to_owned(), update(&chat)]);
    let stored = session(&server, chat.id());
    assert_eq!(stored.raw["outputs"], json!({"answer": "42"}));
    assert_eq!(stored.metrics["score"], 0.9);
    assert_eq!(stored.feedback["rating"], true);
}

#[tokio::test]
async fn a_short_session_is_one_call() {
    let (server, tracer) = connected();
    let new = NewSession::named("request").inputs(json!({"q": 1}));
    tracer
        .with_session(new, |session| async move {
            session.enrich(Enrichment::new().outputs(json!({"a": 2})));
        })
        .await;
    // The end of a session is not held back: nobody has to flush.
    assert!(
        server
            .wait_until(PATIENCE, |s| s.stats().sessions == 1)
            .await
    );

    assert_eq!(calls(&server), [START]);
    let stored = &server.sessions()[0];
    assert_eq!(stored.inputs["q"], 1);
    assert_eq!(stored.outputs["a"], 2);
    assert!(stored.raw["duration"].is_number() && stored.raw["end_time"].is_number());
}

#[test]
fn a_start_is_sent_when_its_window_has_passed() {
    let server = server();
    let tracer = builder(&server)
        .coalesce_window(Duration::from_millis(1))
        .build()
        .unwrap();
    let chat = tracer.create_session("chat");
    assert!(server.wait_until_blocking(PATIENCE, |s| s.stats().sessions == 1));
    session(&server, chat.id());
}

#[test]
fn an_enrichment_that_is_no_object_is_kept_as_the_result() {
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    chat.enrich(
        Enrichment::new()
            .outputs("just text")
            .metadata(json!([1, 2]))
            .user_properties(json!({"plan": "pro"})),
    );
    chat.enrich(Enrichment::new().outputs(3));
    flush(&tracer);

    let stats = tracer.stats();
    assert_eq!((stats.refused, stats.accepted), (0, 3));
    let stored = session(&server, chat.id());
    assert_eq!(stored.user_properties["plan"], "pro");
    assert_eq!(stored.outputs["result"], 3, "the last write wins");
    assert_eq!(stored.metadata["result"], json!([1, 2]));
}

#[test]
fn an_enrichment_that_adds_nothing_is_no_item() {
    let (server, tracer) = connected();
    let linked = tracer.create_session(NewSession::existing("elsewhere"));
    linked.enrich(Enrichment::new());
    linked.enrich(Enrichment::new().outputs(json!({})).metadata(None::<()>));
    flush(&tracer);

    assert_eq!(tracer.stats().accepted, 0);
    assert!(server.requests().is_empty());
}

#[test]
fn two_starts_of_one_conversation_both_have_an_outcome() {
    let (server, tracer) = connected();
    let turn = |number: u32| {
        let new = NewSession::named("chat").id("conversation-1");
        let new = new.metadata(json!({ format!("turn_{number}"): true }));
        tracer.create_session(new)
    };
    let first = turn(1);
    let second = turn(2);
    second.enrich(Enrichment::new().outputs(json!({"answer": 2})));
    flush(&tracer);

    assert_eq!(first.id(), second.id());
    let stats = tracer.stats();
    assert_eq!((stats.delivered, stats.pending), (3, 0), "{stats:?}");
    let stored = session(&server, first.id());
    assert_eq!(
        Value::Object(stored.metadata),
        json!({"turn_1": true, "turn_2": true})
    );
    assert_eq!(stored.outputs["answer"], 2);
}

#[tokio::test]
async fn both_who_await_a_start_of_one_conversation_are_answered() {
    let (_server, tracer) = connected();
    let turn = || tracer.acreate_session(NewSession::named("chat").id("conversation-1"));
    let (first, second) = tokio::join!(turn(), turn());

    assert_eq!(first.unwrap().id(), second.unwrap().id());
}

#[test]
fn clones_of_a_session_are_one_session() {
    let (server, tracer) = connected();
    let original = tracer.create_session("chat");
    let clone = original.clone();
    std::thread::spawn(move || clone.enrich(Enrichment::new().metadata(json!({"k": 1}))))
        .join()
        .unwrap();
    flush(&tracer);

    assert_eq!(calls(&server), [START]);
    assert_eq!(session(&server, original.id()).metadata["k"], 1);
}

#[test]
fn what_comes_after_a_start_whose_answer_was_lost_is_not_lost_with_it() {
    let server = server();
    let tracer = builder(&server)
        .coalesce_window(Duration::ZERO)
        .build()
        .unwrap();
    let lost = Fault::close()
        .on(Endpoint::Sessions)
        .times(1)
        .after_applying();
    server.fail(lost);
    let chat = tracer.create_session(NewSession::named("chat").inputs(json!({ "q": 1 })));
    assert!(server.wait_until_blocking(PATIENCE, |it| it.stats().sessions == 1));
    chat.enrich(Enrichment::new().outputs(json!({ "a": 2 })));
    flush(&tracer);
    let session = session(&server, chat.id());
    assert_eq!((session.posts, session.inputs["q"].as_i64()), (2, Some(1)));
    assert_eq!(session.outputs["a"], 2);
    assert_balanced(&tracer);
}

#[test]
fn what_users_said_does_not_show_in_debug() {
    let (_server, tracer) = connected();
    let chat = tracer.create_session(
        NewSession::named("chat")
            .inputs(json!({"question": "a confidential matter"}))
            .user_properties(json!({"name": "a confidential person"})),
    );
    chat.enrich(Enrichment::new().outputs(json!({"answer": "a confidential answer"})));
    let span = chat.in_scope(|| {
        tracer
            .span("ask")
            .inputs(json!({"q": "a confidential word"}))
            .start()
    });
    drop(span);
    let created =
        tracer.acreate_session(NewSession::named("b").inputs(json!({"q": "confidential"})));

    let given = NewSession::named("c").inputs(json!({"q": "confidential"}));
    let added = Enrichment::new()
        .error("confidential")
        .inputs(json!({"q": "confidential"}));
    let builder = tracer.span("d").inputs(json!({"q": "confidential"}));

    let shown = format!("{chat:?} {tracer:?} {created:?} {given:?} {added:?} {builder:?}");
    assert!(!shown.contains("confidential"), "{shown}");
    assert!(shown.contains(&chat.id().to_string()), "{shown}");
}

#[test]
fn over_otlp_a_link_without_a_name_goes_by_the_name_of_the_tracers_own_session() {
    let server = server();
    let tracer = tracer_over(SessionTransport::Otlp, &server);
    let named = NewSession::named("support").id("c-1").skip_api_call(true);
    for link in [NewSession::existing("c-2"), named] {
        let link = tracer.create_session(link);
        link.in_scope(|| drop(tracer.span("turn").start()));
    }
    flush(&tracer);

    let name = |id: &str| session(&server, id.into()).name;
    assert_eq!(name("c-2").as_deref(), Some("the tests"));
    assert_eq!(name("c-1").as_deref(), Some("support"));
}
