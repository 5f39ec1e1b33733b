//! [`NewSession`] holds the data of a new session.

use std::fmt;

use serde::Serialize;

use crate::enrichment::object_of;
use crate::model::id::SessionId;
use crate::model::object::{Bucket, Object, merge};
use crate::outbox::Experiment;

/// A new session begins with these data; a plain `&str` or `String` is a name and nothing else.
///
/// ```
/// use honeyhive::{HoneyHiveTracer, NewSession};
/// use serde_json::json;
///
/// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
/// let job = tracer.create_session("nightly-import");
/// let chat = tracer.create_session(
///     NewSession::named("support-chat")
///         .id("thread_42")                       // your own id scheme
///         .inputs(json!({"question": "Where is my order?"}))
///         .user_properties(json!({"plan": "pro"})),
/// );
/// let again = tracer.create_session(NewSession::existing(chat.id())); // no API call
/// assert_eq!(chat.id(), again.id());
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
#[derive(Clone, Default)]
pub struct NewSession {
    pub(crate) name: Option<String>,
    pub(crate) id: Option<SessionId>,
    pub(crate) inputs: Object,
    pub(crate) metadata: Object,
    pub(crate) user_properties: Object,
    pub(crate) source: Option<String>,
    pub(crate) skip_api_call: bool,
    pub(crate) experiment: Option<Experiment>,
    pub(crate) refused: u32,
    pub(crate) ignored_ids: u32,
}

/// Shows the name and the id, but no content: content does not belong in a log.
impl fmt::Debug for NewSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NewSession")
            .field("name", &self.name)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl NewSession {
    /// Returns a session with a name; a blank one counts as none.
    #[doc(alias = "session_name")]
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// Returns a session that HoneyHive has already: it is linked, and never started from here. A placeholder as the id
    /// links to nothing, so a new session begins.
    #[doc(alias = "skip_api_call")]
    #[must_use]
    pub fn existing(id: impl Into<SessionId>) -> Self {
        Self::default().id(id).skip_api_call(true)
    }

    /// Sets the id, instead of a random one. Text that is no UUID is mapped, see [`SessionId::from_correlation_id`]; a
    /// [placeholder](SessionId#what-is-no-id) is ignored.
    #[must_use]
    pub fn id(mut self, id: impl Into<SessionId>) -> Self {
        let id = id.into();
        if id.is_none() {
            self.ignored_ids += 1;
        } else {
            self.id = Some(id);
        }
        self
    }

    /// Sets the session's inputs: anything that serialises to an object.
    #[must_use]
    #[track_caller]
    pub fn inputs(mut self, map: impl Serialize) -> Self {
        add(Bucket::Inputs, &mut self.refused, &mut self.inputs, &map);
        self
    }

    /// Sets facts about the session: anything that serialises to an object.
    #[must_use]
    #[track_caller]
    pub fn metadata(mut self, map: impl Serialize) -> Self {
        add(
            Bucket::Metadata,
            &mut self.refused,
            &mut self.metadata,
            &map,
        );
        self
    }

    /// Sets the user that the session belongs to: anything that serialises to an object.
    #[must_use]
    #[track_caller]
    pub fn user_properties(mut self, map: impl Serialize) -> Self {
        add(
            Bucket::UserProperties,
            &mut self.refused,
            &mut self.user_properties,
            &map,
        );
        self
    }

    /// Sets the source of the session, instead of the tracer's.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets whether to link to a session that exists in HoneyHive, without starting it (default `false`). The link
    /// needs an id: without one this changes nothing.
    #[must_use]
    pub const fn skip_api_call(mut self, skip: bool) -> Self {
        self.skip_api_call = skip;
        self
    }

    /// Sets the experiment that the session is part of. Its ids are in the metadata of the session, if it begins here,
    /// and of each of its spans; such a session is sent whatever the sampling.
    pub(crate) fn experiment(mut self, experiment: Option<Experiment>) -> Self {
        self.experiment = experiment;
        self
    }

    /// Returns whether there is nothing to start.
    pub(super) const fn is_link(&self) -> bool {
        self.skip_api_call && self.id.is_some()
    }
}

#[track_caller]
fn add(bucket: Bucket, refused: &mut u32, object: &mut Object, map: &impl Serialize) {
    match object_of(bucket, map) {
        Some(more) => merge(object, more),
        None => *refused += 1,
    }
}

impl From<&str> for NewSession {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl From<&String> for NewSession {
    fn from(name: &String) -> Self {
        Self::named(name)
    }
}

impl From<String> for NewSession {
    fn from(name: String) -> Self {
        Self::named(name)
    }
}
