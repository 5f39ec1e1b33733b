//! The HTTP client of this crate is reqwest, on the delivery thread's runtime.

use std::time::Duration;

use http::Response;
use opentelemetry_http::Bytes;
use reqwest::{Client, ClientBuilder, Request};

use super::http_call::HttpCall;
use super::unanswered::{Unanswered, Wanted};
use crate::error::BuildError;
use crate::log::Once;
use crate::model::causes::with_causes;
use crate::settings::Settings;
use crate::wire::proxies::proxy_to;

#[derive(Debug)]
pub(in crate::wire) struct Own {
    client: Client,
    /// Calls that have no timeout of their own have this one.
    timeout: Duration,
}

impl Own {
    pub(super) fn new(settings: &Settings) -> Result<Self, BuildError> {
        if let Err(variable) = proxy_to(&settings.server_url) {
            warn_of_proxy(variable);
        }
        let client = speaking(with_tls(settings)?, settings)
            // A key goes to no other host than the one that it was meant for.
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(Duration::from_secs(60))
            .connect_timeout(settings.api_timeout)
            .timeout(settings.api_timeout)
            .build();
        Ok(Self {
            client: client.map_err(BuildError::http_client)?,
            timeout: settings.api_timeout,
        })
    }

    pub(super) async fn send(
        &self,
        call: HttpCall,
        timeout: Duration,
        wanted: Wanted,
    ) -> Result<Response<Bytes>, Unanswered> {
        let request = self.request(call, timeout);
        let mut response = self.client.execute(request).await.map_err(unanswered)?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        *answer.body_mut() = match read(response, wanted.most()).await {
            Err(error) if !wanted.takes_fragments() => return Err(unanswered(error)),
            // A success whose body breaks off is a success all the same.
            body => body.unwrap_or_default(),
        };
        Ok(answer)
    }

    fn request(&self, call: HttpCall, timeout: Duration) -> Request {
        let mut request = Request::new(call.method, call.address.url());
        *request.headers_mut() = call.headers;
        *request.body_mut() = Some(call.body.into());
        // The timeout of a request is kept in a map, which is allocated for it.
        if timeout != self.timeout {
            *request.timeout_mut() = Some(timeout);
        }
        request
    }
}

/// Sets the version of HTTP. All calls share one connection of HTTP/2, also after one that nobody has answered in time,
/// so pings find out whether anybody is there.
#[cfg(feature = "http2")]
fn speaking(builder: ClientBuilder, settings: &Settings) -> ClientBuilder {
    builder
        .http2_keep_alive_interval(settings.api_timeout / 2)
        // No call is given up before its own time.
        .http2_keep_alive_timeout(settings.api_timeout)
}

/// Sets the version of HTTP: another crate of the program may have built the client with HTTP/2, which has no pings
/// then.
#[cfg(not(feature = "http2"))]
fn speaking(builder: ClientBuilder, _: &Settings) -> ClientBuilder {
    // The client copies each request to try it again, which it only does after errors of HTTP/2.
    let never = reqwest::retry::never().max_retries_per_request(0);
    builder.http1_only().retry(never)
}

/// Warns once per process of a proxy that cannot be used: the HTTP client makes do without it, and a network that wants
/// one then shows no reason.
fn warn_of_proxy(variable: &str) {
    static TOLD: Once = Once::new();
    TOLD.warn(format_args!(
        "{variable} is no URL of a proxy, so calls go to HoneyHive without one: correct or unset it"
    ));
}

async fn read(mut response: reqwest::Response, most: usize) -> reqwest::Result<Bytes> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = most - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == most {
            break;
        }
    }
    Ok(body.into())
}

/// Converts an error without its URL, which may hold a tenant's name, at every level.
fn unanswered(error: reqwest::Error) -> Unanswered {
    Unanswered {
        may_have_arrived: !(error.is_connect() || error.is_builder()),
        detail: with_causes(&error.without_url()),
    }
}

/// Adds the platform's roots (`SSL_CERT_FILE` is honoured), those of the settings, and the proxies of the environment.
/// Plain HTTP needs no roots, and so does not load them.
#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn with_tls(settings: &Settings) -> Result<ClientBuilder, BuildError> {
    let given = settings.ca_certificate.as_deref().map(certificates);
    let given = given.transpose()?.unwrap_or_default();
    let builder = Client::builder();
    if !settings.server_url.starts_with("https:") {
        return Ok(builder.tls_certs_only([]));
    }
    Ok(builder.tls_certs_merge(given))
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, BuildError> {
    let certificates = reqwest::Certificate::from_pem_bundle(pem).unwrap_or_default();
    if certificates.is_empty() {
        return Err(BuildError::InvalidValue {
            setting: "`.ca_certificate(..)`".into(),
            expected: "certificates as PEM",
        });
    }
    Ok(certificates)
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn with_tls(settings: &Settings) -> Result<ClientBuilder, BuildError> {
    let setting = if settings.ca_certificate.is_some() {
        "`.ca_certificate(..)`"
    } else if settings.server_url.starts_with("https:") {
        "the server's URL (HH_API_URL)"
    } else {
        return Ok(Client::builder());
    };
    Err(BuildError::MissingFeature {
        setting: setting.into(),
        value: "TLS",
        feature: "rustls",
    })
}
