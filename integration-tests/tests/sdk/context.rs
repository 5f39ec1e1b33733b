//! The session is current on threads, in tasks, with two tracers, across processes, and after a move.

use std::collections::HashMap;
use std::time::Duration;

use crate::support::*;
use futures_util::{StreamExt as _, stream};
use honeyhive::opentelemetry::Context;
use honeyhive::opentelemetry::KeyValue;
use honeyhive::opentelemetry::baggage::BaggageExt;
use honeyhive::opentelemetry::context::FutureExt;
use honeyhive::opentelemetry::propagation::TextMapPropagator;
use honeyhive::{Enrichment, Moved, NewSession, Session, SessionId, testing};
use honeyhive_local::{Endpoint, Fault};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use serde_json::json;
use tokio::task::JoinSet;

fn current_id() -> Option<SessionId> {
    Session::current().map(|session| session.id())
}

#[test]
fn a_session_is_current_until_its_guard_is_dropped_and_nests() {
    let (_server, tracer) = connected();
    let (outer, inner) = (
        tracer.create_session("outer"),
        tracer.create_session("inner"),
    );
    assert_eq!(current_id(), None);
    let guard = outer.enter();
    assert_eq!(current_id(), Some(outer.id()));
    let found = inner.in_scope(|| (current_id(), tracer.current_session().map(|s| s.id())));
    assert_eq!(found, (Some(inner.id()), Some(inner.id())));
    assert_eq!(current_id(), Some(outer.id()));
    drop(guard);
    assert_eq!(current_id(), None);
    assert!(tracer.current_session().is_none());
}

