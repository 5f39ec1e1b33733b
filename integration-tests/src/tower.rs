//! The adapter of `honeyhive-tower` serves with axum.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, Route, get, on, post};
use axum::{Json, Router};
use bytes::Bytes;
use honeyhive_tower::{CurrentSession, HoneyHiveLayer, feedback_routes};
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::ServiceBuilder;
use tower::layer::layer_fn;
use tower_http::compression::CompressionLayer;
use tower_service::Service;

use crate::adapter::{Adapter, Running, Setup};
use crate::app::{App, Call, ENDPOINTS, Endpoint, Payload, REFUSAL_TEXT, Refusal, Reply};

/// `Tower` serves with axum, with `HoneyHiveLayer` around the router.
#[derive(Debug)]
pub struct Tower;

impl Adapter for Tower {
    const NAME: &'static str = "tower";

    async fn serve(setup: Setup) -> Running {
        let layers = setup.instrumentations.into_iter().map(HoneyHiveLayer::from);
        let router = layers.rev().fold(router(setup.app), Router::layer);
        serve_router(match setup.compressed {
            true => router.layer(CompressionLayer::new()),
            false => router,
        })
        .await
    }
}

/// Serves a router of any kind on a free port.
pub async fn serve_router(router: Router) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async {
        // A dropped sender counts as the signal, too.
        let _ = stopped.await;
    });
    let task = tokio::spawn(async { serving.await.expect("the server runs") });
    let handle = task.abort_handle();
    let gracefully = || {
        let stopping = async {
            drop(stop);
            task.await.expect("the server ends well");
        };
        Box::pin(stopping) as _
    };
    Running::new(address, gracefully, move || handle.abort())
}

/// Returns the application, without any HoneyHive layer.
fn router(app: Arc<App>) -> Router {
    ENDPOINTS
        .iter()
        .fold(Router::new(), with_endpoint)
        .route("/json", post(json))
        .route("/strict", get(strict))
        .route(
            "/behind-a-failing-middleware",
            behind_a_failing_middleware(),
        )
        .route("/ws", get(socket))
        .route_service("/feedback", feedback_routes(app.feedback.clone()))
        .with_state(app)
}

fn with_endpoint(router: Router<Arc<App>>, endpoint: &Endpoint) -> Router<Arc<App>> {
    let handler = endpoint.handler;
    let handle = async move |State(app): State<Arc<App>>,
                             session: Option<CurrentSession>,
                             argument: Option<Path<String>>,
                             body: Bytes| {
        let call = Call {
            session: session.map(CurrentSession::into_inner),
            argument: argument.map(|Path(argument)| argument).unwrap_or_default(),
            body,
        };
        handler(app, call).await.map(Answer)
    };
    router.route(endpoint.route, on(filter(endpoint.method), handle))
}

fn filter(method: &str) -> MethodFilter {
    let method: Method = method.parse().expect("a method");
    method.try_into().expect("a method that axum routes")
}

/// An `Answer` is a reply as axum's response.
struct Answer(Reply);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = bare(self.0.payload);
        *response.status_mut() = StatusCode::from_u16(self.0.status).expect("a status");
        for (name, value) in self.0.headers {
            let value = HeaderValue::try_from(value).expect("a header's value");
            response.headers_mut().append(name, value);
        }
        response
    }
}

fn bare(payload: Payload) -> Response {
    match payload {
        Payload::Whole(bytes) => Response::new(Body::from(bytes)),
        Payload::Stream(pieces) => Response::new(Body::from_stream(pieces)),
        Payload::Declared(length, pieces) => {
            let mut response = Response::new(Body::from_stream(pieces));
            let headers = response.headers_mut();
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            response
        }
        Payload::Counted(body) => Response::new(Body::new(body)),
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0).into_response()
    }
}

async fn json(Json(_): Json<Map<String, Value>>) -> &'static str {
    "taken"
}

async fn strict(session: CurrentSession) -> String {
    session.id().to_string()
}

async fn socket(
    State(app): State<Arc<App>>,
    session: CurrentSession,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(|socket| converse(app, session, socket))
}

async fn converse(app: Arc<App>, session: CurrentSession, mut socket: WebSocket) {
    while let Some(Ok(Message::Text(text))) = socket.recv().await {
        let answer = app.on_message(&session, &text);
        if socket.send(Message::text(answer)).await.is_err() {
            return;
        }
    }
}

/// Returns a route behind a tower middleware with an error type of its own, which axum asks to be made a response.
fn behind_a_failing_middleware() -> MethodRouter<Arc<App>> {
    let failing = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(async |refusal: Refusal| {
            (StatusCode::BAD_GATEWAY, refusal.0)
        }))
        .layer(layer_fn(|_: Route| Failing));
    get(async || "never reached").layer(failing)
}

#[derive(Clone, Copy)]
struct Failing;

impl<B> Service<Request<B>> for Failing {
    type Response = Response;
    type Error = Refusal;
    type Future = Ready<Result<Response, Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Err(Refusal(REFUSAL_TEXT)))
    }
}
