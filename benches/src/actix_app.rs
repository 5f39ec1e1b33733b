//! The same actix-web app, bare and under each middleware.

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::ContentType;
use actix_web::middleware::Identity;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, HttpResponse, web};
use honeyhive_actix::HoneyHive;

use crate::{BODY, REPLY, Spent, allocations, filtered, tracer};

/// What can be measured.
pub(crate) const VARIANTS: [&str; 4] = [
    "actix_bare",
    "actix_noop_wrap",
    "actix_honeyhive",
    "actix_honeyhive_filtered",
];

async fn chat(body: web::Bytes) -> HttpResponse {
    assert!(!body.is_empty(), "the request has a body");
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(REPLY)
}

/// Runs a variant; `None` where there is no such one.
pub(crate) fn run(variant: &str, requests: u32) -> Option<Spent> {
    let runtime = actix_web::rt::Runtime::new().ok()?;
    let app = App::new().route("/api/chat", web::post().to(chat));
    Some(match variant {
        "actix_bare" => {
            let app = runtime.block_on(init_service(app));
            measure(&runtime, &app, requests)
        }
        "actix_noop_wrap" => {
            let app = runtime.block_on(init_service(app.wrap(Identity::default())));
            measure(&runtime, &app, requests)
        }
        "actix_honeyhive" => {
            let app = runtime.block_on(init_service(app.wrap(HoneyHive::new(tracer()))));
            measure(&runtime, &app, requests)
        }
        "actix_honeyhive_filtered" => {
            let app = runtime.block_on(init_service(app.wrap(HoneyHive::from(filtered()))));
            measure(&runtime, &app, requests)
        }
        _ => return None,
    })
}

fn measure<S, B>(runtime: &actix_web::rt::Runtime, app: &S, requests: u32) -> Spent
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    runtime.block_on(drive(app, 200));
    allocations(requests, || runtime.block_on(drive(app, requests)))
}

/// Sends requests and reads their answers to the end.
#[expect(clippy::expect_used, reason = "nothing in here can fail")]
async fn drive<S, B>(app: &S, requests: u32)
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    for _ in 0..requests {
        let response = app.call(request()).await.expect("the handler succeeds");
        let body = to_bytes(response.into_body()).await;
        assert!(body.is_ok(), "the body is whole");
    }
}

fn request() -> actix_http::Request {
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
