//! [`Connector`]: connections to the server, in time.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::proxy::matcher::Intercept;
use tower_service::Service;

use super::failure::BoxError;
use super::stream::Stream;
use super::tls::{Secured, SecuredStream, Tls};
use super::way::{self, Connecting, Way};
use crate::error::BuildError;
use crate::settings::Settings;

/// The way to the server with TLS over it, where its URL asks for that.
#[derive(Clone)]
pub(super) struct Connector {
    secured: Secured<Way>,
    /// How long a connection may take, its TLS included.
    timeout: Duration,
}

impl Connector {
    pub(super) fn to(
        server: &Uri,
        proxy: Option<&Intercept>,
        settings: &Settings,
    ) -> Result<Self, BuildError> {
        let is_secure = way::is_secure(server) || proxy.is_some_and(|it| way::is_secure(it.uri()));
        let tls = Tls::new(settings, is_secure)?;
        let way = Way::to(server, proxy, &tls, settings.api_timeout);
        Ok(Self {
            secured: tls.over(way),
            timeout: settings.api_timeout,
        })
    }
}

impl Service<Uri> for Connector {
    type Response = SecuredStream<Stream>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.secured.poll_ready(cx)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let connecting = self.secured.call(server);
        let timeout = self.timeout;
        Box::pin(async move {
            let connected = tokio::time::timeout(timeout, connecting).await;
            connected.unwrap_or_else(|_| {
                let late = format!("the connection timed out after {timeout:?}");
                Err(io::Error::new(io::ErrorKind::TimedOut, late).into())
            })
        })
    }
}
