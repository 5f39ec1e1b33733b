//! One connection: HTTP/1.1 until the client leaves or a fault cuts it.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::exchange;
use crate::shared::Shared;

/// How a connection ends when a call is to get no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Abort {
    #[error("closed without an answer")]
    Close,
    #[error("reset without an answer")]
    Reset,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Abort>> + Send>>;

/// Serves a connection to its end.
pub(crate) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    // Failing to set it only costs latency.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| -> Answer {
        Box::pin(exchange::answer(Arc::clone(&shared), request))
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // Not shut down by hyper, so that a reset can be the first thing the client sees.
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let stream = connection.into_parts().io.into_inner();
    if ended.is_err_and(|error| asks_for_reset(&error)) {
        reset(stream);
    }
}

fn asks_for_reset(error: &hyper::Error) -> bool {
    let abort = error.source().and_then(|source| source.downcast_ref());
    abort == Some(&Abort::Reset)
}

/// Closing a socket that may not linger sends RST instead of FIN.
fn reset(stream: TcpStream) {
    let lingering = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop((lingering, stream));
}
