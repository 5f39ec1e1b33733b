//! Sessions as a shop's assistant would send them, by HTTP alone.

#![allow(
    dead_code,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "shared by an example and a test, which use parts of it and may panic"
)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// The session whose page shows all there is: a model that calls tools, one of them again after a failure.
pub(crate) const RETURNS: &str = "d5556dbd-2e91-47d1-8b9f-101966639da2";

/// The session with names and values that try to be something else.
pub(crate) const HOSTILE: &str = "bad00000-2e91-47d1-8b9f-101966639da2";

/// The runs of the experiment.
pub(crate) const OLD_RUN: &str = "05aa0000-2e91-47d1-8b9f-101966639da2";
pub(crate) const NEW_RUN: &str = "7c1e0000-2e91-47d1-8b9f-101966639da2";

/// Text that a hostile client puts everywhere.
pub(crate) const SCRIPT: &str =
    "<script>alert('x')</script>\"'&<img src=http://evil.example/x.png onerror=alert(1)>\u{202e}";

/// Everything of the example.
pub(crate) async fn everything(url: &str) {
    let shop = Shop::new(url);
    shop.experiments().await;
    shop.chats().await;
    shop.lost().await;
}

/// A client of the server.
pub(crate) struct Shop {
    url: String,
    http: reqwest::Client,
    now: f64,
}

/// A span, before it is one: seconds are counted from the session's start.
pub(crate) struct Span<'s> {
    pub(crate) session: &'s str,
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) name: &'s str,
    pub(crate) kind: &'s str,
    pub(crate) from: f64,
    pub(crate) seconds: f64,
    pub(crate) attributes: Value,
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

    async fn put(&self, path: &str, body: Value) {
        let sent = self
            .http
            .put(format!("{}{path}", self.url))
            .json(&body)
            .send();
        let status = sent.await.expect("an answer").status();
        assert!(status.is_success(), "{path}: {status}");
    }

    /// A session that began so many seconds ago.
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

    /// Spans of one session that began so many seconds ago.
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

    async fn chats(&self) {
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

    /// Ordinary traffic.
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

    /// Two model calls with tools between them, one of which is tried again.
    async fn returns(&self) {
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

    /// Spans that find no session.
    async fn lost(&self) {
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

    /// A dataset, and two runs upon it: the newer answers better and takes longer.
    pub(crate) async fn experiments(&self) {
        let made = self.post("/v1/datasets", json!({ "name": "support questions", "description": "asked by customers, answered by people" })).await;
        let dataset = made["result"]["insertedId"]
            .as_str()
            .expect("an id")
            .to_owned();
        let questions = [
            ("Can I return shoes after 40 days?", "No, 30 days"),
            ("Do you ship to Norway?", "Yes, 9 EUR"),
            ("What is the warranty on the X200?", "Two years"),
            ("Which size fits 178 cm?", "Medium"),
        ];
        let mut points = Vec::new();
        for at in 0..48 {
            let (question, truth) = questions[at % 4];
            let question = if at < 4 {
                question.to_owned()
            } else {
                format!("{question} (customer {at})")
            };
            let point = json!({ "inputs": { "question": question }, "ground_truth": { "answer": truth }, "linked_datasets": [dataset] });
            let made = self.post("/v1/datapoints", point).await;
            let id = made["result"]["insertedIds"][0]
                .as_str()
                .expect("an id")
                .to_owned();
            points.push((id, question, truth));
        }
        for (run, name) in [(OLD_RUN, "prompt v6"), (NEW_RUN, "prompt v7")] {
            self.post(
                "/v1/runs",
                json!({ "run_id": run, "name": name, "status": "running", "dataset_id": dataset }),
            )
            .await;
            let mut sessions = Vec::new();
            for (at, (point, question, truth)) in points.iter().enumerate() {
                sessions.push(self.trial(run, at, point, question, truth).await);
            }
            let done = json!({ "status": "completed", "event_ids": sessions });
            self.put(&format!("/v1/runs/{run}"), done).await;
        }
    }

    async fn trial(
        &self,
        run: &str,
        at: usize,
        point: &str,
        question: &str,
        truth: &str,
    ) -> String {
        let is_new = run == NEW_RUN;
        let id = format!(
            "{}{at:04}-0d2c-4c0e-9f43-0a6cf1a0d00{}",
            &run[..4],
            u8::from(is_new)
        );
        let right = if is_new {
            !at.is_multiple_of(7)
        } else {
            at % 3 != 1
        };
        let answer = if right {
            format!("{truth}.")
        } else {
            "I am not sure.".to_owned()
        };
        let milliseconds = if is_new { 1120 } else { 880 } + 37 * (at as u64 * 7 % 11);
        let metadata = json!({ "run_id": run, "datapoint_id": point });
        let start = json!({
            "source": "evaluation", "inputs": { "question": question }, "outputs": { "answer": answer },
            "metadata": metadata, "duration": milliseconds,
        });
        let ago = 4000.0 - at as f64 - if is_new { 1000.0 } else { 0.0 };
        self.session(&id, "answer", ago, start).await;
        let helpful = 3.0
            + (at * 5 % 8) as f64 / 4.0
            + if is_new && at.is_multiple_of(2) {
                0.1
            } else {
                0.0
            };
        let update = json!({ "metrics": { "exact_match": right, "helpful": helpful }, "feedback": { "ground_truth": { "answer": truth } } });
        self.update(&id, update).await;
        id
    }

    /// A session whose every word tries to be markup.
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
        self.spans(5.0, &[nameless]).await;
    }

    /// A session of so many events, ten below each chain, a failure among each thousand.
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

/// A model call with one question and one answer.
pub(crate) fn asked<'s>(
    session: &'s str,
    model_name: &str,
    input: i64,
    output: i64,
    question: &str,
    answer: &str,
) -> Span<'s> {
    let history = json!([{ "role": "user", "content": question }]);
    let outputs = json!({ "role": "assistant", "content": answer });
    let mut span = model(session, &history, outputs, (input, output, 0), "stop");
    span.attributes["honeyhive_config.model"] = json!(model_name);
    span.parent = 0;
    span.name = if model_name == "gpt-4o" {
        "chat gpt-4o"
    } else {
        "chat gpt-4o-mini"
    };
    span
}

