//! tonic sends the gRPC status in several places, and each is found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong here should stop the test"
)]

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt, future::BoxFuture};
use honeyhive::HoneyHiveTracer;
use honeyhive::testing::{CapturedSession, tracer};
use honeyhive_tower::{HoneyHiveLayer, PropagateLayer};
use http::uri::PathAndQuery;
use integration_tests::harness::{self, PATIENCE};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc as Server, NamedService};
use tonic::transport::{Channel, server::TcpIncoming};
use tonic::{Code, Request, Response, Status};
use tower::{Layer as _, service_fn};
use tower_service::Service;

/// Messages are bytes, as they come.
#[derive(Debug, Clone, Copy, Default)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}

/// `Chat` is the service `chat.Chat`.
#[derive(Debug, Clone)]
struct Chat(HoneyHiveTracer);

impl NamedService for Chat {
    const NAME: &'static str = "chat.Chat";
}

type Messages = BoxStream<'static, Result<Bytes, Status>>;

impl Chat {
    fn messages(&self, method: &str) -> Result<Messages, Status> {
        drop(self.0.span("model").start());
        let spoken = stream::iter([
            Ok(Bytes::from_static(b"forty-")),
            Ok(Bytes::from_static(b"two")),
        ]);
        match method {
            "/chat.Chat/Say" => Ok(spoken.boxed()),
            "/chat.Chat/Break" => {
                let broken = stream::iter([Err(Status::unavailable("the model is gone"))]);
                Ok(spoken.chain(broken).boxed())
            }
            "/chat.Chat/Refuse" => Err(Status::internal("no model")),
            _ => Err(Status::not_found("no such conversation")),
        }
    }
}

impl Service<http::Request<Body>> for Chat {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let chat = self.clone();
        let method = request.uri().path().to_owned();
        let answering = async move {
            if method == "/chat.Chat/Think" {
                std::future::pending::<()>().await;
            }
            let service = service_fn(move |_: Request<Bytes>| {
                let messages = chat.messages(&method);
                async { messages.map(Response::new) }
            });
            Ok(Server::new(Plain).server_streaming(service, request).await)
        };
        answering.boxed()
    }
}

/// Starts a server whose sessions this tracer records, and a channel to it.
async fn serve(tracer: &HoneyHiveTracer) -> (AbortOnDrop, Channel) {
    serve_behind(HoneyHiveLayer::new(tracer.clone()), tracer).await
}

async fn serve_behind(layer: HoneyHiveLayer, tracer: &HoneyHiveTracer) -> (AbortOnDrop, Channel) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder()
        .layer(layer)
        .add_service(Chat(tracer.clone()));
    let serving = tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    let channel = channel.connect().await.unwrap();
    (AbortOnDrop(serving.abort_handle()), channel)
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Calls a method and returns how the call ended, for the client and in its session.
async fn ask(method: &'static str) -> (Result<String, Status>, CapturedSession) {
    let (tracer, captured) = tracer();
    let (_serving, channel) = serve(&tracer).await;
    let answer = say(channel, method).await;
    (answer, captured.only_session())
}

