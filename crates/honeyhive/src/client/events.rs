//! The calls read events and sessions as they were recorded.

use http::Method;

use super::error::ClientError;
use super::event::Event;
use super::event_search::EventSearch;
use super::event_stream::EventStream;
use super::handle::Client;

impl Client {
    /// Returns the calls about events and sessions, as they were recorded.
    #[must_use]
    pub const fn events(&self) -> Events<'_> {
        Events { client: self }
    }
}

/// The handle makes the calls about events; it comes from [`Client::events`].
///
/// # Errors
///
/// Every call fails with a [`ClientError`].
#[derive(Debug, Clone, Copy)]
pub struct Events<'c> {
    client: &'c Client,
}

impl Events<'_> {
    /// Returns one event or session; `None` where none has this id.
    pub async fn get(&self, id: &str) -> Result<Option<Event>, ClientError> {
        let call = self.client.call(Method::GET, &["events", id]);
        match call.take_one("event").await {
            Err(error) if error.is_not_found() => Ok(None),
            found => found,
        }
    }

    /// Looks for events, page by page as they are taken: a [`Stream`](futures_core::Stream), which also has
    /// [`next`](EventStream::next) and [`all`](EventStream::all) of its own.
    ///
    /// ```
    /// use honeyhive::client::{Client, EventSearch, Operator};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = honeyhive_local::LocalServer::builder().start().await?;
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().api_key("hh_local").server_url(server.url()).build()?;
    /// # tracer.create_session("chat").feedback(honeyhive::json!({"rating": 1}));
    /// # tracer.force_flush(std::time::Duration::from_secs(5)).await?;
    /// # let client = tracer.client();
    /// let bad = EventSearch::sessions().filter("feedback.rating", Operator::LessThan, 3);
    /// let mut found = client.events().search(bad);
    /// while let Some(session) = found.next().await {
    ///     println!("{}", session?.event_name);
    /// #   assert_eq!(found.next().await, None);
    /// #   return Ok(());
    /// }
    /// # Err("nothing was found".into())
    /// # }
    /// ```
    pub fn search(&self, search: EventSearch) -> EventStream {
        EventStream::new(self.client.clone(), search)
    }
}
