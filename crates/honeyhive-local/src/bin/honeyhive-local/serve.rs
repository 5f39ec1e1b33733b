//! `serve` runs until ctrl-c.

use std::env;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use etcetera::BaseStrategy;
use honeyhive_local::LocalServer;
use serde_json::json;

use crate::args::{DEFAULT_PORT, Serve};
use crate::failure::Failure;
use crate::out;

/// Serves until the process is told to end.
pub(crate) async fn serve(args: &Serve) -> Result<(), Failure> {
    // The handler is installed before the server starts, so that no signal is missed.
    let stop = stop_signal().map_err(Failure::of)?;
    let file = if args.memory {
        None
    } else {
        Some(data_file(args.data.as_ref())?)
    };
    let server = start(args, file.clone()).await?;
    greet(&server.url(), file, args);
    stop.await;
    Ok(())
}

async fn start(args: &Serve, file: Option<PathBuf>) -> Result<LocalServer, Failure> {
    let ip = args.address.map_or_else(
        || set("HONEYHIVE_LOCAL_ADDRESS", "address"),
        |ip| Ok(Some(ip)),
    )?;
    let port = args.port.map_or_else(
        || set("HONEYHIVE_LOCAL_PORT", "port"),
        |port| Ok(Some(port)),
    )?;
    let remote = variable("HONEYHIVE_LOCAL_ALLOW_REMOTE").is_some_and(|value| is_true(&value));
    let address = SocketAddr::new(
        ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        port.unwrap_or(DEFAULT_PORT),
    );
    let mut builder = LocalServer::builder()
        .address(address)
        .allow_remote(args.allow_remote || remote);
    if let Some(key) = variable(&args.api_key_env) {
        builder = builder.api_key(key);
    }
    if let Some(file) = file {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(Failure::of)?;
        }
        builder = builder.persist(file);
    }
    builder.start().await.map_err(Failure::of)
}

/// Returns the file that everything is kept in.
pub(crate) fn data_file(given: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    let given = given
        .cloned()
        .or_else(|| variable("HONEYHIVE_LOCAL_DATA").map(PathBuf::from));
    if let Some(file) = given {
        return Ok(file);
    }
    let folders = etcetera::choose_base_strategy();
    let folders = folders.map_err(|error| {
        Failure::Failed(format!("{error}: say where with --data, or use --memory"))
    })?;
    Ok(folders
        .data_dir()
        .join("honeyhive-local")
        .join("honeyhive.db"))
}

fn set<T: FromStr>(name: &str, what: &str) -> Result<Option<T>, Failure> {
    let Some(text) = variable(name) else {
        return Ok(None);
    };
    let refused = || Failure::Misused(format!("{name}: {text:?} is no {what}"));
    text.parse().map(Some).map_err(|_| refused())
}

/// Returns the value of a variable; a blank one counts as not set.
fn variable(name: &str) -> Option<String> {
    let value = env::var(name).ok()?.trim().to_owned();
    (!value.is_empty()).then_some(value)
}

fn is_true(text: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&text.to_ascii_lowercase().as_str())
}

fn greet(url: &str, file: Option<PathBuf>, args: &Serve) {
    if args.json {
        return out::json(&json!({ "url": url, "data": file }));
    }
    let key = match variable(&args.api_key_env) {
        Some(_) => format!("\"${}\"", args.api_key_env),
        None => "hh_local".to_owned(),
    };
    let end = match file {
        Some(file) => format!("ctrl-c ends it; everything is kept in {}", file.display()),
        None => "ctrl-c ends it and forgets everything".to_owned(),
    };
    out::say(&format!(
        "honeyhive-local listens on {url} (pages: {url}/)\n\n    export HH_API_URL={url} HH_API_KEY={key}\n\n{end}."
    ));
}

/// Returns a future that ends with ctrl-c or, on Unix, SIGTERM. Both are listened for as soon as this function returns.
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

/// Returns a future that ends with ctrl-c.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // A system without ctrl-c ends the wait at once.
        let _ = tokio::signal::ctrl_c().await;
    })
}
