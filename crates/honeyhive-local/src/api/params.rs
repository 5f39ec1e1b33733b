//! The parameters of a URL's query are read here.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde_json::Value;

use crate::reply::Reply;

/// `Params` holds the pairs of a query, decoded.
#[derive(Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        Ok(Self(
            pairs
                .map(|(key, value)| (owned(key), owned(value)))
                .collect(),
        ))
    }
}

fn owned(text: Cow<'_, str>) -> String {
    text.into_owned()
}

impl Params {
    /// Returns the first value of a name, where it is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let found = pairs.find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// Returns all values of a list, in both spellings: `ids=a&ids=b` and `ids[]=a&ids[]=b`.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let pairs = self.0.iter();
        let mine = pairs.filter(|(key, _)| key.strip_suffix("[]").unwrap_or(key) == name);
        mine.map(|(_, value)| value.as_str()).collect()
    }

    /// Returns a whole number from 1 to `most`, or the usual one.
    pub(super) fn number(&self, name: &str, usual: u64, most: u64) -> Result<u64, Reply> {
        let Some(text) = self.text(name) else {
            return Ok(usual);
        };
        let number = text
            .parse()
            .ok()
            .filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| {
            Reply::bad_request(&format!("`{name}` must be a whole number from 1 to {most}"))
        })
    }

    /// Returns a value that travels as JSON: an object, or the same in brackets (`dateRange[$gte]=…`).
    pub(super) fn object(&self, name: &str) -> Result<Option<Value>, Reply> {
        if let Some(text) = self.text(name) {
            let parsed = serde_json::from_str(text);
            let wrong = |_| Reply::bad_request(&format!("`{name}` must be JSON"));
            return parsed.map(Some).map_err(wrong);
        }
        let inner = |key: &str| {
            let inner = key
                .strip_prefix(name)?
                .strip_prefix('[')?
                .strip_suffix(']')?;
            (!inner.is_empty()).then(|| inner.to_owned())
        };
        let pairs = self.0.iter();
        let fields: serde_json::Map<String, Value> = pairs
            .filter_map(|(key, value)| Some((inner(key)?, Value::from(value.as_str()))))
            .collect();
        Ok((!fields.is_empty()).then_some(Value::Object(fields)))
    }
}
