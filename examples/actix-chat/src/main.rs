//! Runs the chat server until ctrl-c or SIGTERM.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::convert::Infallible;
use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::rt::System;
use chat_support::{
    Chat, Config, DRAIN_LIMIT, Responder, Telemetry, log_to_stderr, shutdown_signal,
};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    log_to_stderr();
    match run(&Config::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("actix-chat: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: &Config) -> Outcome {
    let listener = listen(&config.address)?;
    let responder = Responder::new(config)?;
    let telemetry = Telemetry::start()?;
    println!("actix-chat listens on http://{}", listener.local_addr()?);
    println!("{telemetry}");

    let served = serve(listener, &telemetry, responder);
    // Everything that ever will be recorded is, by now.
    if let Some(loss) = telemetry.shut_down() {
        eprintln!("actix-chat: {loss}");
    }
    served
}

fn listen(address: &str) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address);
    listener.map_err(|error| format!("cannot listen on CHAT_ADDR={address}: {error}"))
}

/// Serves until it is time to stop, and then finishes what is under way, [`DRAIN_LIMIT`] at the most.
fn serve(listener: TcpListener, telemetry: &Telemetry, responder: Responder) -> Outcome {
    let tracer = telemetry.tracer();
    let chat = Chat::new(tracer.clone(), responder);
    let (alive, gone) = mpsc::channel::<Infallible>();
    let server = HttpServer::new(move || {
        actix_chat::app(tracer.clone(), chat.clone()).app_data(alive.clone())
    });
    let server = server
        // A client that has left is not answered to the end.
        .h1_allow_half_closed(false)
        .shutdown_signal(shutdown_signal())
        .shutdown_timeout(DRAIN_LIMIT.as_secs())
        .listen(listener)?;
    let served = System::new().block_on(async { server.run().await });
    // The workers drop what is still under way, which records it as cut short. Once they have, nobody holds
    // `alive` any more.
    let _ = gone.recv_timeout(Duration::from_secs(1));
    Ok(served?)
}
