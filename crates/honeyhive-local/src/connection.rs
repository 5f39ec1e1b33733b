//! A connection speaks HTTP/1.1 until the client leaves or a fault cuts it.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::exchange::Entrance;
use crate::fault::Abort;

type Answered = Pin<Box<dyn Future<Output = Result<Response<Body>, Abort>> + Send>>;

/// The head of a request has at most this many bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// A request has at most this many headers.
const MOST_HEADERS: usize = 100;

/// Serves a connection to its end.
pub(crate) async fn serve(stream: TcpStream, entrance: Entrance) {
    // A failure here only costs latency.
    let _ = stream.set_nodelay(true);
    let head_within = entrance.client_timeout();
    let service = service_fn(move |request: Request<Incoming>| -> Answered {
        Box::pin(entrance.clone().answer(request))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_within)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    // Hyper does not shut the connection down, so that a reset can be the first thing the client sees.
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

/// Resets the connection: closing a socket that may not linger sends RST instead of FIN.
fn reset(stream: TcpStream) {
    let lingering = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop((lingering, stream));
}
