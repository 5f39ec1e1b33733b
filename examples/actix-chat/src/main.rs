//! Runs the chat server until ctrl-c or SIGTERM.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;

use actix_web::HttpServer;
use chat_support::{Chat, Config, Responder, Telemetry, log_to_stderr};

type Outcome = Result<(), Box<dyn Error>>;

#[actix_web::main]
async fn main() -> ExitCode {
    log_to_stderr();
    match run(&Config::from_env()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("actix-chat: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: &Config) -> Outcome {
    let listener = listen(&config.address)?;
    let responder = Responder::new(config)?;
    let telemetry = Telemetry::of_server().await?;
    println!("actix-chat listens on http://{}", listener.local_addr()?);
    println!("{telemetry}");

    let tracer = telemetry.tracer();
    let chat = Chat::new(&tracer, responder);
    let for_workers = tracer.clone();
    let server = HttpServer::new(move || actix_chat::app(for_workers.clone(), chat.clone()))
        // A client that has left is not answered to the end.
        .h1_allow_half_closed(false)
        .listen(listener)?;
    let served = tracer
        .serve(|stop| server.shutdown_signal(stop).run())
        .await;
    if let Some(loss) = telemetry.loss(served.delivery) {
        eprintln!("actix-chat: {loss}");
    }
    Ok(served.output.transpose().map(drop)?)
}

fn listen(address: &str) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address);
    listener.map_err(|error| format!("cannot listen on CHAT_ADDR={address}: {error}"))
}
