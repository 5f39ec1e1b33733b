//! The multi-turn chat server has one middleware, and every conversation is a HoneyHive session.
//!
//! The chat itself is in `chat-support`, since it knows nothing of actix-web. Here is what does.

mod error;
mod handlers;
mod payload;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web::{self, Data, PayloadConfig};
use actix_web::{App, Error};
use chat_support::{Chat, ChatRequest};
use honeyhive::HoneyHiveTracer;
use honeyhive_actix::{HoneyHive, feedback};

/// Configures the server's routes, in which every request is a session of `tracer`. Each worker has an `App` of its
/// own; all share the chat.
pub fn app(
    tracer: HoneyHiveTracer,
    chat: Chat,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let feedback = feedback(chat.feedback());
    App::new()
        .wrap(middleware(tracer))
        .app_data(Data::new(chat))
        .app_data(PayloadConfig::new(ChatRequest::LONGEST_BODY))
        .service(web::resource("/").get(handlers::page).head(handlers::page))
        .route("/feedback", feedback)
        .service(web::resource("/chat").post(handlers::chat))
        .service(web::resource("/chat/stream").post(handlers::stream))
        .service(
            web::resource("/healthz")
                .get(handlers::healthz)
                .head(handlers::healthz),
        )
}

/// Returns the middleware: the page and the ratings make no sessions.
fn middleware(tracer: HoneyHiveTracer) -> HoneyHive {
    let skipped = HoneyHive::builder(tracer.clone())
        .skip(|request| matches!(request.path(), "/" | "/feedback"))
        .build();
    // The default header's name is always a valid one.
    skipped.unwrap_or_else(|_| HoneyHive::new(tracer))
}
