//! Some handlers stream.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;

use super::{
    App, Call, Counted, PANIC_TEXT, Payload, Pieces, REFUSAL_TEXT, Refusal, Reply, payload,
};

/// A model answers with these tokens.
pub const TOKENS: [&str; 5] = ["The ", "answer ", "is ", "forty-", "two."];
/// An event stream has these events.
pub const EVENTS: [&str; 3] = ["data: one\n\n", "data: two\n\n", "data: three\n\n"];

/// A model's stream has these bytes, passed on as they came; a character is in two pieces.
pub const MODEL_EVENTS: [&[u8]; 4] = [
    b"data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Zw\xc3",
    b"\xb6lf\"}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" trees\"},\"finish_reason\":\"stop\"}]}\n\n",
    b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7}}\n\n",
    b"data: [DONE]\n\n",
];
/// An answer has this beginning, and this would be the rest of it.
pub const HALF_ANSWER: [&[u8]; 2] = [
    b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Half an\"}}]}\n\n",
    b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" answer\"},\"finish_reason\":\"stop\"}]}\n\n",
];
/// The stream is the answer of [`MODEL_EVENTS`] in Vercel's older form, which is plain text.
pub const DATA_STREAM: [&[u8]; 3] = [
    b"f:{\"messageId\":\"m1\"}\n0:\"Zw\xc3\xb6lf\"\n",
    b"0:\" trees\"\n",
    b"d:{\"finishReason\":\"stop\",\"usage\":{\"promptTokens\":11,\"completionTokens\":7}}\n",
];

type Answer = Result<Reply, Refusal>;

/// Makes one span a piece while the body is polled.
fn spoken(app: Arc<App>, pieces: &'static [&'static str]) -> Pieces {
    stream::iter(pieces.iter().enumerate())
        .then(move |(number, piece)| {
            let app = Arc::clone(&app);
            async move {
                let span = app.tracer.span(format!("piece {number}")).start();
                span.scope(tokio::task::yield_now()).await;
                Ok(Bytes::from_static(piece.as_bytes()))
            }
        })
        .boxed()
}

/// Ends the stream in a way of its own.
fn then(
    pieces: Pieces,
    end: impl Future<Output = Result<Bytes, Refusal>> + Send + 'static,
) -> Pieces {
    pieces.chain(stream::once(end)).boxed()
}

fn event_stream(pieces: Pieces) -> Reply {
    Reply::stream(pieces)
        .header("content-type", "text/event-stream")
        .header("cache-control", "no-cache")
}

/// Streams three pieces, from a body that counts its polls.
pub(super) async fn counted(app: Arc<App>, _: Call) -> Answer {
    let body = Counted::new(3, Arc::clone(&app.polls));
    Ok(Reply::new(Payload::Counted(body)).header("content-type", "text/plain"))
}

/// Streams tokens, a span each.
pub(super) async fn tokens(app: Arc<App>, _: Call) -> Answer {
    Ok(Reply::stream(spoken(app, &TOKENS)))
}

/// Streams server-sent events, to their end.
pub(super) async fn events(app: Arc<App>, _: Call) -> Answer {
    Ok(event_stream(spoken(app, &EVENTS)))
}

/// Streams a model's answer.
pub(super) async fn model_events(_: Arc<App>, _: Call) -> Answer {
    Ok(event_stream(of_bytes(&MODEL_EVENTS)))
}

/// Streams for the hooks of Vercel's AI SDK.
pub(super) async fn data_stream(_: Arc<App>, _: Call) -> Answer {
    let reply = Reply::stream(of_bytes(&DATA_STREAM));
    let reply = reply.header("content-type", "text/plain; charset=utf-8");
    Ok(reply.header("x-vercel-ai-data-stream", "v1"))
}

/// Streams half a model's answer, and the rest when the row says so.
pub(super) async fn parked_answer(app: Arc<App>, _: Call) -> Answer {
    let parked = then(of_bytes(&HALF_ANSWER[..1]), async move {
        app.park().await;
        Ok(Bytes::new())
    });
    let rest = of_bytes(&HALF_ANSWER[1..]);
    Ok(event_stream(parked.chain(rest).boxed()))
}

fn of_bytes(pieces: &'static [&'static [u8]]) -> Pieces {
    stream::iter(pieces)
        .map(|piece| Ok(Bytes::from_static(piece)))
        .boxed()
}

/// Streams one server-sent event, and the others when the row says so.
pub(super) async fn parked_events(app: Arc<App>, _: Call) -> Answer {
    let first = spoken(Arc::clone(&app), &EVENTS[..1]);
    let parking = Arc::clone(&app);
    let parked = then(first, async move {
        parking.park().await;
        Ok(Bytes::new())
    });
    Ok(event_stream(
        parked.chain(spoken(app, &EVENTS[1..])).boxed(),
    ))
}

/// Streams tokens, and then an error.
pub(super) async fn broken(app: Arc<App>, _: Call) -> Answer {
    let failing = async {
        tokio::task::yield_now().await;
        Err(Refusal(REFUSAL_TEXT))
    };
    Ok(Reply::stream(then(spoken(app, &TOKENS), failing)))
}

/// Streams tokens, and then panics.
pub(super) async fn panicking(app: Arc<App>, _: Call) -> Answer {
    let failing = async {
        tokio::task::yield_now().await;
        panic!("{PANIC_TEXT}")
    };
    Ok(Reply::stream(then(spoken(app, &TOKENS), failing)))
}

/// Streams all that its `Content-Length` declares, and then nothing, not even an end: a server has what it needs and
/// may never ask for more.
pub(super) async fn declared(app: Arc<App>, _: Call) -> Answer {
    let length = TOKENS.iter().map(|token| token.len() as u64).sum();
    let endless = then(spoken(app, &TOKENS), std::future::pending());
    Ok(Reply::new(Payload::Declared(length, endless)))
}

/// Streams pieces of the lengths that the body lists.
pub(super) async fn chunks(_: Arc<App>, call: Call) -> Answer {
    let lengths: Vec<usize> =
        serde_json::from_slice(&call.body).map_err(|_| Refusal("no list of lengths"))?;
    let mut rest = payload(lengths.iter().sum());
    let pieces: Vec<_> = lengths
        .into_iter()
        .map(|length| Ok(rest.split_to(length)))
        .collect();
    Ok(Reply::stream(stream::iter(pieces).boxed()))
}
