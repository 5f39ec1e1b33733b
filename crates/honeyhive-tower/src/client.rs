//! [`PropagateLayer`] propagates the session with the requests of a client.

use std::borrow::Cow;
use std::task::{Context, Poll};

use honeyhive::Hosts;
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// The layer propagates the session with the requests of a client (feature `client`), as `traceparent` and `baggage`:
/// to listed hosts, or with every request of a channel.
///
/// ```
/// use honeyhive_tower::PropagateLayer;
/// use tower_layer::Layer as _;
///
/// # let client = ();
/// let client = PropagateLayer::to(["*.internal", "search:8080"]).layer(client); // hyper
/// # let channel = ();
/// let channel = PropagateLayer::always().layer(channel); // tonic: a channel has one service at its other end
/// # drop((client, channel));
/// ```
#[derive(Debug, Clone)]
pub struct PropagateLayer {
    hosts: Option<Hosts>,
}

impl PropagateLayer {
    /// Propagates to these hosts; names as in [`Hosts::new`].
    #[must_use]
    pub fn to<H: Into<Cow<'static, str>>>(hosts: impl IntoIterator<Item = H>) -> Self {
        Self {
            hosts: Some(Hosts::new(hosts)),
        }
    }

    /// Propagates with every request: for a client whose one service you trust with the session. A request of tonic
    /// names no host.
    #[must_use]
    pub const fn always() -> Self {
        Self { hosts: None }
    }
}

impl<S> Layer<S> for PropagateLayer {
    type Service = Propagate<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Propagate {
            inner,
            hosts: self.hosts.clone(),
        }
    }
}

/// The service propagates the session with the requests of a client; [`PropagateLayer`] makes it.
#[derive(Debug, Clone)]
pub struct Propagate<S> {
    inner: S,
    hosts: Option<Hosts>,
}

impl<S, B> Service<Request<B>> for Propagate<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match &self.hosts {
            None => Hosts::inject_anywhere(request.headers_mut()),
            Some(hosts) => {
                let uri = request.uri().clone();
                if let Some(host) = uri.host() {
                    let known = if uri.scheme_str() == Some("https") {
                        443
                    } else {
                        80
                    };
                    let port = uri.port_u16().or(Some(known));
                    hosts.inject(host, port, request.headers_mut());
                }
            }
        }
        self.inner.call(request)
    }
}
