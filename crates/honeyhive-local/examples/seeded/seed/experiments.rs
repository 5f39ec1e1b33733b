//! An experiment has a dataset and two runs on it.

use serde_json::json;

use super::shop::Shop;

/// The experiment has these two runs.
pub(crate) const OLD_RUN: &str = "05aa0000-2e91-47d1-8b9f-101966639da2";
pub(crate) const NEW_RUN: &str = "7c1e0000-2e91-47d1-8b9f-101966639da2";

impl Shop {
    /// Sends a dataset, and two runs on it: the newer answers better and takes longer.
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
}
