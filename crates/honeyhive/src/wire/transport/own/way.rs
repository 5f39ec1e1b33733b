//! [`Way`]: straight to the server, or by a proxy.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Intercept;
use tower_service::Service;

use super::failure::BoxError;
use super::stream::Stream;
use super::tls::{HAS_TLS, Secured, Tls, unsecured};

/// How often a silent connection is asked whether it is still there, and how long it may take to say so.
const KEEPALIVE: Duration = Duration::from_secs(15);

pub(super) type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// What carries the bytes. TLS to the server is over it.
#[derive(Clone)]
pub(super) enum Way {
    Straight(HttpConnector),
    /// A proxy that leads to the server, by `CONNECT`.
    Tunnel(Tunnel<Secured<HttpConnector>>),
    /// A proxy that is given each request, as is usual without TLS.
    PassedOn(Secured<HttpConnector>, Uri),
}

pub(super) fn is_secure(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}

impl Way {
    pub(super) fn to(
        server: &Uri,
        proxy: Option<&Intercept>,
        tls: &Tls,
        timeout: Duration,
    ) -> Self {
        let tcp = tcp(timeout);
        let Some(proxy) = proxy else {
            return Self::Straight(tcp);
        };
        let (uri, tcp) = (proxy.uri().clone(), tls.over(tcp));
        if !is_secure(server) {
            return Self::PassedOn(tcp, uri);
        }
        let tunnel = Tunnel::new(uri, tcp);
        Self::Tunnel(match proxy.basic_auth() {
            Some(login) => tunnel.with_auth(login.clone()),
            None => tunnel,
        })
    }
}

fn tcp(timeout: Duration) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(!HAS_TLS);
    tcp.set_connect_timeout(Some(timeout));
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp.set_keepalive_interval(Some(KEEPALIVE));
    tcp.set_keepalive_retries(Some(3));
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    tcp.set_tcp_user_timeout(Some(2 * KEEPALIVE));
    tcp
}

impl Service<Uri> for Way {
    type Response = Stream;
    type Error = BoxError;
    type Future = Connecting<Stream>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        #[cfg_attr(
            not(any(
                feature = "rustls",
                feature = "rustls-aws-lc-rs",
                feature = "native-tls"
            )),
            expect(
                clippy::match_same_arms,
                reason = "without TLS two connectors are one type"
            )
        )]
        match self {
            Self::Straight(tcp) => tcp.poll_ready(cx).map_err(Into::into),
            Self::Tunnel(tunnel) => tunnel.poll_ready(cx).map_err(Into::into),
            Self::PassedOn(tcp, _) => tcp.poll_ready(cx).map_err(Into::into),
        }
    }

    fn call(&mut self, server: Uri) -> Connecting<Stream> {
        match self {
            Self::Straight(tcp) => {
                let connecting = tcp.call(server);
                Box::pin(async move { Ok(Stream::new(unsecured(connecting.await?), false)) })
            }
            Self::Tunnel(tunnel) => {
                let connecting = tunnel.call(server);
                Box::pin(async move { Ok(Stream::new(connecting.await?, false)) })
            }
            Self::PassedOn(tcp, proxy) => {
                let connecting = tcp.call(proxy.clone());
                Box::pin(async move { Ok(Stream::new(connecting.await?, true)) })
            }
        }
    }
}
