//! Runs the chat server until ctrl-c or SIGTERM.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::error::Error;
use std::process::ExitCode;

use chat_support::{Config, Responder, Telemetry, log_to_stderr};
use tokio::net::TcpListener;

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    log_to_stderr();
    match run(&Config::from_env()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("axum-chat: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: &Config) -> Outcome {
    let listener = listen(&config.address).await?;
    let responder = Responder::new(config)?;
    let telemetry = Telemetry::of_server().await?;
    println!("axum-chat listens on http://{}", listener.local_addr()?);
    println!("{telemetry}");

    let tracer = telemetry.tracer();
    let app = axum_chat::app(tracer.clone(), responder);
    let served = tracer
        .serve(|stop| axum::serve(listener, app).with_graceful_shutdown(stop))
        .await;
    if let Some(loss) = telemetry.loss(served.delivery) {
        eprintln!("axum-chat: {loss}");
    }
    Ok(served.output.transpose().map(drop)?)
}

async fn listen(address: &str) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on CHAT_ADDR={address}: {error}"))
}
