//! The benches measure the cost of a request through a whole axum router or actix-web app, of a call of a traced
//! function, and of recording a model's stream: bare, and under HoneyHive.
//!
//! `peers` beside this crate measures other libraries' layers and middleware with the same router and app.

pub mod actix_app;
pub mod axum_app;
mod budget;
pub mod command;
mod model_calls;
mod timing;
mod traced;

use honeyhive::http::{ServerInstrumentation, ServerInstrumentationBuilder};
use honeyhive::{HoneyHiveTracer, HoneyHiveTracerBuilder};

/// Requests have this body, and answers the one below.
const BODY: &str = r#"{"message":"hello there!"}"#;
const REPLY: &str = r#"{"reply":"hello","session_id":"none"}"#;

/// `Work` makes so many requests (or calls).
pub type Work = Box<dyn FnMut(u32)>;

/// Returns the names of all variants. Those with the same beginning, up to the first `_`, are alike but for what is
/// measured, and the first of them is bare.
pub fn variants() -> impl Iterator<Item = &'static str> {
    axum_app::VARIANTS
        .into_iter()
        .chain(actix_app::VARIANTS)
        .chain(budget::VARIANTS)
        .chain(traced::VARIANTS)
        .chain(model_calls::VARIANTS)
}

/// Returns the work of a variant; `None` where there is no such one.
#[must_use]
pub fn find(variant: &str) -> Option<Work> {
    axum_app::find(variant)
        .or_else(|| actix_app::find(variant))
        .or_else(|| budget::find(variant))
        .or_else(|| traced::find(variant))
        .or_else(|| model_calls::find(variant))
}

/// Returns a tracer in test mode: everything is recorded and merged, and nothing leaves the process. With `HH_API_URL`
/// everything is sent to that address.
#[expect(
    clippy::expect_used,
    reason = "a measurement that cannot begin should say so"
)]
fn tracer_with(
    set: impl FnOnce(HoneyHiveTracerBuilder) -> HoneyHiveTracerBuilder,
) -> HoneyHiveTracer {
    let is_test = std::env::var_os("HH_API_URL").is_none();
    let builder = HoneyHiveTracer::builder().api_key("hh_bench");
    set(builder.test_mode(is_test))
        .build()
        .expect("a tracer with a key needs nothing but a thread")
}

fn tracer() -> HoneyHiveTracer {
    tracer_with(|builder| builder)
}

#[expect(
    clippy::expect_used,
    reason = "a measurement that cannot begin should say so"
)]
fn instrumentation(
    set: impl FnOnce(ServerInstrumentationBuilder) -> ServerInstrumentationBuilder,
) -> ServerInstrumentation {
    set(ServerInstrumentation::builder(tracer()))
        .build()
        .expect("nothing about it can be wrong")
}

/// Returns the instrumentation with a span around every request.
fn with_span() -> ServerInstrumentation {
    instrumentation(|it| it.request_span(true))
}

/// Leaves every request alone.
fn filtered() -> ServerInstrumentation {
    instrumentation(|it| it.filter(|_| false))
}