fn model<'s>(
    session: &'s str,
    history: &Value,
    outputs: Value,
    (input, output, cached): (i64, i64, i64),
    finish: &str,
) -> Span<'s> {
    let cost = input as f64 * 1.5e-7 + output as f64 * 6e-7;
    let mut attributes = json!({
        "honeyhive_inputs": { "chat_history": history },
        "honeyhive_outputs": outputs,
        "honeyhive_config": { "model": "gpt-4o-mini", "provider": "openai", "temperature": 0.2 },
        "honeyhive_metadata": {
            "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            "finish_reason": finish, "time_to_first_token_ms": 550, "cost": cost,
        },
    });
    if cached > 0 {
        attributes["honeyhive_metadata"]["cache_read_input_tokens"] = json!(cached);
    }
    Span {
        session,
        id: 0,
        parent: 1,
        name: "chat gpt-4o-mini",
        kind: "model",
        from: 0.0,
        seconds: 0.0,
        attributes: flat(attributes),
    }
}

/// Objects and lists below a bucket as dotted keys, as the wire has them.
fn flat(attributes: Value) -> Value {
    let mut flattened = serde_json::Map::new();
    for (key, value) in attributes.as_object().into_iter().flatten() {
        flatten(key, value, &mut flattened);
    }
    Value::Object(flattened)
}

fn flatten(key: &str, value: &Value, into: &mut serde_json::Map<String, Value>) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| flatten(&format!("{key}.{name}"), value, into)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| flatten(&format!("{key}.{index}"), value, into)),
        Value::Null => {}
        other => drop(into.insert(key.to_owned(), other.clone())),
    }
}

fn attribute(key: &str, value: &Value) -> Value {
    let value = match value {
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::Number(number) if number.is_f64() => json!({ "doubleValue": number }),
        Value::Number(number) => json!({ "intValue": number.to_string() }),
        Value::String(text) => json!({ "stringValue": text }),
        other => json!({ "stringValue": other.to_string() }),
    };
    json!({ "key": key, "value": value })
}
