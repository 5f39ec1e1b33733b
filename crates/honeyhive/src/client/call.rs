//! [`Call`] is the one way to HoneyHive and back.

use http::Method;
use opentelemetry_http::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::body::Body;
use super::error::ClientError;
use super::handle::Client;
use super::path::{push_pair, push_part};
use crate::delivery::LONGEST_ASKING;
use crate::outbox::wait::Waited;
use crate::outbox::{Asked, Reply};
use crate::secret::KeyKind;
use crate::wire::{Answer, ApiCall, ApiFailure};

/// A call is gathered here before it is made.
#[derive(Debug)]
pub(super) struct Call<'c> {
    client: &'c Client,
    method: Method,
    path: String,
    query: String,
    body: Option<Bytes>,
    is_repeatable: bool,
    problem: Option<String>,
}

impl Client {
    /// Returns a call to the route of these parts, below the project where the client has one.
    pub(super) fn call(&self, method: Method, parts: &[&str]) -> Call<'_> {
        let mut path = "/v1".to_owned();
        let mut is_path = true;
        let scope = self.project_id().map(|id| ["projects", id]);
        for part in scope.iter().flatten().chain(parts) {
            is_path &= push_part(&mut path, part);
        }
        let problem = (!is_path).then(|| "an id in its path is blank or made of dots".to_owned());
        Call {
            client: self,
            is_repeatable: method != Method::POST,
            method,
            path,
            query: String::new(),
            body: None,
            problem,
        }
    }
}

impl Call<'_> {
    pub(super) fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        push_pair(&mut self.query, name, value.as_ref());
        self
    }

    /// Adds one pair for each value.
    pub(super) fn queries<T: AsRef<str>>(
        self,
        name: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let values = values.into_iter();
        values.fold(self, |call, value| call.query(name, value))
    }

    pub(super) fn body(mut self, body: &Body) -> Self {
        match body.fields().map(serde_json::to_vec) {
            Ok(Ok(bytes)) => self.body = Some(bytes.into()),
            Ok(Err(error)) => self.problem = Some(error.to_string()),
            Err(problem) => self.problem = Some(problem.to_owned()),
        }
        self
    }

    /// Marks a call as repeatable: making it twice has the effect of making it once.
    pub(super) const fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }

    fn takes(&self) -> KeyKind {
        match self.client.project_id() {
            Some(_) => KeyKind::DataPlane,
            None => KeyKind::Project,
        }
    }

    fn text(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn as_api_call(&self) -> Result<ApiCall, ClientError> {
        if let Some(problem) = self.problem.clone() {
            let call = self.text();
            return Err(ClientError::Invalid { call, problem });
        }
        Ok(ApiCall {
            method: self.method.clone(),
            path: format!("{}{}", self.path, self.query),
            body: self.body.clone(),
            takes: self.takes(),
            timeout: self.client.timeout(),
            is_repeatable: self.is_repeatable,
        })
    }

    /// Makes the call, and returns the member of its answer with this name.
    pub(super) async fn take<T: DeserializeOwned>(self, name: &str) -> Result<T, ClientError> {
        let call = self.text();
        let answer = self.answer().await?;
        read(under(answer, name), call)
    }

    /// Does the same as [`take`](Self::take), where the answer is a list of one item, or of none.
    pub(super) async fn take_one<T: DeserializeOwned>(
        self,
        name: &str,
    ) -> Result<Option<T>, ClientError> {
        let call = self.text();
        let found = match under(self.answer().await?, name) {
            Value::Array(list) => list.into_iter().next(),
            Value::Null => None,
            one => Some(one),
        };
        found.map(|one| read(one, call)).transpose()
    }

    /// Makes the call, and gives its answer: the object that a name is in, where there is one around it.
    pub(super) async fn whole<T: DeserializeOwned>(self, with: &str) -> Result<T, ClientError> {
        let call = self.text();
        let answer = self.answer().await?;
        read(around(answer, with), call)
    }

    /// Makes the call, whose answer holds nothing of interest.
    pub(super) async fn done(self) -> Result<(), ClientError> {
        self.send().await.map(drop)
    }

    /// Does the same as [`take`](Self::take) on the delivery thread, and calls `then` with the result.
    pub(super) fn take_in_background<T: DeserializeOwned>(
        &self,
        name: &'static str,
        then: impl FnOnce(Result<T, ClientError>) + Send + 'static,
    ) {
        let (text, takes) = (self.text(), self.takes());
        let Ok(call) = self.as_api_call() else {
            return;
        };
        let reply = Reply::to(move |answer: Result<Answer, ApiFailure>| {
            let failed = |failure| ClientError::of(failure, text.clone(), takes);
            let answer = answer.map_err(failed);
            let answer = answer.and_then(|answer| json(&answer.body, &text));
            then(answer.and_then(|answer| read(under(answer, name), text)));
        });
        self.client.outbox().ask(Asked { call, reply });
    }

    async fn answer(self) -> Result<Value, ClientError> {
        let call = self.text();
        json(&self.send().await?, &call)
    }

    async fn send(self) -> Result<Bytes, ClientError> {
        let (text, takes) = (self.text(), self.takes());
        let call = self.as_api_call()?;
        let outbox = self.client.outbox();
        if outbox.is_disabled() {
            return Err(ClientError::ShutDown { call: text });
        }
        let _turn = outbox.turn().await;
        let (reply, answer) = Reply::awaited(LONGEST_ASKING + call.timeout);
        outbox.ask(Asked { call, reply });
        match answer.await {
            Waited::Answered(Ok(answer)) => Ok(answer.body),
            Waited::Answered(Err(failure)) => Err(ClientError::of(failure, text, takes)),
            Waited::Gone => Err(ClientError::ShutDown { call: text }),
            Waited::Late => Err(ClientError::Unavailable {
                call: text,
                detail: "no answer came in time".to_owned(),
                retry_after: None,
            }),
        }
    }
}

