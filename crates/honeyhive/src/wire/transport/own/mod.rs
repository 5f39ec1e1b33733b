//! The HTTP client of this crate: hyper, on the delivery thread's runtime.

mod connector;
mod failure;
mod stream;
mod tls;
mod way;

use std::fmt;
use std::time::Duration;

use http::header::PROXY_AUTHORIZATION;
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use opentelemetry_http::Bytes;

use self::connector::Connector;
use self::failure::unusable;
use super::unanswered::{Unanswered, Wanted};
use crate::error::BuildError;
use crate::model::causes::with_causes;
use crate::settings::Settings;

/// hyper follows no redirects: a key goes to no other host than the one that it was meant for.
pub(in crate::wire) struct Own {
    client: Client<Connector, Full<Bytes>>,
    /// The login at a proxy that passes requests on.
    proxy_login: Option<HeaderValue>,
}

impl fmt::Debug for Own {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Own")
    }
}

impl Own {
    /// The proxy is that of the environment, read once.
    pub(super) fn new(settings: &Settings) -> Result<Self, BuildError> {
        let server: Uri = settings.server_url.parse().map_err(unusable)?;
        let proxy = Matcher::from_env().intercept(&server);
        let connector = Connector::to(&server, proxy.as_ref(), settings)?;
        let login = proxy.as_ref().and_then(|proxy| proxy.basic_auth());
        let login = login
            .filter(|_| server.scheme() != Some(&Scheme::HTTPS))
            .cloned();
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60));
        Ok(Self {
            client: builder.build(connector),
            proxy_login: login,
        })
    }

    pub(super) async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
        wanted: Wanted,
    ) -> Result<Response<Bytes>, Unanswered> {
        let mut request = request.map(Full::new);
        if let Some(login) = &self.proxy_login {
            let headers = request.headers_mut();
            headers.insert(PROXY_AUTHORIZATION, login.clone());
        }
        match tokio::time::timeout(timeout, self.answer(request, wanted)).await {
            Ok(answer) => answer,
            Err(_) => Err(Unanswered::late(timeout)),
        }
    }

    async fn answer(
        &self,
        request: Request<Full<Bytes>>,
        wanted: Wanted,
    ) -> Result<Response<Bytes>, Unanswered> {
        let response = self.client.request(request).await;
        let response = response.map_err(|error| Unanswered {
            may_have_arrived: !error.is_connect(),
            detail: with_causes(&error),
        })?;
        let (parts, body) = response.into_parts();
        let body = match read(body, wanted.most()).await {
            Err(error) if !wanted.takes_fragments() => {
                return Err(Unanswered {
                    may_have_arrived: true,
                    detail: with_causes(&error),
                });
            }
            // A success whose body breaks off is a success all the same.
            body => body.unwrap_or_default(),
        };
        Ok(Response::from_parts(parts, body))
    }
}

async fn read(mut body: Incoming, most: usize) -> hyper::Result<Bytes> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else {
            continue;
        };
        let room = most - all.len();
        all.extend_from_slice(&piece[..piece.len().min(room)]);
        if all.len() == most {
            break;
        }
    }
    Ok(all.into())
}
