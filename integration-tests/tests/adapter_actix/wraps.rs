//! `HoneyHive` works at every place where actix-web takes a middleware, and among other middlewares.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong here should stop the test"
)]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorConflict;
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, NormalizePath, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, Error, FromRequest, HttpRequest, HttpResponse, ResponseError};
use honeyhive::HoneyHiveTracer;
use honeyhive::testing::{CapturedSession, tracer};
use honeyhive_actix::{CurrentSession, HoneyHive};
use integration_tests::actix::serve_app;
use integration_tests::adapter::Running;
use integration_tests::app::{Caused, Refusal};
use integration_tests::client::{Answer, Client};

use crate::support::serve;

async fn id(session: CurrentSession) -> String {
    if session.is_recording() {
        session.id().to_string()
    } else {
        "none".to_owned()
    }
}

async fn strict(session: CurrentSession) -> String {
    session.id().to_string()
}

async fn get(running: &Running, path: &str) -> Answer {
    let client = Client::new(running.address);
    client.request("GET", path).send().await
}

#[track_caller]
fn assert_untraced(answer: &Answer) {
    let seen = (answer.text(), answer.header("x-session-id"));
    assert_eq!(seen, ("none", None));
}

#[track_caller]
fn assert_traced(answer: &Answer, session: &CapturedSession, name: &str) {
    assert_eq!(session.name.as_deref(), Some(name));
    assert_eq!(answer.text(), session.id.to_string());
    assert_eq!(answer.session_id(), session.id);
}

#[tokio::test]
async fn a_wrap_of_the_app_covers_routes_and_the_default_service() {
    for (path, name) in [("/chat/7", "GET /chat/{id}"), ("/else/7", "GET /else/7")] {
        let (running, captured) = serve(|config| {
            config
                .route("/chat/{id}", web::get().to(id))
                .default_service(web::to(id));
        })
        .await;
        let answer = get(&running, path).await;
        assert_traced(&answer, &captured.only_session(), name);
    }
}

/// Configures a scope in a scope, with a default service, and a route beside them.
fn nested(tracer: &HoneyHiveTracer) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let inner = web::scope("/v/{version}")
        .wrap(HoneyHive::new(tracer.clone()))
        .route("/chat/{id}", web::get().to(id))
        .default_service(web::to(id));
    move |config| {
        let scope = web::scope("/api").route("/beside", web::get().to(id));
        config.service(scope.service(inner));
    }
}

#[tokio::test]
async fn a_wrap_of_a_scope_covers_its_routes_and_nothing_beside_them() {
    let (tracer, captured) = tracer();
    let running = serve_app(move || {
        let app = App::new().configure(nested(&tracer));
        app.default_service(web::to(id))
    })
    .await;
    for path in ["/api/beside", "/else", "/api/else"] {
        assert_untraced(&get(&running, path).await);
    }
    let routed = get(&running, "/api/v/2/chat/7").await;
    let session = captured.only_session();
    assert_traced(&routed, &session, "GET /api/v/{version}/chat/{id}");
    assert_eq!(session.inputs["path"], "/api/v/2/chat/7");
}

#[tokio::test]
async fn the_default_service_of_a_wrapped_scope_is_named_by_its_path() {
    let (tracer, captured) = tracer();
    let running = serve_app(move || App::new().configure(nested(&tracer))).await;
    let answer = get(&running, "/api/v/2/else").await;
    assert_traced(&answer, &captured.only_session(), "GET /api/v/2/else");
}

#[tokio::test]
async fn a_wrap_of_a_resource_covers_its_methods_and_nothing_else() {
    let (tracer, captured) = tracer();
    let running = serve_app(move || {
        let wrapped = web::resource("/chat/{id}")
            .wrap(HoneyHive::new(tracer.clone()))
            .route(web::get().to(id));
        App::new().service(wrapped).route("/else", web::to(id))
    })
    .await;
    assert_untraced(&get(&running, "/else").await);
    let client = Client::new(running.address);
    let refused = client.request("DELETE", "/chat/7").send().await;
    assert_eq!(refused.status, 405);
    let session = captured.only_session();
    assert_eq!(session.name.as_deref(), Some("DELETE /chat/{id}"));
    assert_eq!(session.outputs["status_code"], 405);
    assert_eq!(refused.session_id(), session.id);

    let routed = get(&running, "/chat/7").await;
    let session = captured.session(routed.session_id()).unwrap();
    assert_traced(&routed, &session, "GET /chat/{id}");
}

