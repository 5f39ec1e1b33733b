//! Each handler takes the request's session and hands it to the chat.

use std::convert::Infallible;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use chat_support::{Chat, ChatReply, PAGE};
use futures_util::StreamExt;
use honeyhive_tower::CurrentSession;

use crate::error::Failure;
use crate::payload::Payload;

pub(crate) async fn chat(
    State(chat): State<Chat>,
    session: CurrentSession,
    Payload(request): Payload,
) -> Result<Json<ChatReply>, Failure> {
    Ok(Json(chat.reply(&session, request).await?))
}

pub(crate) async fn stream(
    State(chat): State<Chat>,
    session: CurrentSession,
    Payload(request): Payload,
) -> Result<impl IntoResponse, Failure> {
    let events = chat.stream(&session, request).await?;
    let frames = events.map(|event| Ok::<_, Infallible>(event.to_frame()));
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Body::from_stream(frames)))
}

/// Returns the page: a chat with thumbs.
pub(crate) async fn page() -> Html<&'static str> {
    Html(PAGE)
}

/// Answers a health check, for which the layer opens no session: it is nobody's conversation.
pub(crate) async fn healthz() -> &'static str {
    "ok"
}
