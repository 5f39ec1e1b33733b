//! The program is the function on Lambda; anywhere else it runs the function with all that it needs around it.

#![expect(clippy::print_stderr, reason = "a program talks to its user")]

use std::env;
use std::io::stdout;
use std::process::ExitCode;

use lambda_example::{Way, machine, run};
use lambda_runtime::Error;
use tracing_subscriber::filter::LevelFilter;

#[tokio::main]
async fn main() -> ExitCode {
    log_to_stderr();
    let ended = match env::var_os("AWS_LAMBDA_RUNTIME_API") {
        Some(_) => on_lambda().await,
        None => on_this_machine().await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lambda-example: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn on_lambda() -> Result<(), Error> {
    // The function is configured with this handler, which may be any name.
    let handler = env::var("_HANDLER").unwrap_or_default();
    run(handler.parse().unwrap_or(Way::Layer)).await
}

async fn on_this_machine() -> Result<(), Error> {
    let way = match env::args().nth(1) {
        Some(name) => name.parse()?,
        None => Way::Layer,
    };
    machine::run(&env::current_exe()?, way, &mut stdout().lock()).await
}

fn log_to_stderr() {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(LevelFilter::INFO)
        .init();
}
