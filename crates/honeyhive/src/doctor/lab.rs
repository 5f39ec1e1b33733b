//! [`Lab`] makes calls by hand, which answer questions about HoneyHive.

use std::time::{SystemTime, UNIX_EPOCH};

use http::Method;
use serde_json::{Value, json};

use super::asking::{Asker, pause};
use crate::model::id::SessionId;
use crate::wire::ApiFailure;

/// An event is searched for this many times, a second apart.
const LOOKS: u32 = 5;

/// Returns the events that have this value in this field.
pub(super) async fn events(
    asker: &Asker<'_>,
    field: &str,
    value: &str,
) -> Result<Vec<Value>, ApiFailure> {
    let filter = json!({"field": field, "operator": "is", "value": value, "type": "string"});
    let body = json!({"filters": [filter], "limit": 100});
    let takes = crate::secret::KeyKind::Project;
    let got = asker
        .ask(Method::POST, "/v1/events/search", Some(&body), takes)
        .await?;
    Ok(got.body["events"].as_array().cloned().unwrap_or_default())
}

/// Returns an attribute of a span, a text, a whole number or a boolean, in OTLP's JSON.
fn attribute(key: &str, value: &Value) -> Value {
    let value = match value {
        Value::Bool(flag) => json!({"boolValue": flag}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
        text => json!({"stringValue": text}),
    };
    json!({"key": key, "value": value})
}

/// The lab answers the questions by calls to HoneyHive.
pub(super) struct Lab<'a> {
    pub(super) asker: &'a Asker<'a>,
}

impl Lab<'_> {
    pub(super) fn id() -> String {
        SessionId::new().to_string()
    }

    pub(super) async fn start(&self, body: &Value) -> Result<Value, ApiFailure> {
        let got = self.asker.write(Method::POST, "/v1/sessions", body).await?;
        Ok(got.body)
    }

    pub(super) async fn put(&self, id: &str, body: &Value) -> Result<Value, ApiFailure> {
        let path = format!("/v1/events/{id}");
        Ok(self.asker.write(Method::PUT, &path, body).await?.body)
    }

    /// Sends one span.
    pub(super) async fn span(
        &self,
        name: &str,
        session: &str,
        more: &[(&str, Value)],
    ) -> Result<Value, ApiFailure> {
        let trace = Self::id().replace('-', "");
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let mut attributes = vec![
            attribute("honeyhive.session_id", &session.into()),
            attribute("honeyhive.session_name", &name.into()),
            attribute("honeyhive.session_auto_create", &true.into()),
        ];
        attributes.extend(more.iter().map(|(key, value)| attribute(key, value)));
        let span = json!({
            "traceId": trace, "spanId": &trace[16..], "name": name, "kind": 1,
            "startTimeUnixNano": now.as_nanos().to_string(),
            "endTimeUnixNano": (now.as_nanos() + 1_000_000).to_string(),
            "attributes": attributes,
        });
        let body = json!({"resourceSpans": [{"resource": {"attributes": []},
            "scopeSpans": [{"scope": {"name": "honeyhive.doctor"}, "spans": [span]}]}]});
        let got = self
            .asker
            .write(Method::POST, "/opentelemetry/v1/traces", &body)
            .await?;
        Ok(got.body)
    }

    /// Returns the first event with this value, once there is one that `is_it`.
    pub(super) async fn find(
        &self,
        field: &str,
        value: &str,
        is_it: impl Fn(&Value) -> bool,
    ) -> Result<Option<Value>, ApiFailure> {
        for round in 1..=LOOKS {
            let found = events(self.asker, field, value).await?;
            if let Some(event) = found.into_iter().find(|event| is_it(event)) {
                return Ok(Some(event));
            }
            if round < LOOKS {
                pause().await;
            }
        }
        Ok(None)
    }

    /// Returns a session, once HoneyHive shows it.
    pub(super) async fn session(&self, id: &str) -> Result<Value, ApiFailure> {
        let found = self
            .find("session_id", id, |event| event["event_id"] == id)
            .await?;
        Ok(found.unwrap_or_default())
    }
}
