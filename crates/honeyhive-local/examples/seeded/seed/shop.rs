use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::spans::{Span, attribute};

/// A `Shop` is a client of the server.
pub(crate) struct Shop {
    url: String,
    http: reqwest::Client,
    now: f64,
}

impl Shop {
    pub(crate) fn new(url: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        Self {
            url: url.to_owned(),
            http: http.expect("a client"),
            now: now.as_secs_f64() * 1e3,
        }
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let sent = self
            .http
            .post(format!("{}{path}", self.url))
            .json(&body)
            .send();
        let answer = sent.await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(super) async fn put(&self, path: &str, body: Value) {
        let sent = self
            .http
            .put(format!("{}{path}", self.url))
            .json(&body)
            .send();
        let status = sent.await.expect("an answer").status();
        assert!(status.is_success(), "{path}: {status}");
    }

    /// Sends a session that began so many seconds ago.
    pub(crate) async fn session(&self, id: &str, name: &str, ago: f64, rest: Value) {
        let mut body = json!({ "session_id": id, "session_name": name, "source": "dev", "start_time": (self.now - ago * 1e3).floor() });
        for (key, value) in rest.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        self.post("/v1/sessions", body).await;
    }

    pub(crate) async fn update(&self, id: &str, update: Value) {
        self.put(&format!("/v1/events/{id}"), update).await;
    }

    /// Sends spans of one session that began so many seconds ago.
    pub(crate) async fn spans(&self, ago: f64, spans: &[Span<'_>]) {
        let spans: Vec<Value> = spans.iter().map(|span| self.span(ago, span)).collect();
        let body = json!({ "resourceSpans": [{
            "resource": { "attributes": [attribute("service.name", &json!("support-bot"))] },
            "scopeSpans": [{ "scope": { "name": "shop" }, "spans": spans }],
        }] });
        self.post("/v1/traces", body).await;
    }

    fn span(&self, ago: f64, span: &Span<'_>) -> Value {
        let start = (self.now - ago * 1e3 + span.from * 1e3) * 1e6;
        let mut attributes = vec![attribute("honeyhive_event_type", &json!(span.kind))];
        if !span.session.is_empty() {
            attributes.push(attribute("honeyhive.session_id", &json!(span.session)));
        }
        let given = span.attributes.as_object().into_iter().flatten();
        attributes.extend(given.map(|(key, value)| attribute(key, value)));
        let trace = u128::from_str_radix(&span.session.replace('-', ""), 16).unwrap_or(7);
        json!({
            "traceId": format!("{:032x}", trace | 1),
            "spanId": format!("{:016x}", span.id),
            "parentSpanId": if span.parent == 0 { String::new() } else { format!("{:016x}", span.parent) },
            "name": span.name,
            "kind": 1,
            "startTimeUnixNano": format!("{start:.0}"),
            "endTimeUnixNano": format!("{:.0}", start + span.seconds * 1e9),
            "attributes": attributes,
        })
    }
}
