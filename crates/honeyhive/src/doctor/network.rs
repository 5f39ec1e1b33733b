//! The way to the server leads over its name, its port, and maybe a proxy.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::Duration;

use http::Uri;

use super::diagnosis::Diagnosis;
use crate::outbox::Reply;
use crate::outbox::wait::Waited;
use crate::wire::proxy_to;

/// A name's resolution or a connection may take this long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the name and the port that a connection goes to; false where there is no way.
pub(super) async fn check(diagnosis: &mut Diagnosis, url: &str) -> bool {
    let Some((host, port)) = place(url) else {
        diagnosis.fail("dns", "the server's URL has no host: check HH_API_URL");
        return false;
    };
    let advice = [
        "check HH_API_URL, and the resolver of this machine",
        "is the port right, is a firewall between, is the way out a proxy?",
    ];
    let (variable, proxy) = match proxy_to(url) {
        Ok(Some(found)) => found,
        Ok(None) => {
            diagnosis.pass("proxy", "none is set for this address");
            return reach(diagnosis, &host, port, advice).await;
        }
        Err(variable) => {
            diagnosis.warn(
                "proxy",
                format!("{variable} is no URL of a proxy, so calls go without one: correct or unset it, or name the server's host in NO_PROXY"),
            );
            return reach(diagnosis, &host, port, advice).await;
        }
    };
    let Some((host, port)) = place_of(&proxy) else {
        diagnosis.fail(
            "proxy",
            format!("{variable} names no host: correct or unset it"),
        );
        return false;
    };
    diagnosis.pass(
        "proxy",
        format!("{host}:{port}, from {variable}; dns and tcp below are the proxy's"),
    );
    let advice = format!(
        "that is the proxy of {variable}: correct or unset it, or name the server's host in NO_PROXY"
    );
    reach(diagnosis, &host, port, [&advice, &advice]).await
}

/// Checks that a name has an address, and that the address takes a connection; gives advice where not.
async fn reach(
    diagnosis: &mut Diagnosis,
    host: &str,
    port: u16,
    [no_address, no_connection]: [&str; 2],
) -> bool {
    let addresses = {
        let host = host.to_owned();
        on_a_thread(move || {
            let found = (host.as_str(), port).to_socket_addrs();
            found
                .map(Iterator::collect)
                .map_err(|error| error.to_string())
        })
        .await
    };
    let addresses: Vec<SocketAddr> = match addresses {
        Ok(addresses) => addresses,
        Err(error) => {
            diagnosis.fail(
                "dns",
                format!("{host} has no address ({error}): {no_address}"),
            );
            return false;
        }
    };
    diagnosis.pass("dns", format!("{host} is {}", listed(&addresses)));
    match on_a_thread(move || connect(&addresses)).await {
        Ok(address) => diagnosis.pass("tcp", format!("{address} takes connections")),
        Err(error) => {
            diagnosis.fail(
                "tcp",
                format!("{host}:{port} takes no connection ({error}): {no_connection}"),
            );
            return false;
        }
    }
    true
}

fn connect(addresses: &[SocketAddr]) -> Result<SocketAddr, String> {
    let mut last = "it has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(address, PATIENCE / 2) {
            Ok(_) => return Ok(*address),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

fn listed(addresses: &[SocketAddr]) -> String {
    let ips: Vec<_> = addresses.iter().map(|it| it.ip().to_string()).collect();
    ips.join(", ")
}

/// Returns host and port of a URL.
fn place(url: &str) -> Option<(String, u16)> {
    place_of(&url.parse().ok()?)
}

fn place_of(uri: &Uri) -> Option<(String, u16)> {
    let host = uri.host()?.trim_matches(['[', ']']).to_owned();
    let default = match uri.scheme_str() {
        Some("https") => 443,
        Some(scheme) if scheme.starts_with("socks") => 1080,
        _ => 80,
    };
    Some((host, uri.port_u16().unwrap_or(default)))
}

/// Runs blocking work on a thread of its own, so that any runtime can wait for it, and not for ever.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let (reply, answer) = Reply::awaited(PATIENCE);
    let thread = thread::Builder::new().name("honeyhive-doctor".to_owned());
    if let Err(error) = thread.spawn(move || reply.send(work())) {
        return Err(error.to_string());
    }
    match answer.await {
        Waited::Answered(done) => done,
        Waited::Late => Err(format!("nothing within {PATIENCE:?}")),
        Waited::Gone => Err("it panicked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_and_a_port() {
        for (url, host, port) in [
            ("https://api.example", "api.example", 443),
            ("http://api.example/x", "api.example", 80),
            ("http://[::1]:7777", "::1", 7777),
            ("proxy:3128", "proxy", 3128),
            ("socks5://proxy", "proxy", 1080),
        ] {
            assert_eq!(place(url), Some((host.to_owned(), port)), "{url}");
        }
    }
}
