//! Runs the script.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::process::ExitCode;

use example_telemetry::{Telemetry, TelemetryError};
use honeyhive::HoneyHiveTracer;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("script: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), TelemetryError> {
    let settings = HoneyHiveTracer::builder().session_name("local-dev-session");
    let telemetry = Telemetry::start_with(settings)?;
    println!("{telemetry}");

    let results = script::run(&telemetry.tracer());
    println!("results: {results:?}");

    if let Some(loss) = telemetry.shut_down() {
        eprintln!("script: {loss}");
    }
    print!("{}", telemetry.trees());
    Ok(())
}
