//! Each handler takes the request's session and hands it to the chat.

use std::convert::Infallible;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Html, Json};
use actix_web::{HttpResponse, Responder};
use chat_support::{Chat, ChatReply, PAGE};
use futures_util::StreamExt;
use honeyhive_actix::CurrentSession;

use crate::error::Failure;
use crate::payload::Payload;

pub(crate) async fn chat(
    chat: Data<Chat>,
    session: CurrentSession,
    Payload(request): Payload,
) -> Result<Json<ChatReply>, Failure> {
    Ok(Json(chat.reply(&session, request).await?))
}

pub(crate) async fn stream(
    chat: Data<Chat>,
    session: CurrentSession,
    Payload(request): Payload,
) -> Result<impl Responder, Failure> {
    let events = chat.stream(&session, request).await?;
    let frames = events.map(|event| Ok::<_, Infallible>(Bytes::from(event.to_frame())));
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .streaming(frames))
}

/// Returns the page: a chat with thumbs.
pub(crate) async fn page() -> Html {
    Html::new(PAGE)
}

/// Answers a health check, for which the middleware opens no session: it is nobody's conversation.
pub(crate) async fn healthz() -> &'static str {
    "ok"
}
