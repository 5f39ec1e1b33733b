//! Each peer's layers wrap the router of `honeyhive-benches`, applied as their documentation shows.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum_tracing_opentelemetry::middleware::{OtelAxumLayer, OtelInResponseLayer};
use honeyhive_benches::{Work, axum_app};
use opentelemetry_instrumentation_tower::http::server;
use sentry_tower::{NewSentryLayer, SentryHttpLayer};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::{DefaultMakeSpan, DefaultOnRequest, DefaultOnResponse, TraceLayer};
use tracing::Level;

use crate::sinks;

pub(crate) const VARIANTS: [&str; 6] = [
    "axum_request_id",
    "axum_trace_layer",
    "axum_trace_layer_info",
    "axum_otel_tower",
    "axum_tracing_otel",
    "axum_sentry",
];

pub(crate) fn find(variant: &str) -> Option<Work> {
    let app = axum_app::app();
    Some(axum_app::work(match variant {
        "axum_request_id" => app
            .layer(PropagateRequestIdLayer::x_request_id())
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid)),
        "axum_trace_layer" => app.layer(TraceLayer::new_for_http()),
        "axum_trace_layer_info" => logged(app),
        "axum_otel_tower" => {
            sinks::opentelemetry();
            app.layer(server::Layer::new())
        }
        "axum_tracing_otel" => {
            sinks::tracing_to_opentelemetry();
            app.layer(OtelInResponseLayer)
                .layer(OtelAxumLayer::default())
        }
        "axum_sentry" => {
            sinks::sentry();
            app.layer(SentryHttpLayer::new().enable_transaction())
                .layer(NewSentryLayer::<Request<Body>>::new_from_top())
        }
        _ => return None,
    }))
}

/// Adds the log layer at the level at which it writes anything.
fn logged(app: Router) -> Router {
    sinks::tracing_to_text();
    let layer = TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_request(DefaultOnRequest::new().level(Level::INFO))
        .on_response(DefaultOnResponse::new().level(Level::INFO));
    app.layer(layer)
}