#[tokio::test]
async fn wraps_of_one_tracer_at_several_places_are_one_session() {
    let (tracer, captured) = tracer();
    let honeyhive = HoneyHive::new(tracer.clone());
    let running = serve_app(move || {
        let resource = web::resource("/chat/{id}").wrap(honeyhive.clone());
        let scope = web::scope("/api").wrap(honeyhive.clone());
        App::new()
            .service(scope.service(resource.route(web::get().to(strict))))
            .wrap(honeyhive.clone())
            .wrap(honeyhive.clone())
    })
    .await;
    let answer = get(&running, "/api/chat/7").await;
    let session = captured.only_session();
    assert_traced(&answer, &session, "GET /api/chat/{id}");
    assert_eq!(session.metadata["outcome"], "complete");
    assert_eq!(tracer.stats().accepted, 2, "one start and one end");
}

#[tokio::test]
async fn what_a_middleware_does_to_the_path_further_in_is_not_what_the_client_asked_for() {
    let (tracer, captured) = tracer();
    let running = serve_app(move || {
        App::new()
            .wrap(NormalizePath::trim())
            .wrap(HoneyHive::new(tracer.clone()))
            .route("/chat", web::get().to(id))
    })
    .await;
    let answer = get(&running, "/chat/").await;
    let session = captured.only_session();
    assert_eq!(answer.text(), session.id.to_string());
    assert_eq!(session.inputs["path"], "/chat/");
}

/// The session's name is the route that was taken, whether a literal one or one with a parameter stands first.
#[tokio::test]
async fn the_name_is_that_of_the_route_that_was_taken_whatever_stands_first() {
    let (running, captured) = serve(|config| {
        config
            .route("/gadgets/list", web::get().to(id))
            .route("/gadgets/{id}", web::post().to(id))
            .route("/{kind}/all/{tail:.*}", web::delete().to(id))
            .service(
                web::scope("/{kind}")
                    .route("/all/{page}", web::put().to(id))
                    .route("/all/{page:\\d{1,3}}", web::patch().to(id)),
            );
    })
    .await;
    let client = Client::new(running.address);
    for (method, path, name) in [
        ("POST", "/gadgets/list", "POST /gadgets/{id}"),
        ("GET", "/gadgets/list", "GET /gadgets/list"),
        ("POST", "/gadgets/7", "POST /gadgets/{id}"),
        ("PUT", "/gadgets/all/2", "PUT /{kind}/all/{page}"),
        (
            "PATCH",
            "/gadgets/all/2",
            "PATCH /{kind}/all/{page:\\d{1,3}}",
        ),
        ("DELETE", "/gadgets/all/2/3", "DELETE /{kind}/all/{tail:.*}"),
    ] {
        for _ in 0..2 {
            let answer = client.request(method, path).send().await;
            let session = captured.session(answer.session_id()).unwrap();
            assert_eq!(session.name.as_deref(), Some(name), "{path}");
        }
    }
}

#[tokio::test]
async fn a_name_of_the_programs_own_sees_the_route_that_was_taken() {
    let (tracer, captured) = tracer();
    let running = serve_app(move || {
        let honeyhive = HoneyHive::builder(tracer.clone())
            .request_span(true)
            .session_name(|request| request.route().unwrap_or("none").to_owned())
            .build();
        App::new()
            .wrap(honeyhive.unwrap())
            .route("/widgets/{id}", web::get().to(id))
            .route("/widgets/action", web::post().to(id))
    })
    .await;
    let client = Client::new(running.address);
    client.request("POST", "/widgets/action").send().await;
    captured
        .only_session()
        .assert_tree("/widgets/action\n  /widgets/action [chain]");
}

/// A `Trouble` is an error that knows its status and counts the responses that are made of it.
#[derive(Debug, Clone)]
struct Trouble {
    status: StatusCode,
    responses: Arc<AtomicUsize>,
}

impl Trouble {
    fn new(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap(),
            responses: Arc::default(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the model is in trouble")
    }
}

impl ResponseError for Trouble {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.responses.fetch_add(1, Ordering::Relaxed);
        HttpResponse::build(self.status).body(self.to_string())
    }
}

async fn raise(trouble: web::Data<Trouble>) -> Result<HttpResponse, Trouble> {
    Err(trouble.get_ref().clone())
}

async fn raise_before(request: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let trouble: &web::Data<Trouble> = request.app_data().unwrap();
    Err(trouble.get_ref().clone().into())
}

/// Asks a server in which `/handler` fails in its handler, and `/middleware` in a middleware further in than ours.
async fn ask_for_trouble(path: &str, status: u16) -> (Answer, CapturedSession) {
    let (tracer, captured) = tracer();
    let trouble = Trouble::new(status);
    let responses = Arc::clone(&trouble.responses);
    let running = serve_app(move || {
        let behind = web::resource("/middleware").wrap(from_fn(raise_before));
        App::new()
            .app_data(web::Data::new(trouble.clone()))
            .route("/handler", web::get().to(raise))
            .service(behind.to(strict))
            .wrap(HoneyHive::new(tracer.clone()))
    })
    .await;
    let answer = get(&running, path).await;
    assert_eq!(responses.load(Ordering::Relaxed), 1, "no second response");
    (answer, captured.only_session())
}

