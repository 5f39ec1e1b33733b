//! [`ClientBuilder`] makes a client without a tracer.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_http::HttpClient;
use opentelemetry_sdk::Resource;

use super::handle::Client;
use crate::delivery::{self, Plan, Redactor};
use crate::error::BuildError;
use crate::outbox::{Bounds, Lifeline, Outbox};
use crate::redaction::{Redaction, Rules};
use crate::secret::ApiKey;
use crate::session::StartupSession;
use crate::settings::{Explicit, GivenClient, Needs, Settings};

impl Client {
    /// Returns a client with all its settings from the environment; see [`ClientBuilder`] for the variables.
    ///
    /// # Errors
    ///
    /// A setting is missing or unusable; the error says which and what to do.
    pub fn from_env() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// Returns a builder. Settings that the program does not set come from the environment.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

/// The builder takes the settings of a [`Client`] without a tracer. Settings that the program leaves out come from the
/// environment, then from the defaults.
///
/// | Setter | Variable | Default |
/// |---|---|---|
/// | [`api_key`](Self::api_key) | `HH_API_KEY` | none: it, a data plane key or test mode is needed |
/// | [`data_plane_api_key`](Self::data_plane_api_key) | `HH_DATA_PLANE_API_KEY` | none |
/// | [`project_id`](Self::project_id) | | none: the classic routes, on which the key selects the project |
/// | [`server_url`](Self::server_url) | `HH_API_URL` | `https://api.dp1.us.honeyhive.ai` |
/// | [`api_timeout`](Self::api_timeout) | `HH_API_TIMEOUT`, seconds | 5 s |
/// | [`test_mode`](Self::test_mode) | `HH_TEST_MODE` | `false` |
///
/// ```
/// use honeyhive::client::Client;
///
/// let client = Client::builder()
///     .api_key("hh_…") // a key of your own
///     .server_url("https://honeyhive.internal")
/// #   .api_key("hh_k").server_url("http://127.0.0.1:9")
///     .build()?;
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a client is made by `.build()`"]
pub struct ClientBuilder {
    explicit: Explicit,
    project_id: Option<String>,
}

impl ClientBuilder {
    /// Sets the project's key (`HH_API_KEY`), for the classic routes.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.explicit.keys.api_key = Some(ApiKey::new(key.into()));
        self
    }

    /// Sets a fine-grained key (`HH_DATA_PLANE_API_KEY`, `hh_fgdp_…`), for the routes that name their project.
    pub fn data_plane_api_key(mut self, key: impl Into<String>) -> Self {
        self.explicit.keys.data_plane_api_key = Some(ApiKey::new(key.into()));
        self
    }

    /// Sets the project that all calls are about; see [`Client::in_project`].
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.project_id = Some(id.into());
        self
    }

    /// Sets the deployment (`HH_API_URL`, default `https://api.dp1.us.honeyhive.ai`).
    pub fn server_url(mut self, url: impl Into<String>) -> Self {
        self.explicit.server_url = Some(url.into());
        self
    }

    /// Sets the longest time that one attempt of a call may take (`HH_API_TIMEOUT` in seconds, default 5 s).
    pub fn api_timeout(mut self, timeout: Duration) -> Self {
        self.explicit.api_timeout = Some(timeout);
        self
    }

    /// Turns test mode on or off (`HH_TEST_MODE`, default `false`): nothing leaves the process and no key is needed.
    /// Runs can be created and updated, and every other call is
    /// [`ClientError::TestMode`](super::ClientError::TestMode).
    pub fn test_mode(mut self, on: bool) -> Self {
        self.explicit.test_mode = Some(on);
        self
    }

    /// Sets the HTTP client that carries the calls, instead of this crate's own; see
    /// [`HoneyHiveTracerBuilder::http_client`](crate::HoneyHiveTracerBuilder::http_client).
    pub fn http_client(mut self, client: impl HttpClient + 'static) -> Self {
        self.explicit.http_client = Some(GivenClient(Arc::new(client)));
        self
    }

    /// Adds certificates to trust besides those of the platform, as PEM; see
    /// [`HoneyHiveTracerBuilder::ca_certificate`](crate::HoneyHiveTracerBuilder::ca_certificate).
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.explicit.ca_certificate = Some(pem.into());
        self
    }

    /// Returns the client. It has a background thread of its own, which ends with the last clone.
    ///
    /// # Errors
    ///
    /// A setting is missing or unusable, the TLS roots cannot be read, or the thread cannot be started. No error
    /// repeats a key.
    pub fn build(self) -> Result<Client, BuildError> {
        let settings = Settings::resolve(Explicit {
            needs: Needs::Asking,
            ..self.explicit
        })?;
        let settings = Settings {
            // A client has nothing to keep.
            spool: None,
            ..settings
        };
        let sink = delivery::sink(&settings, &Resource::builder_empty().build())?;
        let bounds = Bounds::new(0, 0, settings.drop_policy, false);
        let outbox = Outbox::new(bounds).answering_within(settings.api_timeout);
        let outbox = Arc::new(outbox);
        let rules = Rules::new(&Redaction::none())?;
        let redactor = Arc::new(Redactor::new(rules, Arc::clone(&outbox)));
        let name = settings.session_name.clone();
        let startup = StartupSession::new(Arc::clone(&outbox), name, None);
        let plan = Plan::new(&settings, redactor, sink);
        delivery::start(plan, Arc::clone(&outbox), Arc::new(startup))?;
        let client = Client::new(Arc::new(Lifeline::new(outbox)));
        Ok(match self.project_id {
            Some(id) => client.in_project(id),
            None => client,
        })
    }
}