async fn say<C>(channel: C, method: &'static str) -> Result<String, Status>
where
    C: Service<http::Request<Body>, Response = http::Response<Body>>,
    C::Error: std::error::Error + Send + Sync + 'static,
{
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static(method);
    let asked = Request::new(Bytes::from_static(b"why?"));
    let request = client.server_streaming(asked, path, Plain);
    let mut messages = request.await?.into_inner();
    let mut said = String::new();
    while let Some(message) = messages.message().await? {
        said.push_str(std::str::from_utf8(&message).unwrap());
    }
    Ok(said)
}

fn assert_ended(session: &CapturedSession, grpc_status: i32, error: Option<&str>) {
    assert_eq!(session.outputs["grpc_status"], grpc_status, "{session:#?}");
    assert_eq!(session.outputs["status_code"], 200, "{session:#?}");
    assert_eq!(session.metadata["outcome"], "complete", "{session:#?}");
    assert_eq!(session.error.as_deref(), error, "{session:#?}");
    assert_eq!(session.event("model").event_type, "tool");
}

#[tokio::test]
async fn a_status_in_the_trailers_is_recorded() {
    let (answer, session) = ask("/chat.Chat/Say").await;
    assert_eq!(answer.unwrap(), "forty-two");
    assert_eq!(session.name.as_deref(), Some("POST /chat.Chat/Say"));
    assert_ended(&session, 0, None);
}

#[tokio::test]
async fn a_failure_after_the_first_message_is_recorded() {
    let (answer, session) = ask("/chat.Chat/Break").await;
    assert_eq!(answer.unwrap_err().code(), Code::Unavailable);
    assert_ended(&session, 14, Some("gRPC status 14"));
}

#[tokio::test]
async fn a_status_in_the_head_is_recorded() {
    let (answer, session) = ask("/chat.Chat/Refuse").await;
    assert_eq!(answer.unwrap_err().message(), "no model");
    assert_ended(&session, 13, Some("gRPC status 13"));
}

#[tokio::test]
async fn a_status_that_is_the_clients_doing_is_no_error() {
    let (answer, session) = ask("/chat.Chat/Find").await;
    assert_eq!(answer.unwrap_err().code(), Code::NotFound);
    assert_ended(&session, 5, None);
}

/// tonic keeps the time outside every layer of its server.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_passes_is_recorded_as_a_client_that_leaves() {
    let (tracer, captured) = tracer();
    let (_serving, channel) = serve(&tracer).await;
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let mut asked = Request::new(Bytes::from_static(b"why?"));
    asked.set_timeout(Duration::from_millis(50));
    let path = PathAndQuery::from_static("/chat.Chat/Think");
    let answer = client.server_streaming(asked, path, Plain).await;
    assert_eq!(answer.unwrap_err().code(), Code::Cancelled);

    let session = captured.wait_for_end("POST /chat.Chat/Think");
    assert_eq!(session.metadata["outcome"], "client_disconnected");
    assert_eq!(session.outputs["status_code"], 499);
}

#[tokio::test]
async fn an_end_in_the_trailers_or_in_the_head_is_held_back_until_it_is_delivered() {
    for method in ["/chat.Chat/Say", "/chat.Chat/Break", "/chat.Chat/Refuse"] {
        let honeyhive = harness::honeyhive().await;
        let tracer = harness::tracer(&honeyhive.url());
        let layer = HoneyHiveLayer::builder(tracer.clone()).hold_end(PATIENCE);
        let (_serving, channel) = serve_behind(layer.build().unwrap(), &tracer).await;
        let answer = say(channel, method).await;
        assert_eq!(answer.is_ok(), method == "/chat.Chat/Say", "{answer:?}");
        assert_eq!(tracer.stats().pending, 0, "{method}");
        let sessions = honeyhive.sessions();
        assert!(harness::has_ended(&sessions[0]), "{sessions:#?}");
        assert_eq!(sessions[0].event_count, 1, "{method}");
    }
}

#[tokio::test]
async fn a_callers_session_goes_along_with_a_channel_that_is_trusted_with_it() {
    for goes_along in [true, false] {
        let (tracer, captured) = tracer();
        let (_serving, channel) = serve(&tracer).await;
        let layer = match goes_along {
            true => PropagateLayer::always(),
            false => PropagateLayer::to(["elsewhere.internal"]),
        };
        let caller = tracer.create_session("caller");
        let answer = caller.scope(say(layer.layer(channel), "/chat.Chat/Say"));
        assert_eq!(answer.await.unwrap(), "forty-two");
        let sessions = captured.sessions().len();
        assert_eq!(sessions, if goes_along { 1 } else { 2 });
        let of_caller = captured.session(caller.id()).unwrap();
        // The events are the span of the request, and the one within it.
        assert_eq!(of_caller.events.len(), if goes_along { 2 } else { 0 });
    }
}
