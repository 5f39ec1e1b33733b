//! The route takes ratings of answers by people.

use actix_web::http::StatusCode;
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse, Route};
use honeyhive::feedback::{FeedbackAnswer, FeedbackEndpoint};
use honeyhive::http::RequestInfo;

use crate::headers::View;

/// Returns the route that takes ratings, comments and tags for sessions and events, at any path: see
/// [`honeyhive::feedback`] for the requests and the answers.
///
/// ```
/// use actix_web::App;
/// use honeyhive::HoneyHiveTracer;
/// use honeyhive_actix::{HoneyHive, feedback};
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// // A rating is no session of its own.
/// let middleware = HoneyHive::builder(tracer.clone())
///     .skip(|request| request.path() == "/feedback")
///     .build()?;
/// let app = App::new()
///     .wrap(middleware)
///     .route("/feedback", feedback(tracer));
/// # drop(app);
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
///
/// `feedback` takes a tracer, or a [`FeedbackEndpoint`] with settings. An application that is made anew for each worker
/// is given clones of one endpoint, or the limit a minute is one of each worker.
pub fn feedback(endpoint: impl Into<FeedbackEndpoint>) -> Route {
    let endpoint = endpoint.into();
    web::route().to(move |request: HttpRequest, payload: Payload| {
        let endpoint = endpoint.clone();
        async move { response(answer(&endpoint, &request, payload).await) }
    })
}

async fn answer(
    endpoint: &FeedbackEndpoint,
    request: &HttpRequest,
    payload: Payload,
) -> FeedbackAnswer {
    let headers = View(request.headers());
    let info = RequestInfo::new(request.method().as_str(), request.path(), &headers);
    let endpoint = match endpoint.check(&info) {
        Ok(endpoint) => endpoint,
        Err(refusal) => return refusal,
    };
    match payload.to_bytes_limited(FeedbackEndpoint::MOST_BYTES).await {
        Ok(Ok(body)) => endpoint.receive(&body),
        Ok(Err(_)) => FeedbackAnswer::unreadable(),
        Err(_) => FeedbackAnswer::too_large(),
    }
}

fn response(answer: FeedbackAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status_code()).unwrap_or_default();
    let mut response = HttpResponse::build(status);
    for header in answer.headers() {
        response.insert_header(header);
    }
    response.body(answer.into_body().into_owned())
}
