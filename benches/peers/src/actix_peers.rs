//! Each peer's middleware wraps the app of `honeyhive-benches`.

use honeyhive_benches::{Work, actix_app};
use opentelemetry_instrumentation_actix_web::RequestTracing;
use sentry_actix::Sentry;
use tracing_actix_web::TracingLogger;

use crate::sinks;

pub(crate) const VARIANTS: [&str; 3] = ["actix_otel", "actix_tracing_logger", "actix_sentry"];

pub(crate) fn find(variant: &str) -> Option<Work> {
    Some(match variant {
        "actix_otel" => {
            sinks::opentelemetry();
            actix_app::work(actix_app::app().wrap(RequestTracing::new()))
        }
        "actix_tracing_logger" => {
            sinks::tracing_to_opentelemetry();
            actix_app::work(actix_app::app().wrap(TracingLogger::default()))
        }
        "actix_sentry" => {
            sinks::sentry();
            let middleware = Sentry::builder().start_transaction(true).finish();
            actix_app::work(actix_app::app().wrap(middleware))
        }
        _ => return None,
    })
}
