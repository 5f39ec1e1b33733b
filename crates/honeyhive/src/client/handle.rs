//! [`Client`] is the handle of the typed client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::outbox::{Lifeline, Outbox};

/// The typed client calls HoneyHive's API; it comes from [`from_env`](Self::from_env), [`builder`](Self::builder) or
/// [`HoneyHiveTracer::client`](crate::HoneyHiveTracer::client). Clones are cheap.
#[derive(Clone)]
pub struct Client {
    lifeline: Arc<Lifeline>,
    project_id: Option<Arc<str>>,
    timeout: Duration,
}

/// Shows the project.
impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("project_id", &self.project_id)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Client {
    pub(crate) fn new(lifeline: Arc<Lifeline>) -> Self {
        Self {
            timeout: lifeline.outbox().answer_timeout(),
            lifeline,
            project_id: None,
        }
    }

    /// Returns the client for one project, with the routes that name it (`/v1/projects/{project_id}/…`) and the data
    /// plane key (`HH_DATA_PLANE_API_KEY`). No other key is used in its place.
    ///
    /// ```
    /// use honeyhive::client::Client;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = format!("hh_fgdp_{}_{}", "a".repeat(24), "b".repeat(64));
    /// # let server = honeyhive_local::LocalServer::builder().data_plane_api_key(&key).start().await?;
    /// # let client = Client::builder().data_plane_api_key(&key).server_url(server.url()).build()?;
    /// let project = client.in_project("proj_42");
    /// assert!(project.datasets().list().await?.is_empty());
    /// # assert_eq!(server.requests()[0].path, "/v1/projects/proj_42/datasets");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn in_project(&self, project_id: impl Into<String>) -> Self {
        Self {
            project_id: Some(project_id.into().into()),
            ..self.clone()
        }
    }

    /// Returns the client with another time limit for one attempt of a call (default: the
    /// [`api_timeout`](crate::HoneyHiveTracerBuilder::api_timeout), 5 s). Large summaries and pages may need more.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            timeout,
            ..self.clone()
        }
    }

    pub(super) fn outbox(&self) -> &Outbox {
        self.lifeline.outbox()
    }

    pub(super) fn project_id(&self) -> Option<&str> {
        self.project_id.as_deref()
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }
}
