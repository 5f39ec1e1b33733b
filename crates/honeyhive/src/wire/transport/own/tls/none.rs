//! No TLS: for a HoneyHive, or a collector, beside the program.

use crate::error::BuildError;
use crate::settings::Settings;

pub(crate) const HAS_TLS: bool = false;

pub(crate) type Secured<S> = S;
pub(crate) type SecuredStream<T> = T;

pub(crate) const fn unsecured<T>(io: T) -> SecuredStream<T> {
    io
}

pub(crate) struct Tls;

impl Tls {
    pub(crate) fn new(settings: &Settings, _is_needed: bool) -> Result<Self, BuildError> {
        let setting = if settings.ca_certificate.is_some() {
            "`.ca_certificate(..)`"
        } else if settings.server_url.starts_with("https:") {
            "the server's URL (HH_API_URL)"
        } else {
            return Ok(Self);
        };
        Err(BuildError::MissingFeature {
            setting: setting.into(),
            value: "TLS",
            feature: "rustls",
        })
    }

    #[expect(clippy::unused_self, reason = "as it is with TLS")]
    pub(crate) const fn over<S>(&self, inner: S) -> S {
        inner
    }
}
