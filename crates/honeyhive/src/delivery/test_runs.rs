//! [`TestRuns`] are the experiment runs of test mode, which has no HoneyHive to ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::id::SessionId;
use http::Method;
use serde_json::{Value, json};

use crate::model::object::Object;
use crate::wire::{Answer, ApiCall, ApiFailure};

/// Test mode keeps this many runs at the most: the latest.
const MOST: usize = 1_000;

/// The runs are as they would be at HoneyHive, in the order of their creation.
#[derive(Debug, Clone, Default)]
pub(crate) struct TestRuns(Arc<Mutex<Vec<Object>>>);

impl TestRuns {
    /// Returns all runs.
    #[cfg(feature = "testing")]
    pub(crate) fn all(&self) -> Vec<Object> {
        self.lock().clone()
    }

    /// Returns HoneyHive's answer to the creation, the update or the reading of a run.
    pub(super) fn answer(&self, call: &ApiCall) -> Result<Answer, ApiFailure> {
        let path = call.path.split('?').next().unwrap_or_default();
        let run = match (&call.method, run_of(path)) {
            (&Method::POST, Some(None)) => self.put(None, fields_of(call)),
            (&Method::PUT | &Method::PATCH, Some(Some(id))) => self.put(Some(id), fields_of(call)),
            (&Method::GET, Some(Some(id))) => self.get(id).ok_or(ApiFailure::TestMode)?,
            _ => return Err(ApiFailure::TestMode),
        };
        let answer = json!({ "run_id": run.get("run_id"), "evaluation": run });
        Ok(Answer {
            body: answer.to_string().into(),
            date: None,
        })
    }

    fn put(&self, id: Option<&str>, fields: Object) -> Object {
        let sent = fields.get("run_id").and_then(Value::as_str);
        let id = id.or(sent).map(str::to_owned);
        let id = id.unwrap_or_else(|| SessionId::new().to_string());
        let mut runs = self.lock();
        let at = runs.iter().position(|run| is_called(run, &id));
        let at = at.unwrap_or_else(|| {
            if runs.len() == MOST {
                runs.remove(0);
            }
            let id: Value = id.into();
            runs.push(Object::from_iter([
                ("id".to_owned(), id.clone()),
                ("run_id".to_owned(), id),
                ("status".to_owned(), "pending".into()),
            ]));
            runs.len() - 1
        });
        runs[at].extend(fields);
        runs[at].clone()
    }

    fn get(&self, id: &str) -> Option<Object> {
        let runs = self.lock();
        runs.iter().find(|run| is_called(run, id)).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Object>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_called(run: &Object, id: &str) -> bool {
    run.get("run_id").is_some_and(|known| known == id)
}

fn fields_of(call: &ApiCall) -> Object {
    let body = call.body.as_deref().unwrap_or_default();
    serde_json::from_slice(body).unwrap_or_default()
}

/// Returns the run of a path: `None` where it is about something else, and no id where it is about all of them.
fn run_of(path: &str) -> Option<Option<&str>> {
    let path = path.strip_prefix("/v1/")?;
    let path = match path.strip_prefix("projects/") {
        Some(scoped) => scoped.split_once('/')?.1,
        None => path,
    };
    let rest = path.strip_prefix("runs")?;
    match rest.strip_prefix('/') {
        None => rest.is_empty().then_some(None),
        Some(id) => (!id.contains('/')).then_some(Some(id)),
    }
}
