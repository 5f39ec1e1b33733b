//! A shop's assistant has sessions of every kind in an hour, and spans that find none.

use serde_json::json;

use super::shop::Shop;
use super::spans::{Span, asked};

impl Shop {
    pub(super) async fn chats(&self) {
        self.worker().await;
        self.evaluated().await;
        self.failed().await;
        self.left().await;
        self.small().await;
        self.returns().await;
    }

    async fn worker(&self) {
        let id = "8dd74347-0d2c-4c0e-9f43-0a6cf1a0d001";
        let inputs = json!({ "batch": "batch 42, 1,200 rows" });
        self.session(id, "worker: import", 900.0, json!({ "inputs": inputs }))
            .await;
        let spans: Vec<Span<'_>> = (1..=36)
            .map(|row| Span {
                session: id,
                id: row,
                parent: if row % 6 == 1 { 0 } else { row - (row - 1) % 6 },
                name: if row % 6 == 1 {
                    "import rows"
                } else {
                    "insert row"
                },
                kind: if row % 6 == 1 { "chain" } else { "tool" },
                from: row as f64,
                seconds: if row % 6 == 1 { 5.6 } else { 0.8 },
                attributes: json!({ "honeyhive_inputs.row": row }),
            })
            .collect();
        self.spans(900.0, &spans).await;
        let outputs = json!({ "result": "1,198 imported, 2 refused" });
        let update = json!({ "outputs": outputs, "duration": 38_200, "metadata": { "outcome": "panicked", "error": "index out of bounds: the len is 1198 but the index is 1198" } });
        self.update(id, update).await;
    }

    async fn evaluated(&self) {
        let id = "ca1d2622-0d2c-4c0e-9f43-0a6cf1a0d002";
        let question = "What is the warranty on the X200?";
        let answer = "Two years, three with registration.";
        let inputs = json!({ "question": question });
        let start = json!({ "source": "evaluation", "inputs": inputs, "outputs": { "answer": answer }, "duration": 910 });
        self.session(id, "nightly-eval · q17", 840.0, start).await;
        let call = asked(id, "gpt-4o-mini", 402, 19, question, answer);
        self.spans(
            840.0,
            &[Span {
                id: 1,
                from: 0.02,
                seconds: 0.86,
                ..call
            }],
        )
        .await;
        self.update(id, json!({ "metrics": { "exact_match": 1 } }))
            .await;
    }

    async fn failed(&self) {
        let id = "a2908971-0d2c-4c0e-9f43-0a6cf1a0d003";
        let inputs = json!({ "method": "POST", "path": "/chat", "user_id": "grace", "message": "Summarise the attached contract" });
        self.session(id, "POST /chat", 420.0, json!({ "inputs": inputs }))
            .await;
        let failure = "the model endpoint failed: rate limit reached for gpt-4o in organization org-7, try again in 20 s";
        let mut call = asked(
            id,
            "gpt-4o",
            14_880,
            0,
            "Summarise the attached contract",
            "",
        );
        call.attributes["honeyhive_error"] = json!(failure);
        self.spans(
            420.0,
            &[Span {
                id: 1,
                from: 0.01,
                seconds: 0.35,
                ..call
            }],
        )
        .await;
        let metadata = json!({ "outcome": "error", "error": failure });
        let update =
            json!({ "outputs": { "status_code": 502 }, "duration": 380, "metadata": metadata });
        self.update(id, update).await;
    }

    async fn left(&self) {
        let id = "350a7a98-0d2c-4c0e-9f43-0a6cf1a0d004";
        let question = "Write me a long story about a lighthouse";
        let inputs = json!({ "method": "POST", "path": "/chat/stream", "user_id": "linus", "message": question });
        self.session(id, "POST /chat/stream", 240.0, json!({ "inputs": inputs }))
            .await;
        let answer = "The lamp had not been lit for eleven years when the letter came, and even then it was only because the new keeper could not sleep.";
        let call = asked(id, "gpt-4o-mini", 88, 214, question, answer);
        self.spans(
            240.0,
            &[Span {
                id: 1,
                from: 0.04,
                seconds: 4.0,
                ..call
            }],
        )
        .await;
        let outputs = json!({ "status_code": 200, "answer": answer });
        let update = json!({ "outputs": outputs, "duration": 4120, "metadata": { "outcome": "client_disconnected" } });
        self.update(id, update).await;
    }

    /// Sends ordinary traffic.
    async fn small(&self) {
        let talks = [
            (
                "Do you ship to Norway?",
                "Yes, for 9 EUR; it takes three to five days.",
            ),
            (
                "My parcel says delivered, but there is nothing here.",
                "I am sorry. I have opened a case with the carrier; you hear from us by tomorrow noon.",
            ),
            (
                "Which size should I take if I am 178 cm?",
                "A medium. If you like it loose, a large.",
            ),
            (
                "Cancel order 1177, please",
                "Order 1177 is cancelled, and 42.00 EUR are on their way back.",
            ),
        ];
        for (index, (question, answer)) in talks.iter().enumerate() {
            let id = format!("5a11{index:04}-0d2c-4c0e-9f43-0a6cf1a0d005");
            let ago = 200.0 - 35.0 * index as f64;
            let inputs =
                json!({ "method": "POST", "path": "/chat", "user_id": "ada", "message": question });
            self.session(&id, "POST /chat", ago, json!({ "inputs": inputs }))
                .await;
            let call = asked(
                &id,
                "gpt-4o-mini",
                310 + 17 * index as i64,
                24 + 5 * index as i64,
                question,
                answer,
            );
            self.spans(
                ago,
                &[Span {
                    id: 1,
                    from: 0.03,
                    seconds: 0.7 + 0.2 * index as f64,
                    ..call
                }],
            )
            .await;
            let metadata = json!({ "outcome": "complete" });
            let update = json!({ "outputs": { "status_code": 200, "answer": answer }, "duration": 780 + 210 * index, "metadata": metadata });
            self.update(&id, update).await;
        }
    }

    /// Sends spans that find no session.
    pub(super) async fn lost(&self) {
        let lost = |session, name, id| Span {
            session,
            id,
            parent: 0,
            name,
            kind: "tool",
            from: 0.0,
            seconds: 0.3,
            attributes: json!({}),
        };
        self.spans(
            30.0,
            &[
                lost("", "embed query", 901),
                lost("0f0f0f0f-0d2c-4c0e-9f43-0a6cf1a0d009", "rerank", 902),
                lost("", "cache lookup", 903),
            ],
        )
        .await;
    }
}
