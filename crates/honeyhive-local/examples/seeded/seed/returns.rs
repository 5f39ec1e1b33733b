//! The chat has two model calls with tools between them.

use serde_json::{Value, json};

use super::shop::Shop;
use super::spans::{Span, flat, model};

/// The page of this session shows all there is: a model that calls tools, one of them again after a failure.
pub(crate) const RETURNS: &str = "d5556dbd-2e91-47d1-8b9f-101966639da2";

impl Shop {
    /// Sends two model calls with tools between them, one of which is tried again.
    pub(super) async fn returns(&self) {
        let id = RETURNS;
        let question = "Which of my orders can still be returned?";
        let answer =
            "Two of them: #1182 (until Friday) and #1190. Shall I start the return for the jacket?";
        let inputs =
            json!({ "method": "POST", "path": "/chat", "user_id": "ada", "message": question });
        self.session(id, "POST /chat", 40.0, json!({ "inputs": inputs }))
            .await;
        let system = json!({ "role": "system", "content": "You help customers of a clothing shop. Answer in two sentences." });
        let user = json!({ "role": "user", "content": question });
        let calls = json!([
            { "id": "c1", "type": "function", "function": { "name": "find_orders", "arguments": "{\"customer\": \"ada\", \"since\": \"2026-10-01\"}" } },
            { "id": "c2", "type": "function", "function": { "name": "return_policy", "arguments": "{\"country\": \"DE\"}" } },
        ]);
        let orders = "[{\"id\": 1182, \"item\": \"jacket\", \"delivered\": \"2026-11-20\"}, {\"id\": 1190, \"item\": \"scarf\", \"delivered\": \"2026-11-26\"}]";
        let policy = "{\"days\": 14, \"from\": \"delivery\", \"unworn\": true}";
        let before = json!([system, user]);
        let after = json!([system, user, { "role": "assistant", "content": null, "tool_calls": calls },
            { "role": "tool", "tool_call_id": "c1", "content": orders }, { "role": "tool", "tool_call_id": "c2", "content": policy }]);
        let first = model(
            id,
            &before,
            json!({ "role": "assistant", "tool_calls": calls }),
            (612, 44, 512),
            "tool_calls",
        );
        let second = model(
            id,
            &after,
            json!({ "role": "assistant", "content": answer }),
            (592, 268, 512),
            "stop",
        );
        let tool = |name, inputs: Value, outputs: Value| Span {
            session: id,
            id: 0,
            parent: 1,
            name,
            kind: "tool",
            from: 0.0,
            seconds: 0.0,
            attributes: flat(json!({ "honeyhive_inputs": inputs, "honeyhive_outputs": outputs })),
        };
        let mut refused = tool("return_policy", json!({ "country": "DE" }), json!({}));
        refused.attributes["honeyhive_error"] = json!("503, tried again: upstream connect error");
        let turn = Span {
            session: id,
            id: 1,
            parent: 0,
            name: "chat turn",
            kind: "chain",
            from: 0.0,
            seconds: 2.41,
            attributes: json!({ "honeyhive_inputs.message": question, "honeyhive_outputs.reply": answer }),
        };
        self.spans(
            40.0,
            &[
                turn,
                Span {
                    id: 2,
                    from: 0.02,
                    seconds: 0.94,
                    ..first
                },
                Span {
                    id: 3,
                    from: 0.98,
                    seconds: 0.218,
                    ..tool(
                        "find_orders",
                        json!({ "customer": "ada", "since": "2026-10-01" }),
                        json!({ "orders": 2 }),
                    )
                },
                Span {
                    id: 4,
                    parent: 3,
                    from: 1.0,
                    seconds: 0.171,
                    ..tool(
                        "SELECT orders",
                        json!({ "sql": "SELECT * FROM orders WHERE customer = $1" }),
                        json!({ "rows": 2 }),
                    )
                },
                Span {
                    id: 5,
                    from: 1.22,
                    seconds: 0.112,
                    ..refused
                },
                Span {
                    id: 6,
                    from: 1.36,
                    seconds: 0.121,
                    ..tool(
                        "return_policy",
                        json!({ "country": "DE" }),
                        json!({ "days": 14 }),
                    )
                },
                Span {
                    id: 7,
                    from: 1.51,
                    seconds: 0.87,
                    ..second
                },
            ],
        )
        .await;
        let outputs = json!({ "status_code": 200, "answer": answer });
        let update =
            json!({ "outputs": outputs, "duration": 2410, "metadata": { "outcome": "complete" } });
        self.update(id, update).await;
    }
}
