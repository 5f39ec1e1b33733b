//! [`Fields`] reads a body that would have gone out.

use serde_json::Value;

use crate::model::object::{Bucket, Object};

/// The fields are those of a body.
pub(super) struct Fields(Object);

impl Fields {
    pub(super) fn of(body: &[u8]) -> Self {
        Self(serde_json::from_slice(body).unwrap_or_default())
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    pub(super) fn bucket(&mut self, bucket: Bucket) -> Object {
        match self.0.remove(bucket.name()) {
            Some(Value::Object(object)) => object,
            _ => Object::new(),
        }
    }
}
