//! TLS by rustls, with the platform's authorities.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;

use super::super::failure::unusable;
use super::authorities::authorities;
use crate::error::BuildError;
use crate::settings::Settings;

pub(crate) const HAS_TLS: bool = true;

pub(crate) type Secured<S> = hyper_rustls::HttpsConnector<S>;
pub(crate) type SecuredStream<T> = hyper_rustls::MaybeHttpsStream<T>;

pub(crate) const fn unsecured<T>(io: T) -> SecuredStream<T> {
    hyper_rustls::MaybeHttpsStream::Http(io)
}

pub(crate) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// The platform's authorities are loaded only where a connection may ask for them (`is_needed`); `SSL_CERT_FILE`
    /// is honoured.
    pub(crate) fn new(settings: &Settings, is_needed: bool) -> Result<Self, BuildError> {
        let given = authorities(settings)?;
        let provider = provider();
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_safe_default_protocol_versions();
        let config = config.map_err(unusable)?;
        let config = if is_needed {
            let verifier = verifier(given, provider)?;
            let config = config.dangerous();
            config.with_custom_certificate_verifier(Arc::new(verifier))
        } else {
            config.with_root_certificates(RootCertStore::empty())
        };
        let mut config = config.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    pub(crate) fn over<S>(&self, inner: S) -> Secured<S> {
        (inner, Arc::clone(&self.0)).into()
    }
}

/// The cryptography that the program has installed, for FIPS say; else ours, which is installed nowhere: a program's other
/// TLS is not our affair.
fn provider() -> Arc<CryptoProvider> {
    let installed = CryptoProvider::get_default().cloned();
    installed.unwrap_or_else(|| Arc::new(own_provider()))
}

#[cfg(feature = "rustls-aws-lc-rs")]
fn own_provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(not(feature = "rustls-aws-lc-rs"))]
fn own_provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

#[cfg(not(target_os = "android"))]
fn verifier(
    given: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, BuildError> {
    Verifier::new_with_extra_roots(given, provider).map_err(unusable)
}

/// Android's verifier takes no authorities besides the platform's.
#[cfg(target_os = "android")]
fn verifier(
    given: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, BuildError> {
    if !given.is_empty() {
        return Err(unusable("Android takes no `.ca_certificate(..)`"));
    }
    Verifier::new(provider).map_err(unusable)
}
