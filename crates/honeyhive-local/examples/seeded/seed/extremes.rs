//! One session is hostile, and one very long.

use serde_json::json;

use super::shop::Shop;
use super::spans::{Span, model};

/// The hostile session has names and values that try to be something else.
pub(crate) const HOSTILE: &str = "bad00000-2e91-47d1-8b9f-101966639da2";

/// A hostile client puts this text everywhere.
pub(crate) const SCRIPT: &str =
    "<script>alert('x')</script>\"'&<img src=http://evil.example/x.png onerror=alert(1)>\u{202e}";

impl Shop {
    /// Sends a session whose every word tries to be markup.
    pub(crate) async fn hostile(&self) {
        let long = "x".repeat(3_000);
        let inputs = json!({ SCRIPT: SCRIPT, "message": format!("{SCRIPT}{long}") });
        let start = json!({ "source": SCRIPT, "inputs": inputs, "outputs": { "answer": SCRIPT }, "user_properties": { "user_id": SCRIPT } });
        self.session(HOSTILE, SCRIPT, 5.0, start).await;
        let history = json!([{ "role": SCRIPT, "content": SCRIPT, "tool_calls": [{ "name": SCRIPT, "arguments": SCRIPT }] }, { "role": "user", "content": [{ "type": "image_url", "image_url": "http://evil.example/i.png" }] }]);
        let mut span = model(
            HOSTILE,
            &history,
            json!({ "role": SCRIPT, "content": SCRIPT }),
            (1, 2, 0),
            SCRIPT,
        );
        span.name = SCRIPT;
        span.parent = 0;
        span.attributes["honeyhive_error"] = json!(SCRIPT);
        span.attributes[SCRIPT] = json!(SCRIPT);
        span.attributes["honeyhive_config.model"] = json!(format!("{SCRIPT}{long}"));
        self.spans(
            5.0,
            &[Span {
                id: 1,
                seconds: 1.0,
                ..span
            }],
        )
        .await;
        let name = format!("{long}{SCRIPT}");
        let nameless = Span {
            session: "",
            id: 990,
            parent: 0,
            name: &name,
            kind: SCRIPT,
            from: 0.0,
            seconds: 1.0,
            attributes: json!({}),
        };
        let unknown = Span {
            session: &long[..256],
            id: 991,
            parent: 0,
            name: SCRIPT,
            kind: SCRIPT,
            from: 0.0,
            seconds: 1.0,
            attributes: json!({}),
        };
        self.spans(5.0, &[nameless, unknown]).await;
    }

    /// Sends a session of so many events, ten below each chain, a failure among each thousand.
    pub(crate) async fn large(&self, id: &str, events: u64) {
        self.session(
            id,
            "a long run",
            300.0,
            json!({ "inputs": { "message": "do everything" } }),
        )
        .await;
        let spans: Vec<Span<'_>> = (1..=events)
            .map(|at| {
                let is_chain = at % 11 == 1;
                let mut attributes = json!({ "honeyhive_inputs.step": format!("step {at}") });
                if at % 1000 == 500 {
                    attributes["honeyhive_error"] = json!("the step failed");
                }
                Span {
                    session: id,
                    id: at,
                    parent: if is_chain { 0 } else { at - (at - 1) % 11 },
                    name: if is_chain { "round" } else { "step" },
                    kind: if is_chain { "chain" } else { "tool" },
                    from: at as f64 / 20.0,
                    seconds: if is_chain { 0.5 } else { 0.04 },
                    attributes,
                }
            })
            .collect();
        for some in spans.chunks(1000) {
            self.spans(300.0, some).await;
        }
        self.update(
            id,
            json!({ "duration": 250_000, "metadata": { "outcome": "complete" } }),
        )
        .await;
    }
}
