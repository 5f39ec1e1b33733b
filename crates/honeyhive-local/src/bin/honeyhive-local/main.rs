//! The program: a HoneyHive on your own machine until ctrl-c.

mod args;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use honeyhive_local::LocalServer;

use args::{HELP, Request, Settings};

const MISUSED: u8 = 2;

fn main() -> ExitCode {
    let arguments = env::args_os().skip(1);
    let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    match args::read(arguments, |name| env::var(name).ok()) {
        Ok(Request::Help) => say(HELP.trim_end()),
        Ok(Request::Version) => say(concat!("honeyhive-local ", env!("CARGO_PKG_VERSION"))),
        Ok(Request::Serve(settings)) => return serve(&settings),
        Err(misused) => {
            complain(&misused.to_string());
            return ExitCode::from(MISUSED);
        }
    }
    ExitCode::SUCCESS
}

fn serve(settings: &Settings) -> ExitCode {
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Before the server, so that no signal finds nobody listening.
        let stop = stop_signal()?;
        let server = start(settings)?;
        say(&greeting(&server.url(), settings));
        stop.await;
        Ok(())
    })
}

fn start(settings: &Settings) -> Result<LocalServer, honeyhive_local::StartError> {
    let key = settings.key_variable.as_ref();
    let key = key.and_then(|variable| env::var(variable).ok());
    let mut builder = LocalServer::builder()
        .address(settings.address)
        .allow_remote(settings.allow_remote);
    if let Some(key) = key {
        builder = builder.api_key(key.trim());
    }
    builder.start_blocking()
}

fn greeting(url: &str, settings: &Settings) -> String {
    let key = match &settings.key_variable {
        Some(variable) => format!("\"${variable}\""),
        None => "hh_local".to_owned(),
    };
    format!(
        "honeyhive-local listens on {url} (pages: {url}/)\n\n    \
         export HH_API_URL={url} HH_API_KEY={key}\n\nctrl-c ends it and forgets everything."
    )
}

/// Ends with ctrl-c or, on Unix, SIGTERM. Both are listened for as soon as this returns.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends with ctrl-c.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without ctrl-c there is nothing to wait for.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Not `println!`, which panics when nobody reads.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "honeyhive-local: {text}");
}
