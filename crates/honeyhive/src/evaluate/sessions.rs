//! Recorded sessions of production become a dataset for tests.

use std::future::poll_fn;
use std::pin::pin;

use futures_core::Stream;
use serde_json::Value;

use super::dataset::{Dataset, Row};
use crate::client::{ClientError, Event, EventKind};

impl Dataset {
    /// Reads recorded sessions as rows: their inputs and outputs, the correct answer where somebody's feedback has named one,
    /// and the session as `linked_event`. Other events are left out.
    ///
    /// ```
    /// use honeyhive::client::{Client, EventSearch};
    /// use honeyhive::evaluate::Dataset;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = honeyhive_local::LocalServer::builder().start().await?;
    /// # let client = Client::builder().api_key("hh_local").server_url(server.url()).build()?;
    /// # #[cfg(any())]
    /// let client = Client::from_env()?;
    /// let sessions = client.events().search(EventSearch::sessions());
    /// let dataset = Dataset::from_sessions(sessions).await?.named("what users asked");
    /// # drop(dataset);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Where HoneyHive does not answer.
    pub async fn from_sessions(
        events: impl Stream<Item = Result<Event, ClientError>>,
    ) -> Result<Self, ClientError> {
        let mut events = pin!(events);
        let mut rows = Vec::new();
        while let Some(event) = poll_fn(|task| events.as_mut().poll_next(task)).await {
            let event = event?;
            if event.event_type == EventKind::Session {
                rows.push(row_of(event));
            }
        }
        Ok(Self::new(rows))
    }
}

fn row_of(mut session: Event) -> Row {
    let row = Row::new(session.inputs)
        .id(session.event_id.clone())
        .with("outputs", session.outputs)
        .with("linked_event", session.event_id);
    match session.feedback.remove("ground_truth") {
        Some(ground_truth) if ground_truth != Value::Null => row.ground_truth(ground_truth),
        _ => row,
    }
}
