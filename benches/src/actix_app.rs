//! The same actix-web app runs bare and under each middleware.

use actix_http::Request;
use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::ContentType;
use actix_web::middleware::Identity;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, HttpResponse, web};
use honeyhive::HoneyHiveTracer;
use honeyhive_actix::HoneyHive;

use crate::{BODY, REPLY, Work, filtered, tracer, with_span};

/// The variants have these names.
pub(crate) const VARIANTS: [&str; 6] = [
    "actix_bare",
    "actix_noop_wrap",
    "actix_honeyhive",
    "actix_honeyhive_span",
    "actix_honeyhive_filtered",
    "actix_honeyhive_disabled",
];

async fn chat(body: web::Bytes) -> HttpResponse {
    assert!(!body.is_empty(), "the request has a body");
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(REPLY)
}

/// Returns the app that every variant wraps.
pub fn app() -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    >,
> {
    App::new().route("/api/chat", web::post().to(chat))
}

/// Returns the work of a variant; `None` where none has this name.
pub(crate) fn find(variant: &str) -> Option<Work> {
    Some(match variant {
        "actix_bare" => work(app()),
        "actix_noop_wrap" => work(app().wrap(Identity::default())),
        "actix_honeyhive" => work(app().wrap(HoneyHive::new(tracer()))),
        "actix_honeyhive_span" => work(app().wrap(HoneyHive::from(with_span()))),
        "actix_honeyhive_filtered" => work(app().wrap(HoneyHive::from(filtered()))),
        "actix_honeyhive_disabled" => work(app().wrap(HoneyHive::new(HoneyHiveTracer::disabled()))),
        _ => return None,
    })
}

/// Sends requests to an app.
#[expect(
    clippy::expect_used,
    reason = "a measurement that cannot begin should say so"
)]
pub fn work<T, B>(app: App<T>) -> Work
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let runtime = actix_web::rt::Runtime::new().expect("a runtime");
    let app = runtime.block_on(init_service(app));
    Box::new(move |requests| runtime.block_on(drive(&app, requests)))
}

/// Sends requests and reads their answers to the end.
#[expect(clippy::expect_used, reason = "nothing in here can fail")]
async fn drive<S, B>(app: &S, requests: u32)
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    for _ in 0..requests {
        let response = app.call(request()).await.expect("the handler succeeds");
        let body = to_bytes(response.into_body()).await;
        assert!(body.is_ok(), "the body is whole");
    }
}

fn request() -> Request {
    TestRequest::post()
        .uri("/api/chat")
        .insert_header(("host", "localhost:3000"))
        .insert_header(("user-agent", "bench/1.0"))
        .insert_header(("accept", "*/*"))
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-length", "26"))
        .insert_header(("accept-encoding", "gzip"))
        .set_payload(BODY)
        .to_request()
}
