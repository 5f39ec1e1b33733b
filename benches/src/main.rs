//! Sends requests through a whole axum router or actix-web app, or calls a traced function, to count what one
//! request or call costs.
//!
//! Usage: `honeyhive-benches VARIANT REQUESTS`, under a tool that counts instructions; a build with the
//! feature `allocations` prints the allocations a request. `benches/run` does it for all variants and
//! prints the table.

#![expect(
    clippy::print_stdout,
    reason = "a program that prints its measurements"
)]

mod actix_app;
mod axum_app;
mod traced;

use std::process::ExitCode;

use honeyhive::HoneyHiveTracer;
use honeyhive::http::ServerInstrumentation;

/// What a request sends, and what it gets.
const BODY: &str = r#"{"message":"hello there!"}"#;
const REPLY: &str = r#"{"reply":"hello","session_id":"none"}"#;

/// Allocations a request.
type Spent = f64;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let variant = arguments.next().unwrap_or_default();
    let requests = arguments
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1000);
    let spent = axum_app::run(&variant, requests)
        .or_else(|| actix_app::run(&variant, requests))
        .or_else(|| traced::run(&variant, requests));
    let Some(spent) = spent else {
        let variants = axum_app::VARIANTS
            .iter()
            .chain(&actix_app::VARIANTS)
            .chain(&traced::VARIANTS);
        variants.for_each(|variant| println!("{variant}"));
        return ExitCode::from(2);
    };
    println!("{spent:.1}");
    ExitCode::SUCCESS
}

/// Test mode: everything is recorded and merged, and nothing leaves the process.
#[expect(
    clippy::expect_used,
    reason = "a measurement that cannot begin should say so"
)]
fn tracer() -> HoneyHiveTracer {
    HoneyHiveTracer::builder()
        .test_mode(true)
        .build()
        .expect("a tracer in test mode needs nothing but a thread")
}

/// Leaves every request alone.
fn filtered() -> ServerInstrumentation {
    ServerInstrumentation::builder(tracer())
        .filter(|_| false)
        .build()
}

#[cfg(feature = "allocations")]
fn allocations(requests: u32, work: impl FnOnce()) -> Spent {
    allocation_counter::measure(work).count_total as f64 / f64::from(requests)
}

#[cfg(not(feature = "allocations"))]
fn allocations(_: u32, work: impl FnOnce()) -> Spent {
    work();
    0.0
}
