//! The REST calls have these bodies.
//!
//! Times are numbers of milliseconds: HoneyHive takes a text as "now", without a word.

use serde::Serialize;
use serde_json::Map;

use crate::model::id::SessionId;
use crate::model::object::Object;

/// The body of `POST /v1/sessions`, which refuses a field that it does not list, has these fields: the route lists them
/// and `event_name` and `children_ids`. An error has its place in the metadata, metrics and feedback in an update.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StartSession {
    pub(crate) session_id: SessionId,
    pub(crate) session_name: String,
    pub(crate) source: String,
    pub(crate) start_time: f64,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) inputs: Object,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) outputs: Object,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) config: Object,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) metadata: Object,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) user_properties: Object,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<f64>,
}

/// The body of `PUT /v1/events/{id}` takes no inputs and no error; the route merges all objects but `outputs`, which it
/// replaces.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct UpdateEvent {
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) metadata: Object,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) feedback: Object,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) metrics: Object,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) outputs: Object,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) config: Object,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) user_properties: Object,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<f64>,
}

/// Makes the body of `POST /session/start`, which wraps the same session and takes a project besides.
pub(crate) fn legacy_start(session: &[u8], project: Option<&str>) -> Vec<u8> {
    let fields = session.strip_prefix(b"{").unwrap_or(session);
    let project = project.map(|name| format!("\"project\":{},", serde_json::Value::from(name)));
    let project = project.unwrap_or_default();
    [b"{\"session\":{", project.as_bytes(), fields, b"}"].concat()
}

/// Makes the body of `PUT /events`, which names the event in the body.
pub(crate) fn legacy_update(event_id: SessionId, update: &[u8]) -> Vec<u8> {
    let fields = update.strip_prefix(b"{").unwrap_or(update);
    let comma = if fields == b"}" { "" } else { "," };
    let name = format!("{{\"event_id\":\"{event_id}\"{comma}");
    [name.as_bytes(), fields].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_legacy_body_is_the_same_with_something_around_it() {
        let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
        let id = SessionId::new();
        assert_eq!(
            parsed(&legacy_start(br#"{"session_id":"x"}"#, None)),
            json!({"session": {"session_id": "x"}})
        );
        assert_eq!(
            parsed(&legacy_start(br#"{"session_id":"x"}"#, Some("\"shop\""))),
            json!({"session": {"session_id": "x", "project": "\"shop\""}})
        );
        assert_eq!(parsed(&legacy_update(id, b"{}")), json!({"event_id": id}));
        assert_eq!(
            parsed(&legacy_update(id, br#"{"metadata":{"a":1}}"#)),
            json!({"event_id": id, "metadata": {"a": 1}})
        );
    }
}
