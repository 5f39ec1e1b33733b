//! `Session::link_to` moves a request whose conversation's id comes in the body.

use honeyhive::SessionId;
use serde_json::json;

use crate::adapter::Adapter;
use crate::client::Call;
use crate::harness::{Stage, assert_ended};

const CONVERSATION: &str = "conversation-7";

/// Returns a stage whose HoneyHive has the conversation.
async fn stage_with_conversation<A: Adapter>() -> Stage {
    let stage = Stage::start::<A>().await;
    let elsewhere = crate::harness::tracer(&stage.honeyhive.url());
    let conversation = honeyhive::NewSession::named("the conversation").id(CONVERSATION);
    drop(elsewhere.create_session(conversation));
    let flushed = elsewhere.shutdown(crate::harness::PATIENCE).await;
    flushed.expect("the conversation has begun");
    stage
}

fn asking(stage: &Stage, path: &str) -> Call {
    let body = json!({ "conversation_id": CONVERSATION, "message": "why?" });
    stage.request("POST", path).json(&body)
}

/// A session that moves before anything was sent never exists as the provisional one, and everything follows.
pub async fn a_session_that_moves_in_time_leaves_nothing_behind<A: Adapter>() {
    let stage = stage_with_conversation::<A>().await;
    let conversation = SessionId::from_correlation_id(CONVERSATION);
    let answer = asking(&stage, "/link").send().await;
    assert_eq!(answer.text(), "Whole");
    assert_eq!(answer.session_id(), conversation, "the header follows");

    let session = stage.only_session().await;
    assert_eq!(session.session_id, conversation.to_string());
    assert_eq!(
        (session.posts, stage.starts().len()),
        (1, 1),
        "none of ours"
    );
    assert_eq!(session.metadata["early"], true, "enrichment goes along");
    assert_eq!(session.metadata["plan"], "pro", "and follows");
    assert_ended(&session, 200, "complete");
    let names = stage.span_names(conversation);
    assert_eq!(names, ["after the move", "before the move"]);
    assert!(stage.honeyhive.orphans().is_empty());
    assert_eq!(stage.stats().dropped.total(), 0);
}

/// A session moves once.
pub async fn a_session_moves_once<A: Adapter>() {
    let stage = stage_with_conversation::<A>().await;
    let answer = asking(&stage, "/link-twice").send().await;
    assert_eq!(answer.text(), "Whole Refused");
    let conversation = SessionId::from_correlation_id(CONVERSATION);
    assert_eq!(answer.session_id(), conversation);
    assert_ended(&stage.only_session().await, 200, "complete");
}

/// A chat client that has no conversation yet sends a text that says nothing: its users stay apart.
pub async fn an_id_that_says_nothing_moves_nobody<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let long = "a".repeat(257);
    let nothing = ["", " ", "undefined", "null", "None", "a\u{0}b", &long];
    for id in nothing {
        let body = json!({ "conversation_id": id });
        let answer = stage.request("POST", "/link").json(&body).send().await;
        assert_eq!(answer.text(), "Refused", "{id:?}");
        let session = stage.session(answer.session_id()).await;
        assert_eq!(
            (session.posts, &session.metadata["early"]),
            (1, &json!(true))
        );
        assert_ended(&session, 200, "complete");
    }
    let sessions = stage.honeyhive.sessions();
    assert_eq!(sessions.len(), nothing.len(), "one each");
    let ignored = stage.stats().ignored_session_ids;
    assert_eq!(ignored, nothing.len() as u64);
}

/// A client that sent its header and says nothing in the body stays where its header says.
pub async fn an_id_that_says_nothing_leaves_a_linked_request_where_it_is<A: Adapter>() {
    let stage = stage_with_conversation::<A>().await;
    let body = json!({ "conversation_id": "" });
    let call = stage.request("POST", "/link").json(&body);
    let answer = call.header("x-session-id", CONVERSATION).send().await;
    assert_eq!(answer.text(), "Refused");
    let conversation = SessionId::from_correlation_id(CONVERSATION);
    assert_eq!(answer.session_id(), conversation);
    assert_ended(&stage.only_session().await, 200, "complete");
}

/// A session that moves too late stays with what it has, and says where the rest went.
pub async fn a_session_that_was_sent_moves_from_now_on<A: Adapter>() {
    let stage = stage_with_conversation::<A>().await;
    let conversation = SessionId::from_correlation_id(CONVERSATION);
    let parked = tokio::spawn(asking(&stage, "/link-later").send());
    stage.app.entered.taken().await;
    stage.settle().await;
    assert_eq!(
        stage.starts().len(),
        2,
        "HoneyHive knows the provisional one"
    );
    stage.app.release.give();
    let answer = parked.await.expect("an answer");
    assert_eq!(answer.text(), "FromNowOn");
    assert_eq!(answer.session_id(), conversation);

    let session = stage.session(conversation).await;
    assert_eq!(session.metadata["plan"], "pro");
    assert_ended(&session, 200, "complete");
    let names = stage.span_names(conversation);
    assert!(names.contains(&"after the move".to_owned()), "{names:?}");
    let mut others = stage.honeyhive.sessions();
    others.retain(|session| session.session_id != conversation.to_string());
    assert_eq!(others.len(), 1, "{others:#?}");
    assert_eq!(others[0].metadata["moved_to"], conversation.to_string());
    assert!(stage.honeyhive.orphans().is_empty());
}

