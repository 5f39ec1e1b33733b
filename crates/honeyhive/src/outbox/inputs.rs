//! [`Inputs`] are the inputs of a session, as they came. The delivery thread makes JSON of them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::attributes::USER_ID;
use crate::model::limits::{self, VALUE_BYTES};
use crate::model::object::{Object, object_bytes};

/// A session begins with these inputs.
#[derive(Debug)]
pub(crate) enum Inputs {
    Object(Object),
    #[cfg_attr(
        not(feature = "http-server"),
        expect(dead_code, reason = "made by adapters only")
    )]
    Request(RequestInputs),
    /// The event of a Lambda invocation is unparsed.
    #[cfg(feature = "lambda")]
    Event(EventInputs),
}

impl Inputs {
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Object(object) => object_bytes(object),
            Self::Request(request) => {
                let user_id = request.user_id.as_ref().map_or(0, |text| text.len());
                request.path.len() + user_id + object_bytes(&request.more)
            }
            #[cfg(feature = "lambda")]
            Self::Event(event) => event.0.len(),
        }
    }

    #[inline]
    pub(super) fn fit(&mut self) {
        let object = match self {
            Self::Object(object) => object,
            Self::Request(request) => &mut request.more,
            // An event is bounded where it comes in.
            #[cfg(feature = "lambda")]
            Self::Event(_) => return,
        };
        if object_bytes(object) > VALUE_BYTES {
            limits::fit_objects([object]);
        }
    }

    pub(crate) fn to_object(&self) -> Object {
        match self {
            Self::Object(object) => object.clone(),
            Self::Request(request) => request.to_object(),
            #[cfg(feature = "lambda")]
            Self::Event(event) => event.to_object(),
        }
    }
}

/// The inputs of an HTTP request's session stay as they came: no JSON is made while the request waits.
#[derive(Debug)]
pub(crate) struct RequestInputs {
    pub(crate) method: Cow<'static, str>,
    pub(crate) path: Arc<str>,
    pub(crate) user_id: Option<Box<str>>,
    /// The program's own callback added these inputs.
    pub(crate) more: Object,
}

impl RequestInputs {
    fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.insert("method".to_owned(), self.method.as_ref().into());
        object.insert("path".to_owned(), self.path.as_ref().into());
        if let Some(user_id) = &self.user_id {
            object.insert(USER_ID.to_owned(), user_id.as_ref().into());
        }
        crate::model::object::merge(&mut object, self.more.clone());
        object
    }
}

/// The event of a Lambda invocation stays unparsed: no JSON is built while the invocation waits.
#[cfg(feature = "lambda")]
pub(crate) struct EventInputs(pub(crate) bytes::Bytes);

#[cfg(feature = "lambda")]
impl EventInputs {
    fn to_object(&self) -> Object {
        // The event was scanned before, so it is JSON.
        let event = serde_json::from_slice(&self.0).unwrap_or_default();
        Object::from_iter([("event".to_owned(), event)])
    }
}

#[cfg(feature = "lambda")]
impl std::fmt::Debug for EventInputs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // An event's contents stay out of logs: an API gateway's event has all headers of the request.
        write!(formatter, "EventInputs({} bytes)", self.0.len())
    }
}