fn boxed() -> Error {
    let boxed: Box<dyn std::error::Error> = Caused(Refusal("the model is gone")).into();
    boxed.into()
}

async fn raise_boxed(_: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    Err(boxed())
}

async fn answer_boxed() -> Result<HttpResponse, Error> {
    Err(boxed())
}

#[tokio::test]
async fn an_error_in_a_box_is_recorded_with_every_cause() {
    let (tracer, captured) = tracer();
    let running = serve_app(move || {
        let behind = web::resource("/middleware").wrap(from_fn(raise_boxed));
        App::new()
            .route("/handler", web::get().to(answer_boxed))
            .service(behind.to(strict))
            .wrap(HoneyHive::new(tracer.clone()))
    })
    .await;
    for path in ["/handler", "/middleware"] {
        let answer = get(&running, path).await;
        assert_eq!((answer.status, answer.text()), (500, "no more tokens"));
    }
    let sessions = captured.sessions();
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        let told = session.error.as_deref();
        assert_eq!(
            told,
            Some("no more tokens: the model is gone"),
            "{session:#?}"
        );
    }
}

#[tokio::test]
async fn an_error_that_is_the_clients_is_complete_with_its_status() {
    for path in ["/handler", "/middleware"] {
        let (answer, session) = ask_for_trouble(path, 409).await;
        assert_eq!(
            (answer.status, answer.text()),
            (409, "the model is in trouble")
        );
        assert_eq!(session.outputs["status_code"], 409);
        assert_eq!(session.metadata["outcome"], "complete");
        assert_eq!(session.error, None, "{path}");
    }
}

#[tokio::test]
async fn an_error_that_is_the_servers_is_told_with_its_status() {
    for (path, outcome, error) in [
        ("/handler", "complete", "the model is in trouble"),
        ("/middleware", "error", "the model is in trouble"),
    ] {
        let (answer, session) = ask_for_trouble(path, 503).await;
        assert_eq!(
            (answer.status, answer.text()),
            (503, "the model is in trouble")
        );
        assert_eq!(session.outputs["status_code"], 503);
        assert_eq!(session.metadata["outcome"], outcome);
        assert_eq!(session.error.as_deref(), Some(error), "{path}");
        // actix-web makes the response to a middleware's error further out than ours.
        let is_named = answer.header("x-session-id").is_some();
        assert_eq!(is_named, path == "/handler");
    }
}

#[tokio::test]
async fn an_error_of_a_middleware_further_out_changes_nothing_of_what_is_recorded() {
    async fn fail_after(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse, Error> {
        drop(next.call(request).await?);
        Err(ErrorConflict("too late"))
    }

    let (tracer, captured) = tracer();
    let running = serve_app(move || {
        App::new()
            .wrap(HoneyHive::new(tracer.clone()))
            .wrap(from_fn(fail_after))
            .route("/", web::get().to(id))
    })
    .await;
    let answer = get(&running, "/").await;
    assert_eq!((answer.status, answer.text()), (409, "too late"));
    let session = captured.only_session();
    assert_eq!(session.outputs["status_code"], 200);
    assert_eq!(session.metadata["outcome"], "client_disconnected");
}

async fn panic_with_text() -> &'static str {
    panic!("out of {}", "tokens")
}

async fn panic_with_a_number() -> &'static str {
    std::panic::panic_any(42)
}

#[tokio::test]
async fn a_panic_is_recorded_whatever_its_payload() {
    for (path, error) in [
        ("/text", "panicked: out of tokens"),
        ("/number", "panicked: (no message)"),
    ] {
        let (running, captured) = serve(|config| {
            config
                .route("/text", web::get().to(panic_with_text))
                .route("/number", web::get().to(panic_with_a_number));
        })
        .await;
        let client = Client::new(running.address);
        let attempt = client.request("GET", path).attempt().await;
        assert!(attempt.is_err(), "nobody catches it: {attempt:?}");
        let session = captured.only_session();
        assert_eq!(session.metadata["outcome"], "panicked");
        assert_eq!(session.outputs["status_code"], 500);
        assert_eq!(session.error.as_deref(), Some(error));
    }
}

#[tokio::test]
async fn a_request_can_be_asked_for_its_session_by_hand() {
    async fn by_hand(request: HttpRequest) -> Result<String, Error> {
        tokio::task::yield_now().await;
        let session = CurrentSession::extract(&request).await?;
        Ok(session.id().to_string())
    }

    let (running, captured) = serve(|config| {
        config.route("/", web::get().to(by_hand));
    })
    .await;
    let answer = get(&running, "/").await;
    assert_traced(&answer, &captured.only_session(), "GET /");
}