#[test]
fn a_session_is_no_longer_current_after_a_panic_in_its_scope() {
    let (_server, tracer) = connected();
    let chat = tracer.create_session("chat");
    let caught = std::panic::catch_unwind(|| chat.in_scope(|| panic!("on purpose")));
    assert!(caught.is_err());
    assert_eq!(current_id(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_and_blocking_threads_of_a_session_are_in_it_and_plain_ones_are_not() {
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    let work = |name: &'static str| {
        let tracer = tracer.clone();
        async move {
            tokio::task::yield_now().await;
            drop(tracer.span(name).start());
        }
    };
    chat.scope(work("scoped")).await;
    chat.spawn(work("spawned")).await.unwrap();
    let blocking = tracer.clone();
    chat.spawn_blocking(move || drop(blocking.span("blocking").start()))
        .await
        .unwrap();
    chat.scope(async { tokio::spawn(work("plain")).await.unwrap() })
        .await;
    let cx = chat.context();
    tokio::spawn(work("with its context").with_context(cx))
        .await
        .unwrap();
    tracer.force_flush(PATIENCE).await.unwrap();

    for name in ["scoped", "spawned", "blocking", "with its context"] {
        assert_eq!(
            event(&server, name).session_id,
            chat.id().to_string(),
            "{name}"
        );
    }
    assert_ne!(event(&server, "plain").session_id, chat.id().to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sessions_at_once_keep_what_is_theirs() {
    let (server, tracer) = connected();
    let tasks = (0..50).map(|number| {
        let tracer = tracer.clone();
        let session = tracer.create_session(format!("request {number}"));
        let id = session.id();
        let task = session.spawn(async move {
            let turn = tracer.span("turn").start();
            turn.scope(async {
                tokio::task::yield_now().await;
                let span = tracer.span("work").start();
                span.outputs(json!({ "number": number }));
                tracer.enrich_session(Enrichment::new().outputs(json!({ "number": number })));
            })
            .await;
        });
        (number, id, task)
    });
    for (number, id, task) in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
        tracer.force_flush(PATIENCE).await.unwrap();
        assert_eq!(session(&server, id).outputs["number"], number);
        let events = server.events(&id.to_string());
        let work = events.iter().find(|event| event.event_name == "work");
        assert_eq!(work.unwrap().outputs["number"], number);
        assert_eq!(events.len(), 2);
    }
}

#[test]
fn two_tracers_have_a_current_session_each() {
    let (one_server, two_server) = (server(), server());
    let (one, two) = (tracer(&one_server), tracer(&two_server));
    let (of_one, of_two) = (one.create_session("one"), two.create_session("two"));
    of_one.in_scope(|| {
        of_two.in_scope(|| {
            drop(one.span("by one").start());
            drop(two.span("by two").start());
            one.enrich_session(Enrichment::new().metadata(json!({"by": "one"})));
            let innermost = one.create_session("innermost");
            innermost.in_scope(|| {
                assert_eq!(one.current_session().map(|s| s.id()), Some(innermost.id()));
                assert_eq!(two.current_session().map(|s| s.id()), Some(of_two.id()));
            });
        });
    });
    flush(&one);
    flush(&two);

    let by_one = event(&one_server, "by one");
    assert_eq!(by_one.session_id, of_one.id().to_string());
    let by_two = event(&two_server, "by two");
    assert_eq!(by_two.session_id, of_two.id().to_string());
    assert_eq!(session(&one_server, of_one.id()).metadata["by"], "one");
    assert_eq!(one_server.sessions().len(), 2);
    assert_eq!(two_server.sessions().len(), 1);
}

/// Returns a context as an extractor of another library leaves it.
fn with_baggage(pairs: &[(&'static str, &str)]) -> Context {
    Context::new().with_baggage(
        pairs
            .iter()
            .map(|(key, value)| KeyValue::new(*key, (*value).to_owned())),
    )
}

#[test]
fn the_session_in_the_baggage_is_joined_the_bare_key_only_as_a_uuid() {
    let (server, tracer) = connected();
    let uuid = SessionId::new();
    let cases = [
        (
            "namespaced uuid",
            with_baggage(&[("honeyhive.session_id", &uuid.to_string())]),
            Some(uuid),
        ),
        (
            "namespaced text",
            with_baggage(&[("honeyhive.session_id", "thread_42")]),
            Some("thread_42".into()),
        ),
        (
            "bare uuid",
            with_baggage(&[("session_id", &uuid.to_string())]),
            Some(uuid),
        ),
        (
            "bare text",
            with_baggage(&[("session_id", "sid-of-somebody-else")]),
            None,
        ),
        (
            "both",
            with_baggage(&[
                ("session_id", &SessionId::new().to_string()),
                ("honeyhive.session_id", &uuid.to_string()),
            ]),
            Some(uuid),
        ),
        ("others", with_baggage(&[("source", "x"), ("k", "v")]), None),
    ];
    for (name, cx, expected) in &cases {
        let _guard = cx.clone().attach();
        assert_eq!(
            tracer.current_session().map(|s| s.id()),
            *expected,
            "{name}"
        );
        drop(tracer.span(*name).start());
    }
    flush(&tracer);

    let joined: Vec<_> = cases
        .iter()
        .filter_map(|(_, _, id)| Some((*id)?.to_string()))
        .collect();
    let sessions = server.sessions().into_iter().map(|it| it.session_id);
    let own: Vec<_> = sessions.filter(|id| !joined.contains(id)).collect();
    let [own] = own.as_slice() else {
        panic!("one session of the tracer's own: {own:?}");
    };
    for (name, _, expected) in &cases {
        let expected = expected.map_or_else(|| own.clone(), |id| id.to_string());
        assert_eq!(event(&server, name).session_id, expected, "{name}");
    }
    assert_eq!(count(&server, START), 1, "only the tracer's own is started");
}

#[test]
fn a_session_of_this_process_wins_over_the_baggage() {
    let (_server, tracer) = connected();
    let chat = tracer.create_session("chat");
    let _guard = with_baggage(&[("honeyhive.session_id", "elsewhere")]).attach();
    let found = chat.in_scope(|| tracer.current_session());
    assert_eq!(found.map(|s| s.id()), Some(chat.id()));
}

#[test]
fn what_a_session_injects_is_read_on_the_other_side() {
    let server = server();
    let (front, back) = (tracer(&server), tracer(&server));
    let chat = front.create_session("chat");
    let mut headers = HashMap::new();
    let _mine = Context::current()
        .with_baggage([KeyValue::new("tenant", "t 1")])
        .attach();
    chat.in_scope(|| {
        let call = front.span("call").start();
        call.in_scope(|| chat.inject(&mut headers));
    });

    // The context is that of the other process.
    let cx = TraceContextPropagator::new().extract(&headers);
    let cx = BaggagePropagator::new().extract_with_context(&cx, &headers);
    assert_eq!(
        cx.baggage().get("tenant").map(|value| value.as_str()),
        Some("t 1")
    );
    {
        let _theirs = cx.attach();
        assert_eq!(back.current_session().map(|s| s.id()), Some(chat.id()));
        drop(back.span("served").start());
        back.enrich_session(Enrichment::new().metadata(json!({"seen": true})));
    }
    flush(&front);
    flush(&back);

    assert_tree(&server, &chat, "chat\n  call [tool]\n    served [tool]\n");
    assert_eq!(session(&server, chat.id()).metadata["seen"], true);
    assert_eq!(count(&server, START), 1);
}

#[test]
fn injecting_outside_a_span_carries_the_session_and_no_parent() {
    let (_server, tracer) = connected();
    let chat = tracer.create_session("chat");
    let mut headers = HashMap::new();
    chat.inject(&mut headers);

    let id = chat.id().to_string();
    assert!(headers["baggage"].contains(&format!("honeyhive.session_id={id}")));
    assert!(!headers.contains_key("traceparent"), "{headers:?}");
}

#[test]
fn a_session_that_moves_before_it_was_sent_moves_as_a_whole() {
    let (server, tracer) = connected();
    let first = tracer.create_session(NewSession::named("conversation").id("conversation-7"));
    flush(&tracer);

    let request = tracer.create_session(
        NewSession::named("POST /chat")
            .metadata(json!({"release": 3, "turn": 1}))
            .user_properties(json!({"plan": "pro"})),
    );
    let provisional = request.id();
    request.enrich(Enrichment::new().metadata(json!({"turn": 2})));
    request.in_scope(|| drop(tracer.span("before").start()));
    assert_eq!(request.link_to("conversation-7"), Moved::Whole);
    assert_eq!(request.id(), first.id());
    request.enrich(Enrichment::new().outputs(json!({"answer": 42})));
    request.in_scope(|| drop(tracer.span("after").start()));
    flush(&tracer);

    assert!(server.session(&provisional.to_string()).is_none());
    assert_eq!(count(&server, START), 1);
    let stored = session(&server, first.id());
    assert_eq!(stored.metadata["turn"], 2);
    assert_eq!(stored.outputs["answer"], 42);
    for name in ["before", "after"] {
        assert_eq!(event(&server, name).session_id, first.id().to_string());
    }
    assert_eq!(stored.metadata["release"], 3);
    assert_eq!(stored.user_properties["plan"], "pro");
    assert_balanced(&tracer);
    assert_eq!(tracer.stats().pending, 0);
}

#[test]
fn a_session_that_collected_nothing_moves_without_a_trace() {
    let (server, tracer) = connected();
    let request = tracer.create_session("POST /chat");
    assert_eq!(request.link_to("conversation-8"), Moved::Whole);
    flush(&tracer);

    assert!(server.requests().is_empty());
    assert_eq!(tracer.stats().accepted, 0);
}

#[tokio::test]
async fn awaiting_a_session_that_has_moved_resolves() {
    let (_server, tracer) = connected();
    let created = tracer.acreate_session("POST /chat");
    let session = created.session();
    assert_eq!(session.link_to("conversation-9"), Moved::Whole);

    assert_eq!(created.await.unwrap().id(), "conversation-9".into());
}

#[test]
fn a_session_that_was_sent_moves_from_now_on_and_leaves_a_note() {
    let (server, tracer) = connected();
    let conversation = tracer.create_session(NewSession::named("conversation").id("c-1"));
    let request = tracer.create_session("POST /chat");
    let provisional = request.id();
    request.in_scope(|| drop(tracer.span("before").start()));
    flush(&tracer);
    assert_eq!(request.link_to("c-1"), Moved::FromNowOn);
    request.in_scope(|| drop(tracer.span("after").start()));
    request.enrich(Enrichment::new().outputs(json!({"answer": 42})));
    flush(&tracer);

    assert_eq!(event(&server, "before").session_id, provisional.to_string());
    assert_eq!(
        event(&server, "after").session_id,
        conversation.id().to_string()
    );
    assert_eq!(session(&server, conversation.id()).outputs["answer"], 42);
    let note = conversation.id().to_string();
    assert_eq!(session(&server, provisional).metadata["moved_to"], note);
}

#[test]
fn a_session_moves_once() {
    let (_server, tracer) = connected();
    let request = tracer.create_session("POST /chat");
    let own = request.id();
    assert_eq!(request.link_to(own), Moved::Whole, "it is there already");
    assert_eq!(request.link_to("c-1"), Moved::Whole);
    assert_eq!(request.link_to("c-1"), Moved::Whole);
    assert_eq!(request.link_to("c-2"), Moved::Refused);
    assert_eq!(request.id(), "c-1".into());
}

#[test]
fn of_two_starts_of_one_conversation_the_one_that_moves_takes_nothing_from_the_other() {
    for mover in [0, 1] {
        let (server, tracer) = connected();
        let turn = || tracer.create_session(NewSession::named("chat").id("c-3"));
        let turns = [turn(), turn()];
        assert_eq!(turns[mover].link_to("c-4"), Moved::Whole);
        flush(&tracer);

        assert_eq!(turns[1 - mover].id(), "c-3".into());
        session(&server, "c-3".into());
        assert_eq!(count(&server, START), 1);
        assert_eq!(tracer.stats().accepted, 1);
    }
}

#[test]
fn a_move_during_a_shutdown_still_delivers_what_there_was() {
    let server = server();
    // Calls go one at a time after the first failure, and the next one hangs for a while.
    let sessions = || Fault::status(503).on(Endpoint::Sessions);
    server.fail(sessions().header("retry-after", "3600").times(1));
    server.fail(Fault::hang().on(Endpoint::Sessions).times(1));
    let tracer = builder(&server)
        .api_timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    assert!(block_on(tracer.acreate_session("first")).is_err());
    let requests: Vec<_> = (0..10)
        .map(|_| {
            let request = tracer.create_session("POST /chat");
            request.in_scope(|| drop(tracer.span("work").start()));
            request
        })
        .collect();
    let moved = std::thread::scope(|scope| {
        let shutdown = scope.spawn(|| tracer.shutdown_blocking(PATIENCE));
        while tracer.stats().dropped.shut_down == 0 {
            tracer.create_session("too late already?");
            std::thread::yield_now();
        }
        let moves = requests.iter().map(|request| request.link_to("c-5"));
        let moved = moves.filter(|moved| *moved == Moved::Whole).count();
        shutdown.join().unwrap().unwrap();
        moved
    });

    let conversation = SessionId::from("c-5").to_string();
    let mut arrived = all_events(&server);
    assert_eq!(arrived.len(), 10);
    arrived.retain(|event| event.session_id == conversation);
    assert!(arrived.len() >= moved, "{moved} moved as a whole");
    assert_eq!(tracer.stats().pending, 0);
    assert_balanced(&tracer);
}

#[test]
fn a_message_carries_session_and_span_whatever_the_case_of_its_header_names() {
    let (server, tracer) = connected();
    let chat = tracer.create_session("chat");
    let mut sent = HashMap::new();
    chat.in_scope(|| {
        let span = tracer.span("send").start();
        span.in_scope(|| chat.inject(&mut sent));
    });
    for rename in [str::to_owned, |name: &str| name.to_uppercase()] {
        let headers = sent.iter().map(|(name, value)| (rename(name), value));
        let _received = tracer.extract(headers).attach();
        drop(tracer.span("receive").start());
    }
    flush(&tracer);

    let send = event(&server, "send");
    let received = server.events(&chat.id().to_string());
    let received: Vec<_> = received
        .iter()
        .filter(|event| event.event_name == "receive")
        .collect();
    assert_eq!(received.len(), 2);
    for event in received {
        assert_eq!(event.parent_span_id.as_ref(), Some(&send.span_id));
    }
    assert_eq!(count(&server, START), 1, "a link begins nothing");
}

#[test]
fn a_message_without_a_session_or_with_somebody_elses_leaves_the_current_one() {
    let (tracer, captured) = testing::tracer();
    let chat = tracer.create_session("chat");
    chat.in_scope(|| {
        for headers in [
            vec![],
            vec![("traceparent", "nonsense"), ("baggage", "=,;")],
            vec![("baggage", "session_id=theirs"), ("session_id", "x")],
        ] {
            let _received = tracer.extract(headers).attach();
            drop(tracer.span("receive").start());
        }
    });
    assert_eq!(captured.only_session().events.len(), 3);
}

#[tokio::test]
async fn what_a_session_is_carried_into_is_in_it_and_under_the_span_that_was_current() {
    let (tracer, captured) = testing::tracer();
    let chat = tracer.create_session("chat");
    let span_in = |name: &'static str| {
        let tracer = tracer.clone();
        move || drop(tracer.span(name).start())
    };
    let turn = chat.in_scope(|| tracer.span("turn").start());
    let (mut set, threads, stream) = turn.in_scope(|| {
        let mut set = JoinSet::new();
        let task = span_in("task");
        chat.spawn_in(&mut set, async move { task() });
        chat.spawn_blocking_in(&mut set, span_in("blocking task"));
        let each = chat.wrap_fn({
            let tracer = tracer.clone();
            move |name: &'static str| drop(tracer.span(name).start())
        });
        let threads = [
            std::thread::spawn(chat.wrap(span_in("thread"))),
            std::thread::spawn(move || ["one", "two"].into_iter().for_each(each)),
        ];
        let item = span_in("item");
        let stream = chat.scope_stream(stream::iter([()]).map(move |()| item()));
        (set, threads, stream)
    });
    while set.join_next().await.transpose().unwrap().is_some() {}
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(stream.count().await, 1);
    drop(turn);

    let mut tree: Vec<_> = captured
        .only_session()
        .tree()
        .lines()
        .map(str::to_owned)
        .collect();
    tree[2..].sort();
    assert_eq!(
        tree,
        [
            "chat",
            "  turn [chain]",
            "    blocking task [tool]",
            "    item [tool]",
            "    one [tool]",
            "    task [tool]",
            "    thread [tool]",
            "    two [tool]",
        ]
    );
}
