//! HoneyHive is down, slow or refuses: the service's own users see none of it, and the counts balance.

use std::net::SocketAddr;
use std::time::Duration;

use honeyhive_local::{Fault, LocalServer};
use serde_json::json;
use tokio::net::TcpSocket;

use crate::adapter::Adapter;
use crate::client::Answer;
use crate::harness::{PATIENCE, Stage, has_ended};

/// Asks the service, and returns its answers.
async fn answers(stage: &Stage) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (method, path) in [
        ("POST", "/chat/7"),
        ("GET", "/tokens"),
        ("GET", "/status/404"),
        ("GET", "/fail"),
        ("GET", "/bytes/5000"),
        ("GET", "/events"),
    ] {
        answers.push(stage.request(method, path).send().await);
    }
    let linked = json!({ "conversation_id": answers[0].session_id() });
    answers.push(stage.request("POST", "/link").json(&linked).send().await);
    answers
}

fn seen(answers: &[Answer]) -> Vec<impl PartialEq + std::fmt::Debug> {
    answers.iter().map(Answer::without_session).collect()
}

/// Returns a stage whose HoneyHive fails, and asserts that the clients see what they see when it does not.
async fn unchanged_under<A: Adapter>(fault: Fault) -> (Stage, Vec<Answer>) {
    let healthy = Stage::start::<A>().await;
    let wanted = answers(&healthy).await;
    let stage = Stage::builder().impatient().start::<A>().await;
    stage.honeyhive.fail(fault);
    let got = answers(&stage).await;
    assert_eq!(seen(&got), seen(&wanted));
    stage
        .until("a call has failed", |honeyhive| {
            !honeyhive.requests().is_empty()
        })
        .await;
    let stats = stage.stats();
    assert!(stats.accepted > 0, "{stats:?}");
    (stage, got)
}

/// Asserts that a recovered HoneyHive gets everything that was kept for it.
async fn recovers<A: Adapter>(fault: Fault) {
    let (stage, answers) = unchanged_under::<A>(fault).await;
    stage.honeyhive.heal();
    stage.settle().await;
    assert_all_delivered(&stage.honeyhive, &answers);
    let stats = stage.stats();
    assert_eq!(stats.pending, 0, "{stats:?}");
    assert_eq!(stats.dropped.total(), 0, "{stats:?}");
}

fn assert_all_delivered(honeyhive: &LocalServer, answers: &[Answer]) {
    for answer in answers {
        let id = answer.session_id().to_string();
        let session = honeyhive.session(&id);
        let session = session.unwrap_or_else(|| panic!("{id} is lost"));
        assert!(has_ended(&session), "{session:#?}");
    }
    // The events are chat: 2, tokens: 5, events: 3, link: 2.
    assert_eq!(honeyhive.stats().events, 12);
    assert!(honeyhive.orphans().is_empty());
}

/// HoneyHive answers 500.
pub async fn a_honeyhive_that_fails_is_not_noticed_and_recovers<A: Adapter>() {
    recovers::<A>(Fault::status(500)).await;
}

/// HoneyHive never answers. That these requests end at all is the proof that none waits for it.
pub async fn a_honeyhive_that_hangs_is_not_noticed_and_recovers<A: Adapter>() {
    recovers::<A>(Fault::hang()).await;
}

/// HoneyHive asks for a later retry.
pub async fn a_honeyhive_that_is_overloaded_is_not_noticed_and_recovers<A: Adapter>() {
    recovers::<A>(Fault::status(429).header("retry-after", "1")).await;
}

/// HoneyHive resets connections after it has taken in their data: nothing is doubled.
pub async fn a_honeyhive_whose_answers_are_lost_doubles_nothing<A: Adapter>() {
    let (stage, answers) = unchanged_under::<A>(Fault::reset().after_applying()).await;
    stage.honeyhive.heal();
    stage.settle().await;
    assert_all_delivered(&stage.honeyhive, &answers);
    assert_eq!(
        stage.honeyhive.stats().sessions,
        6,
        "one of the seven is linked"
    );
}

/// HoneyHive refuses the key: items are dropped and counted as that.
pub async fn a_honeyhive_that_refuses_the_key_is_not_noticed<A: Adapter>() {
    let (stage, _) = unchanged_under::<A>(Fault::status(401)).await;
    let flushed = stage.tracer.force_flush(PATIENCE).await;
    assert!(flushed.is_err(), "it says so: {flushed:?}");
    let stats = stage.stats();
    assert_eq!(stats.pending, 0, "{stats:?}");
    assert_eq!(stats.dropped.unauthorized, stats.accepted, "{stats:?}");
    assert!(stage.honeyhive.sessions().is_empty());
}

/// HoneyHive's address has no listener at first, and then it has one.
pub async fn a_honeyhive_that_is_not_there_is_not_noticed_and_recovers<A: Adapter>() {
    let healthy = Stage::start::<A>().await;
    let wanted = answers(&healthy).await;
    // The port is taken, so that nobody else gets it, and never listened on.
    let nobody = TcpSocket::new_v4().expect("a socket");
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    nobody.bind(free).expect("a free port");
    let address = nobody.local_addr().expect("an address");
    let stage = Stage::builder()
        .impatient()
        .url(format!("http://{address}"))
        .start::<A>()
        .await;
    let got = answers(&stage).await;
    assert_eq!(seen(&got), seen(&wanted));
    let flushed = stage.tracer.force_flush(Duration::from_millis(100)).await;
    assert!(flushed.is_err(), "it says so: {flushed:?}");
    let stats = stage.stats();
    assert_eq!(
        (stats.delivered, stats.dropped.total()),
        (0, 0),
        "{stats:?}"
    );

    drop(nobody);
    let builder = LocalServer::builder()
        .unknown_updates(crate::harness::unknown_updates())
        .address(address);
    let honeyhive = builder.start().await.expect("the port is still free");
    stage.settle().await;
    assert_all_delivered(&honeyhive, &got);
    assert_eq!(stage.stats().pending, 0);
}

/// A full queue drops, counts, and holds nobody up.
pub async fn a_full_queue_is_not_noticed_and_counted<A: Adapter>() {
    let builder = Stage::builder().tracer(|builder| {
        let builder = builder.api_timeout(Duration::from_millis(300));
        builder.max_pending_items(4)
    });
    let stage = builder.start::<A>().await;
    stage.honeyhive.fail(Fault::hang());
    for _ in 0..20 {
        let answer = stage.request("POST", "/chat/7").send().await;
        assert_eq!((answer.status, answer.text()), (200, "42"));
    }
    let stats = stage.stats();
    assert_eq!(stats.accepted, 80, "{stats:?}");
    assert_eq!(
        (stats.pending, stats.dropped.queue_full),
        (4, 76),
        "{stats:?}"
    );
}
