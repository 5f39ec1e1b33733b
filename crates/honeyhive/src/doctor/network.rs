//! The way to the server: its name, its port, and a proxy between.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::Duration;

use http::Uri;

use super::diagnosis::Diagnosis;
use crate::outbox::Reply;
use crate::outbox::wait::Waited;

/// How long a name or a connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the name and the port that a connection goes to; false where there is no way.
pub(super) async fn check(diagnosis: &mut Diagnosis, url: &str) -> bool {
    let Some((host, port)) = place(url) else {
        diagnosis.fail("dns", "the server's URL has no host: check HH_API_URL");
        return false;
    };
    let proxy = proxy_of(url, &host, |name| std::env::var(name).ok());
    let (host, port) = match &proxy {
        None => {
            diagnosis.pass("proxy", "none is set for this address");
            (host, port)
        }
        Some((variable, proxy)) => {
            let Some((host, port)) = place(proxy) else {
                diagnosis.fail("proxy", format!("{variable} is no URL: correct or unset it, or name the server's host in NO_PROXY"));
                return false;
            };
            diagnosis.pass(
                "proxy",
                format!("{host}:{port}, from {variable}; dns and tcp below are the proxy's"),
            );
            (host, port)
        }
    };
    let addresses = {
        let host = host.clone();
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
            diagnosis.fail("dns", format!("{host} has no address ({error}): check HH_API_URL, and the resolver of this machine"));
            return false;
        }
    };
    diagnosis.pass("dns", format!("{host} is {}", listed(&addresses)));
    let connected = on_a_thread(move || connect(&addresses)).await;
    match connected {
        Ok(address) => diagnosis.pass("tcp", format!("{address} takes connections")),
        Err(error) => {
            diagnosis.fail("tcp", format!("{host}:{port} takes no connection ({error}): is the port right, is a firewall or a proxy between?"));
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

/// Host and port of a URL.
fn place(url: &str) -> Option<(String, u16)> {
    let has_scheme = url.contains("://");
    let url = if has_scheme {
        url.to_owned()
    } else {
        format!("http://{url}")
    };
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']).to_owned();
    let default = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    Some((host, uri.port_u16().unwrap_or(default)))
}

/// The proxy for this address, as the HTTP client reads the environment, and the variable that names it.
fn proxy_of(
    url: &str,
    host: &str,
    env: impl Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    let set = |name: &'static str| {
        let value = env(name)?.trim().to_owned();
        (!value.is_empty()).then_some((name, value))
    };
    let exempt = set("NO_PROXY").or_else(|| set("no_proxy"));
    if exempt.is_some_and(|(_, hosts)| is_exempt(host, &hosts)) {
        return None;
    }
    let names: &[&str] = if url.starts_with("https:") {
        &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    } else {
        &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    };
    names.iter().find_map(|name| set(name))
}

fn is_exempt(host: &str, hosts: &str) -> bool {
    hosts.split(',').map(str::trim).any(|it| {
        let it = it.trim_start_matches('.');
        it == "*" || (!it.is_empty() && (host == it || host.ends_with(&format!(".{it}"))))
    })
}

/// Does what blocks on a thread of its own, so that any runtime can wait for it, and not for ever.
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
    fn the_proxy_is_that_of_the_scheme_unless_the_host_is_exempt() {
        let proxy = |url: &str, host: &str, env: &[(&str, &str)]| {
            let found = proxy_of(url, host, |name| {
                let found = env.iter().find(|(it, _)| *it == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            found.map(|(name, _)| name)
        };
        let both = [("HTTPS_PROXY", "http://p:1"), ("HTTP_PROXY", "http://q:2")];
        assert_eq!(proxy("https://a.b", "a.b", &both), Some("HTTPS_PROXY"));
        assert_eq!(proxy("http://a.b", "a.b", &both), Some("HTTP_PROXY"));
        assert_eq!(
            proxy("http://a.b", "a.b", &[("all_proxy", "p:1")]),
            Some("all_proxy")
        );
        for exempt in ["a.b", "b", ".b", "*", "c, a.b"] {
            let env = [("HTTP_PROXY", "p:1"), ("NO_PROXY", exempt)];
            assert_eq!(proxy("http://a.b", "a.b", &env), None, "{exempt}");
        }
        let env = [("HTTP_PROXY", "p:1"), ("NO_PROXY", "x.b")];
        assert_eq!(proxy("http://a.b", "a.b", &env), Some("HTTP_PROXY"));
    }

    #[test]
    fn a_place_is_a_host_and_a_port() {
        for (url, host, port) in [
            ("https://api.example", "api.example", 443),
            ("http://api.example/x", "api.example", 80),
            ("http://[::1]:7777", "::1", 7777),
            ("proxy:3128", "proxy", 3128),
        ] {
            assert_eq!(place(url), Some((host.to_owned(), port)), "{url}");
        }
    }
}
