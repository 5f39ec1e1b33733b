//! [`Body`] gathers the fields of a call's body, one after another.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::json::to_json_as_it_is;

/// A body has fields, and the problem of the first one that cannot be sent.
#[derive(Clone, Default)]
pub(super) struct Body {
    fields: Map<String, Value>,
    problem: Option<String>,
}

/// Shows the names of the fields: their values may be secrets of the program's users.
impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.fields.keys()).finish()
    }
}

impl Body {
    /// Sets a field.
    pub(super) fn set(mut self, name: &str, value: impl Serialize) -> Self {
        match to_json_as_it_is(value) {
            Ok(value) => _ = self.fields.insert(name.to_owned(), value),
            Err(error) => self.refuse(format!("`{name}` is no JSON: {error}")),
        }
        self
    }

    /// Sets a field that takes nothing but an object.
    pub(super) fn object(self, name: &str, map: impl Serialize) -> Self {
        let mut body = self.set(name, map);
        let is_object = body.fields.get(name).is_none_or(Value::is_object);
        if !is_object {
            body.refuse(format!(
                "`{name}` takes an object, such as a map, a struct or `json!({{…}})`"
            ));
        }
        body
    }

    /// Sets a name within a field that is an object.
    pub(super) fn insert(mut self, field: &str, name: &str, value: Value) -> Self {
        let object = self
            .fields
            .entry(field)
            .or_insert_with(|| Map::new().into());
        if let Value::Object(object) = object {
            object.insert(name.to_owned(), value);
        }
        self
    }

    /// Sets a field to another body.
    pub(super) fn nested(mut self, name: &str, body: &Self) -> Self {
        let fields = Value::Object(body.fields.clone());
        self.fields.insert(name.to_owned(), fields);
        match &body.problem {
            Some(problem) => self.refused(problem.clone()),
            None => self,
        }
    }

    /// Returns the same body, which cannot be sent.
    pub(super) fn refused(mut self, problem: String) -> Self {
        self.refuse(problem);
        self
    }

    /// Returns a field that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }

    fn refuse(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    /// Returns the fields, or their problem.
    pub(super) fn fields(&self) -> Result<&Map<String, Value>, &str> {
        match &self.problem {
            Some(problem) => Err(problem),
            None => Ok(&self.fields),
        }
    }
}
