//! The multi-turn chat server has one layer, and every conversation is a HoneyHive session.
//!
//! The chat itself is in `chat-support`, since it knows nothing of axum. Here is what does.

mod error;
mod handlers;
mod payload;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use chat_support::{Chat, ChatRequest, Responder};
use honeyhive::HoneyHiveTracer;
use honeyhive_tower::{HoneyHiveLayer, feedback_routes};

/// Returns the server's routes, in which every request is a session of `tracer`.
pub fn app(tracer: HoneyHiveTracer, responder: Responder) -> Router {
    let chat = Chat::new(&tracer, responder);
    Router::new()
        .route("/chat", post(handlers::chat))
        .route("/chat/stream", post(handlers::stream))
        .route("/healthz", get(handlers::healthz))
        .layer(DefaultBodyLimit::max(ChatRequest::LONGEST_BODY))
        .layer(HoneyHiveLayer::new(tracer))
        // The routes after the layer, the page and the ratings, make no sessions.
        .route("/", get(handlers::page))
        .route_service("/feedback", feedback_routes(chat.feedback()))
        .with_state(chat)
}
