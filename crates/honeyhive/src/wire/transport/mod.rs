//! The transport carries calls by the HTTP client of this crate, or by one that the program has given.

mod address;
mod given;
mod http_call;
#[cfg(feature = "reqwest")]
mod own;
mod unanswered;

use std::pin::Pin;
use std::time::Duration;

use http::Response;
use opentelemetry_http::Bytes;

pub(super) use self::address::{Address, Invalid};
use self::given::Given;
pub(super) use self::http_call::HttpCall;
pub(super) use self::unanswered::{Unanswered, Wanted};
use crate::error::BuildError;
use crate::settings::Settings;

/// The call is under way.
type Sent<'c> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Unanswered>> + Send + 'c>>;

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
    ///
    /// The future is boxed here, where most of a call's memory begins: the futures around it then take less than a
    /// kilobyte, and no layer copies more.
    pub(super) fn send(&self, call: HttpCall, timeout: Duration, wanted: Wanted) -> Sent<'_> {
        match self {
            #[cfg(feature = "reqwest")]
            Self::Own(own) => Box::pin(own.send(call, timeout, wanted)),
            Self::Given(given) => Box::pin(given.send(call, timeout, wanted)),
        }
    }
}
