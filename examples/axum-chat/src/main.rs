//! Runs the chat server until ctrl-c or SIGTERM.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use chat_support::{Config, DRAIN_LIMIT, Responder, Telemetry, log_to_stderr, shutdown_signal};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    log_to_stderr();
    match run(&Config::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("axum-chat: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: &Config) -> Outcome {
    let runtime = Runtime::new()?;
    let listener = runtime.block_on(listen(&config.address))?;
    let responder = Responder::new(config)?;
    let telemetry = Telemetry::start()?;
    println!("axum-chat listens on http://{}", listener.local_addr()?);
    println!("{telemetry}");

    let served = runtime.block_on(serve(
        listener,
        axum_chat::app(telemetry.tracer(), responder),
    ));
    // Ends the answers that are still under way, so that they are recorded as cut short ...
    runtime.shutdown_timeout(Duration::from_secs(1));
    // ... and only then is everything recorded that ever will be.
    if let Some(loss) = telemetry.shut_down() {
        eprintln!("axum-chat: {loss}");
    }
    served
}

async fn listen(address: &str) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on CHAT_ADDR={address}: {error}"))
}

/// Serves until it is time to stop, and then finishes what is under way, [`DRAIN_LIMIT`] at the most.
async fn serve(listener: TcpListener, app: Router) -> Outcome {
    let (stopping, stopped) = oneshot::channel();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        shutdown_signal().await;
        let _ = stopping.send(());
    });
    tokio::select! {
        served = server => Ok(served?),
        () = drain_limit(stopped) => Ok(()),
    }
}

async fn drain_limit(stopped: oneshot::Receiver<()>) {
    if stopped.await.is_ok() {
        tokio::time::sleep(DRAIN_LIMIT).await;
    }
}
