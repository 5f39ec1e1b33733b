//! The adapter of `honeyhive-actix` serves with actix-web.

use std::sync::Arc;
use std::thread;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::error::ErrorBadGateway;
use actix_web::guard;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::rt::System;
use actix_web::web::{self, Bytes, Data, Json, Path, ServiceConfig};
use actix_web::{App as Actix, Error, HttpRequest, HttpResponse, HttpServer, ResponseError, Route};
use actix_ws::{Message, MessageStream};
use honeyhive::Session;
use honeyhive::http::ServerInstrumentation;
use honeyhive_actix::{CurrentSession, HoneyHive, feedback};
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::adapter::{Adapter, Running, Setup};
use crate::app::{App, Call, ENDPOINTS, Endpoint, Payload, REFUSAL_TEXT, Refusal, Reply};

/// Two workers are enough for requests to meet on one worker and to be spread over several.
const WORKERS: usize = 2;

/// `ActixWeb` serves the application with the `HoneyHive` middleware around it.
#[derive(Debug)]
pub struct ActixWeb;

impl Adapter for ActixWeb {
    const NAME: &'static str = "actix";

    async fn serve(setup: Setup) -> Running {
        let app = setup.app;
        let routed = move || {
            let app = Arc::clone(&app);
            Actix::new().configure(|config| routes(config, app))
        };
        // Each wrap is a type of its own, and the last one is the outermost.
        match setup.instrumentations.as_slice() {
            [] if setup.compressed => serve_app(move || routed().wrap(Compress::default())).await,
            [] => serve_app(routed).await,
            [only] if setup.compressed => {
                let only = around(only);
                serve_app(move || routed().wrap(only.clone()).wrap(Compress::default())).await
            }
            [only] => {
                let only = around(only);
                serve_app(move || routed().wrap(only.clone())).await
            }
            [outer, inner] => {
                let (outer, inner) = (around(outer), around(inner));
                serve_app(move || routed().wrap(inner.clone()).wrap(outer.clone())).await
            }
            several => panic!("two middlewares at the most, not {}", several.len()),
        }
    }
}

fn around(instrumentation: &ServerInstrumentation) -> HoneyHive {
    HoneyHive::from(instrumentation.clone())
}

/// Serves an application of any kind on a free port, from a thread of its own: actix-web's workers are
/// threads, too, each with a current-thread runtime.
pub async fn serve_app<F, T, B>(app: F) -> Running
where
    F: Fn() -> Actix<T> + Clone + Send + 'static,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let (started, starting) = oneshot::channel();
    let thread = thread::spawn(|| {
        System::new().block_on(async {
            let server = HttpServer::new(app)
                .workers(WORKERS)
                .disable_signals()
                // The setting makes a client that has left count as gone, and not as one that only sends no more.
                .h1_allow_half_closed(false)
                .bind_auto_h2c("127.0.0.1:0")
                .expect("a free port");
            let address = server.addrs()[0];
            let server = server.run();
            let _ = started.send((address, server.handle()));
            server.await.expect("the server runs");
        });
    });
    let (address, handle) = starting.await.expect("the server starts");
    let graceful = handle.clone();
    let gracefully = || {
        let stopping = async move {
            graceful.stop(true).await;
            let joined = spawn_blocking(|| thread.join()).await;
            joined.expect("it is waited for").expect("it ends well");
        };
        Box::pin(stopping) as _
    };
    Running::new(address, gracefully, move || drop(handle.stop(false)))
}

/// Registers the application's routes, without any HoneyHive middleware.
fn routes(config: &mut ServiceConfig, app: Arc<App>) {
    for endpoint in ENDPOINTS {
        with_endpoint(config, endpoint);
    }
    let feedback = feedback(app.feedback.clone());
    config
        .app_data(Data::from(app))
        .route("/feedback", feedback)
        .route("/json", web::post().to(json))
        .route("/strict", web::get().to(strict))
        .route("/ws", web::get().to(socket))
        .service(
            web::resource("/behind-a-failing-middleware")
                .wrap(from_fn(failing))
                .to(async || "never reached"),
        );
}

fn with_endpoint(config: &mut ServiceConfig, endpoint: &Endpoint) {
    let handler = endpoint.handler;
    let handle = move |app: Data<App>,
                       session: CurrentSession,
                       argument: Option<Path<String>>,
                       body: Bytes| async move {
        let call = Call {
            session: Some(session.into_inner()).filter(Session::is_recording),
            argument: argument.map(Path::into_inner).unwrap_or_default(),
            body,
        };
        handler(app.into_inner(), call).await.map(response)
    };
    let route = method(endpoint.method).to(handle);
    config.route(endpoint.route, route);
}

fn method(method: &str) -> Route {
    let method = method.parse().expect("a method");
    match method {
        Method::GET => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
        other => web::method(other),
    }
}

fn response(reply: Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).expect("a status");
    let mut response = HttpResponse::build(status);
    for header in reply.headers {
        response.append_header(header);
    }
    match reply.payload {
        Payload::Whole(bytes) => response.body(bytes),
        Payload::Stream(pieces) => response.streaming(pieces),
        Payload::Declared(length, pieces) => response.no_chunking(length).streaming(pieces),
        Payload::Counted(body) => response.body(body),
    }
}

/// A `Refusal` is answered with status 500, and its text.
impl ResponseError for Refusal {}

async fn json(_: Json<Map<String, Value>>) -> &'static str {
    "taken"
}

async fn strict(session: CurrentSession) -> String {
    session.id().to_string()
}

async fn socket(
    app: Data<App>,
    session: CurrentSession,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Error> {
    let (response, socket, messages) = actix_ws::handle(&request, body)?;
    actix_web::rt::spawn(converse(app, session, socket, messages));
    Ok(response)
}

async fn converse(
    app: Data<App>,
    session: CurrentSession,
    mut socket: actix_ws::Session,
    mut messages: MessageStream,
) {
    while let Some(Ok(Message::Text(text))) = messages.recv().await {
        let answer = app.on_message(&session, &text);
        if socket.text(answer).await.is_err() {
            return;
        }
    }
}

async fn failing(_: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    Err(ErrorBadGateway(REFUSAL_TEXT))
}
