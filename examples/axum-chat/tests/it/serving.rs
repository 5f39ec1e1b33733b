//! The server under test starts here.

use std::net::SocketAddr;

use chat_support::Responder;
use honeyhive::HoneyHiveTracer;
use tokio::net::TcpListener;

pub(crate) const NAME: &str = "axum-chat";
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_axum-chat");

/// Serves on any free port until the test is over.
pub(crate) async fn serve(tracer: HoneyHiveTracer, responder: Responder) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum_chat::app(tracer, responder);
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}