/// A client that sent its header already and repeats the id in the body moves nothing.
pub async fn a_session_that_moves_to_itself_stays<A: Adapter>() {
    let stage = stage_with_conversation::<A>().await;
    let answer = asking(&stage, "/link").header("x-session-id", CONVERSATION);
    let answer = answer.send().await;
    assert_eq!(answer.text(), "Whole");
    let session = stage.only_session().await;
    assert_eq!(answer.session_id().to_string(), session.session_id);
    assert_eq!(session.posts, 1);
}

/// A request that was linked by its header and then moves takes nobody else along.
pub async fn a_linked_request_that_moves_takes_nobody_along<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let first = stage.request("POST", "/chat/7").send().await;
    let session = first.session_id();
    stage.settle().await;
    let header = session.to_string();
    let moving = asking(&stage, "/link").header("x-session-id", &header);
    let moved = moving.send().await;
    let conversation = SessionId::from_correlation_id(CONVERSATION);
    assert_eq!(moved.session_id(), conversation);
    let back = stage
        .request("POST", "/chat/7")
        .header("x-session-id", &header);
    let back = back.send().await;
    assert_eq!(back.session_id(), session, "the others stay");

    let stayed = stage.session(session).await;
    assert_eq!(stayed.outputs["status_code"], 200);
    assert!(!stayed.metadata.contains_key("moved_to"));
    let mut names = stage.span_names(session);
    names.sort();
    assert_eq!(
        names,
        ["answer", "answer", "before the move", "turn", "turn"]
    );
    assert_eq!(stage.span_names(conversation), ["after the move"]);
    assert!(stage.honeyhive.orphans().is_empty());
}

/// Nobody has begun the conversation: its spans create it, and its updates wait for them, however long the turn is.
pub async fn a_conversation_that_nobody_has_begun_is_created_by_its_turn<A: Adapter>() {
    let stage = Stage::start::<A>().await;
    let conversation = SessionId::from_correlation_id(CONVERSATION);
    let parked = tokio::spawn(asking(&stage, "/link-and-park").send());
    stage.app.entered.taken().await;
    // Another request goes all the way meanwhile, so an update of this one could have gone too.
    let other = stage.request("POST", "/chat/7").send().await;
    stage.session(other.session_id()).await;
    assert_eq!(refused(&stage), 0, "an update would find nothing yet");
    stage.app.release.give();
    let answer = parked.await.expect("an answer");
    assert_eq!(answer.session_id(), conversation);

    let session = stage.session(conversation).await;
    assert!(session.auto_created);
    assert_eq!(
        (session.posts, session.metadata["early"].as_bool()),
        (0, Some(true))
    );
    assert_ended(&session, 200, "complete");
    assert_eq!(stage.stats().dropped.total(), 0);
    assert_eq!(refused(&stage), 0, "nor was it asked for too early");
}

fn refused(stage: &Stage) -> usize {
    let requests = stage.honeyhive.requests();
    let refused = requests.iter().filter(|it| it.status == Some(404));
    refused.count()
}

/// A move takes along what was said before, also without any REST start.
pub async fn over_otlp_a_request_that_moves_takes_everything_along<A: Adapter>() {
    let builder = Stage::builder()
        .tracer(|builder| builder.session_transport(honeyhive::SessionTransport::Otlp));
    let stage = builder.start::<A>().await;
    let answer = asking(&stage, "/link").send().await;
    let conversation = SessionId::from_correlation_id(CONVERSATION);
    assert_eq!(answer.session_id(), conversation);
    let session = stage.session(conversation).await;
    assert_eq!(session.metadata["early"], true);
    assert_eq!(session.metadata["plan"], "pro");
    assert_eq!(stage.honeyhive.sessions().len(), 1);
    assert_eq!(stage.stats().dropped.total(), 0);
}

/// Updates of a request's session from before the end of its first span wait for its spans.
pub async fn over_otlp_what_is_said_early_waits_for_the_spans<A: Adapter>() {
    let builder = Stage::builder()
        .tracer(|builder| builder.session_transport(honeyhive::SessionTransport::Otlp));
    let stage = builder.start::<A>().await;
    let parked = tokio::spawn(stage.request("GET", "/enrich-and-park").send());
    stage.app.entered.taken().await;
    stage.settle().await;
    assert_eq!(refused(&stage), 0, "an update would find nothing yet");
    stage.app.release.give();
    let answer = parked.await.expect("an answer");
    let session = stage.session(answer.session_id()).await;
    assert_eq!(session.metadata["early"], true);
    assert_eq!(stage.stats().dropped.total(), 0);
}
