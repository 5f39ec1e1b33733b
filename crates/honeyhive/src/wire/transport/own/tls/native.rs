//! TLS by the platform: OpenSSL on Linux.

use native_tls::{Certificate, TlsConnector};

use super::super::failure::unusable;
use super::authorities::authorities;
use crate::error::BuildError;
use crate::settings::Settings;

pub(crate) const HAS_TLS: bool = true;

pub(crate) type Secured<S> = hyper_tls::HttpsConnector<S>;
pub(crate) type SecuredStream<T> = hyper_tls::MaybeHttpsStream<T>;

pub(crate) const fn unsecured<T>(io: T) -> SecuredStream<T> {
    hyper_tls::MaybeHttpsStream::Http(io)
}

pub(crate) struct Tls(TlsConnector);

impl Tls {
    /// The platform's authorities are loaded only where a connection may ask for them (`is_needed`); `SSL_CERT_FILE`
    /// is honoured.
    pub(crate) fn new(settings: &Settings, is_needed: bool) -> Result<Self, BuildError> {
        let mut builder = TlsConnector::builder();
        builder.disable_built_in_roots(!is_needed);
        for authority in authorities(settings)? {
            let authority = Certificate::from_der(&authority).map_err(unusable)?;
            builder.add_root_certificate(authority);
        }
        builder.build().map(Self).map_err(unusable)
    }

    pub(crate) fn over<S>(&self, inner: S) -> Secured<S> {
        (inner, self.0.clone().into()).into()
    }
}