/// Returns the object that a name is in: the answer, or where that has no such name the object under its `data`.
fn around(mut answer: Value, name: &str) -> Value {
    if answer.get(name).is_some() {
        return answer;
    }
    match answer.get_mut("data") {
        Some(data @ Value::Object(_)) => data.take(),
        _ => answer,
    }
}

/// Returns the member of an answer with a name, or that of its `data`; where there is no such name, the whole answer.
/// Older deployments put nothing around their lists.
fn under(answer: Value, name: &str) -> Value {
    match around(answer, name) {
        Value::Object(mut fields) => match fields.remove(name).or_else(|| fields.remove("data")) {
            Some(found) => found,
            None => Value::Object(fields),
        },
        bare => bare,
    }
}

fn read<T: DeserializeOwned>(value: Value, call: String) -> Result<T, ClientError> {
    serde_json::from_value(value).map_err(|error| ClientError::Unreadable {
        call,
        detail: unexpected(&error),
    })
}

fn json(body: &[u8], call: &str) -> Result<Value, ClientError> {
    serde_json::from_slice(body).map_err(|error| ClientError::Unreadable {
        call: call.to_owned(),
        detail: no_json(body, &error),
    })
}

fn no_json(body: &[u8], error: &serde_json::Error) -> String {
    if body.trim_ascii_start().starts_with(b"<") {
        "it is a web page: is HH_API_URL the address of the API?".to_owned()
    } else {
        format!("it is no JSON ({error})")
    }
}

/// Describes the missed expectation, without the answer's contents: those are somebody's data.
fn unexpected(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind("expected ") {
        Some(at) => format!("it is not as expected ({})", &text[at..]),
        None if text.starts_with("missing field") => format!("it is not as expected ({text})"),
        None => "it is not as expected".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_asked_for_is_found_with_and_without_something_around_it() {
        let run = json!({"run_id": "r"});
        for answer in [
            json!({"evaluation": run, "run_id": "r"}),
            json!({"data": {"evaluation": run}, "success": true}),
            json!({"data": run, "success": true}),
            run.clone(),
        ] {
            assert_eq!(under(answer.clone(), "evaluation"), run, "{answer}");
        }
        assert_eq!(under(json!([1]), "metrics"), json!([1]));
        let whole = json!({"evaluation": run, "run_id": "r"});
        assert_eq!(around(whole.clone(), "evaluation"), whole);
        assert_eq!(around(json!({"data": whole}), "evaluation"), whole);
        assert_eq!(around(json!({"data": run}), "evaluation"), run);
        assert_eq!(under(json!({"data": [1]}), "data"), json!([1]));
    }

    #[test]
    fn what_could_not_be_read_is_not_repeated() {
        let error = serde_json::from_value::<Vec<u8>>(json!("hh_secret")).unwrap_err();
        assert_eq!(
            unexpected(&error),
            "it is not as expected (expected a sequence)"
        );
    }
}
