//! The carrier of calls: the HTTP client of this crate, or one that the program has given.

mod given;
#[cfg(feature = "reqwest")]
mod own;
mod unanswered;

use std::time::Duration;

use http::{Request, Response};
use opentelemetry_http::Bytes;

use self::given::Given;
pub(super) use self::unanswered::{Unanswered, Wanted};
use crate::error::BuildError;
use crate::settings::Settings;

#[derive(Debug)]
pub(super) enum Transport {
    #[cfg(feature = "reqwest")]
    Own(own::Own),
    Given(Given),
}

impl Transport {
    pub(super) fn new(settings: &Settings) -> Result<Self, BuildError> {
        match &settings.http_client {
            Some(_) if settings.ca_certificate.is_some() => Err(BuildError::InvalidValue {
                setting: "`.ca_certificate(..)`".into(),
                expected: "no `.http_client(..)` beside it: give the certificate to that client",
            }),
            Some(client) => Ok(Self::Given(Given::new(client.clone()))),
            None => Self::own(settings),
        }
    }

    #[cfg(feature = "reqwest")]
    fn own(settings: &Settings) -> Result<Self, BuildError> {
        own::Own::new(settings).map(Self::Own)
    }

    #[cfg(not(feature = "reqwest"))]
    fn own(_: &Settings) -> Result<Self, BuildError> {
        Err(BuildError::MissingHttpClient)
    }

    /// Makes a call. The body of the answer is as much as is wanted of it.
    pub(super) async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
        wanted: Wanted,
    ) -> Result<Response<Bytes>, Unanswered> {
        match self {
            #[cfg(feature = "reqwest")]
            Self::Own(own) => own.send(request, timeout, wanted).await,
            Self::Given(given) => given.send(request, timeout, wanted).await,
        }
    }
}
