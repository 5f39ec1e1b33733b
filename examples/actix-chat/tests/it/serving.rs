//! The server under test starts here.

use std::net::SocketAddr;
use std::thread;

use actix_web::HttpServer;
use actix_web::rt::System;
use chat_support::{Chat, Responder};
use honeyhive::HoneyHiveTracer;
use tokio::sync::oneshot;

pub(crate) const NAME: &str = "actix-chat";
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_actix-chat");

/// Serves on any free port until the test is over, with two workers: they share the conversations.
pub(crate) async fn serve(tracer: HoneyHiveTracer, responder: Responder) -> SocketAddr {
    let (started, starting) = oneshot::channel();
    let chat = Chat::new(&tracer, responder);
    let app = move || actix_chat::app(tracer.clone(), chat.clone());
    thread::spawn(|| {
        System::new().block_on(async {
            // The server is set up as in the program, except for its signals.
            let server = HttpServer::new(app).h1_allow_half_closed(false);
            let server = server.workers(2).disable_signals();
            let server = server.bind("127.0.0.1:0").unwrap();
            started.send(server.addrs()[0]).unwrap();
            server.run().await
        })
    });
    starting.await.unwrap()
}
