//! Some handlers answer in one piece.

use std::sync::Arc;

use honeyhive::{Enrichment, EventType, Session};
use serde_json::{Value, json};
use tokio::task::yield_now;

use super::{App, Call, Payload, Refusal, Reply, payload};

/// The handlers that panic do so with this text.
pub const PANIC_TEXT: &str = "the model is out of tokens";
/// The handler that fails does so with this text.
pub const REFUSAL_TEXT: &str = "the model has refused";
/// The program sets these values of `x-session-id` itself, in two lines.
pub const OWN_HEADERS: [&str; 2] = ["kept-by-the-program", "and-this-one-too"];

type Answer = Result<Reply, Refusal>;

/// Makes one span within another, across an await.
pub(super) async fn chat(app: Arc<App>, call: Call) -> Answer {
    let turn = app
        .tracer
        .span("turn")
        .event_type(EventType::Chain)
        .inputs(json!({ "conversation": call.argument }))
        .start();
    let model = async {
        yield_now().await;
        let answer = app
            .tracer
            .span("answer")
            .event_type(EventType::Model)
            .start();
        answer.scope(yield_now()).await;
    };
    turn.scope(model).await;
    Ok(Reply::text("42"))
}

/// Answers the status it is asked for, with a body where that status has one.
pub(super) async fn status(_: Arc<App>, call: Call) -> Answer {
    let status: u16 = call.argument.parse().map_err(|_| Refusal("no status"))?;
    let body = match status {
        204 | 304 => "",
        _ => "as asked for",
    };
    let mut reply = Reply::text(body);
    reply.status = status;
    if (300..=399).contains(&status) {
        reply = reply.header("location", "/status/200");
    }
    Ok(reply)
}

/// Says of the session what went wrong, and answers a status that does not.
pub(super) async fn told(app: Arc<App>, call: Call) -> Answer {
    if let Some(session) = Session::current() {
        session.fail(&Refusal(REFUSAL_TEXT));
    }
    status(app, call).await
}

/// Answers a body of known length.
pub(super) async fn whole(_: Arc<App>, call: Call) -> Answer {
    let length = call.argument.parse().map_err(|_| Refusal("no length"))?;
    Ok(Reply::new(Payload::Whole(payload(length))))
}

/// Fails after an await.
pub(super) async fn fail(_: Arc<App>, _: Call) -> Answer {
    yield_now().await;
    Err(Refusal(REFUSAL_TEXT))
}

/// Panics when it is first polled.
pub(super) async fn panic_at_once(_: Arc<App>, _: Call) -> Answer {
    panic!("{PANIC_TEXT}")
}

/// Panics within a span and after an await.
pub(super) async fn panic_later(app: Arc<App>, _: Call) -> Answer {
    let span = app.tracer.span("doomed").start();
    span.scope(yield_now()).await;
    panic!("{PANIC_TEXT}")
}

/// Waits for the row before it answers.
pub(super) async fn park(app: Arc<App>, _: Call) -> Answer {
    app.park().await;
    Ok(Reply::text("released"))
}

/// Answers the id of the session, or `none`.
pub(super) async fn optional(_: Arc<App>, call: Call) -> Answer {
    Ok(Reply::text(call.session.map_or_else(
        || "none".to_owned(),
        |session| session.id().to_string(),
    )))
}

/// Sets the session's user, as authentication would.
pub(super) async fn who(_: Arc<App>, call: Call) -> Answer {
    let session = call.session.ok_or(Refusal("no session"))?;
    session.user("  ");
    session.user("ada");
    Ok(Reply::text("ada"))
}

/// Sets the header that the layer would set, twice.
pub(super) async fn own_header(_: Arc<App>, _: Call) -> Answer {
    let set = |reply: Reply, value| reply.header("x-session-id", value);
    Ok(OWN_HEADERS.into_iter().fold(Reply::text("mine"), set))
}

/// Moves the session to the `conversation_id` in the body, between two spans.
pub(super) async fn link(app: Arc<App>, call: Call) -> Answer {
    let session = call.session.ok_or(Refusal("no session"))?;
    let before = app.tracer.span("before the move").start();
    session.enrich(Enrichment::new().metadata(json!({ "early": true })));
    yield_now().await;
    let moved = session.link_to(&*conversation(&call.body)?);
    drop(before);
    let after = app.tracer.span("after the move").start();
    after.scope(yield_now()).await;
    session.enrich(Enrichment::new().metadata(json!({ "plan": "pro" })));
    Ok(Reply::text(format!("{moved:?}")))
}

/// Enriches the session and waits for the row.
pub(super) async fn enrich_and_park(app: Arc<App>, call: Call) -> Answer {
    let session = call.session.ok_or(Refusal("no session"))?;
    session.enrich(Enrichment::new().metadata(json!({ "early": true })));
    app.park().await;
    Ok(Reply::text("done"))
}

/// Enriches the session, moves it, and waits for the row.
pub(super) async fn link_and_park(app: Arc<App>, call: Call) -> Answer {
    let session = call.session.ok_or(Refusal("no session"))?;
    session.enrich(Enrichment::new().metadata(json!({ "early": true })));
    session.link_to(&*conversation(&call.body)?);
    app.park().await;
    drop(app.tracer.span("turn").start());
    Ok(Reply::text("done"))
}

/// Moves the session as [`link`] does, once the row lets it.
pub(super) async fn link_later(app: Arc<App>, call: Call) -> Answer {
    app.park().await;
    link(app, call).await
}

/// Moves the session and then tries to move it somewhere else.
pub(super) async fn link_twice(_: Arc<App>, call: Call) -> Answer {
    let session = call.session.ok_or(Refusal("no session"))?;
    let first = session.link_to(&*conversation(&call.body)?);
    let second = session.link_to("somewhere else");
    Ok(Reply::text(format!("{first:?} {second:?}")))
}

fn conversation(body: &[u8]) -> Result<String, Refusal> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Refusal("no JSON"))?;
    let id = body["conversation_id"].as_str();
    id.map(str::to_owned).ok_or(Refusal("no conversation_id"))
}

/// Makes a span of each team's tracer.
pub(super) async fn both(app: Arc<App>, _: Call) -> Answer {
    let first = app.tracer.span("of the first").start();
    first.scope(yield_now()).await;
    if let Some(second) = &app.second {
        let span = second.span("of the second").start();
        span.scope(yield_now()).await;
    }
    let current = Session::current().map_or_else(String::new, |session| session.id().to_string());
    Ok(Reply::text(current))
}
