//! [`EventStream`] gives the events that a search finds.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::error::ClientError;
use super::event::Event;
use super::event_search::{self, EventSearch};
use super::handle::Client;

type Page = Pin<Box<dyn Future<Output = Result<Vec<Event>, ClientError>> + Send>>;

/// The stream gives events that a search has found, from [`Events::search`](super::Events::search), the newest first.
/// The stream asks for the next page once the one before has been taken, and ends after an error.
#[must_use = "nothing is asked before it is polled"]
pub struct EventStream {
    client: Client,
    search: Arc<EventSearch>,
    /// The number of the next page is `None` after the last one.
    next: Option<u32>,
    asked: Option<Page>,
    events: VecDeque<Event>,
    /// The ids are those of the page before: events recorded meanwhile move others to the next page, where they come
    /// again.
    before: HashSet<String>,
}

impl fmt::Debug for EventStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EventStream")
            .field("search", &self.search)
            .finish_non_exhaustive()
    }
}

impl EventStream {
    pub(super) fn new(client: Client, search: EventSearch) -> Self {
        Self {
            client,
            search: Arc::new(search),
            next: Some(1),
            asked: None,
            events: VecDeque::new(),
            before: HashSet::new(),
        }
    }

    /// Returns the next event.
    pub async fn next(&mut self) -> Option<Result<Event, ClientError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Returns all events that are left.
    ///
    /// # Errors
    ///
    /// A page could not be fetched.
    pub async fn all(mut self) -> Result<Vec<Event>, ClientError> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event?);
        }
        Ok(all)
    }

    fn ask(&self, page: u32) -> Page {
        let (client, search) = (self.client.clone(), Arc::clone(&self.search));
        Box::pin(async move { event_search::page(&client, &search, page).await })
    }

    /// Takes a page in.
    fn take(&mut self, number: u32, page: Vec<Event>) {
        let is_last = page.len() < self.search.most_on_a_page();
        self.next = if is_last { None } else { number.checked_add(1) };
        let ids = page.iter().map(|event| event.event_id.clone()).collect();
        let before = std::mem::replace(&mut self.before, ids);
        let is_new = |event: &Event| !before.contains(&event.event_id);
        self.events.extend(page.into_iter().filter(is_new));
    }
}

impl Stream for EventStream {
    type Item = Result<Event, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            let Some(number) = self.next else {
                return Poll::Ready(None);
            };
            let mut asked = self.asked.take().unwrap_or_else(|| self.ask(number));
            let Poll::Ready(page) = asked.as_mut().poll(cx) else {
                self.asked = Some(asked);
                return Poll::Pending;
            };
            match page {
                Ok(page) => self.take(number, page),
                Err(error) => {
                    self.next = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}
