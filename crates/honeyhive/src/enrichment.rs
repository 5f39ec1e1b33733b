//! [`Enrichment`] is data to add to a session or a span, in HoneyHive's seven buckets and the error.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::log::{Aside, CallSite, Once};
use crate::model::json::to_json;
use crate::model::limits::{self, VALUE_BYTES};
use crate::model::object::{Bucket, Object, merge, object_bytes};

/// An enrichment is data to add to a session or a span: inputs, outputs, metadata, metrics, feedback and more.
///
/// Each setter takes anything that serialises to an object: a `json!` object, a map, a struct.
/// Later calls merge into earlier ones, deeply; the last write of a key wins. A value that is no object, such as a
/// text, is kept as `{"result": value}`, with one warning per process. A value that cannot be written as JSON is left
/// out, logged once and counted in [`DeliveryStats::refused`](crate::DeliveryStats::refused); the rest of the
/// enrichment is still sent.
///
/// An enrichment of a session merges with the earlier ones, even with those that were already sent: a list or a number
/// replaces the former value of its key. A running span is written attribute by attribute (`l.0`, `l.1`, `a.deep`), so
/// its enrichments merge per attribute: after `l: [1, 2, 3]`, `l: [9]` leaves `[9, 2, 3]`, and after `a: {"deep": 1}`,
/// `a: 5` leaves both. Spans of the official Python SDK merge in the same way.
///
/// Long values are shortened: a list of more than 100 numbers becomes its beginning and a mark, bytes become their
/// number and the first of them, and a value behind a lock becomes `[behind a lock]`.
///
/// ```
/// use honeyhive::Enrichment;
/// use serde_json::json;
///
/// let enrichment = Enrichment::new()
///     .outputs(json!({"answer": "42"}))
///     .metrics(json!({"confidence": 0.9}))
///     .feedback(json!({"rating": true}));
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Enrichment {
    buckets: [Object; 7],
    error: Option<String>,
    duration: Option<Duration>,
    refused: u32,
}

/// Shows the names of the buckets and keys, but no values: values do not belong in a log.
impl fmt::Debug for Enrichment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Enrichment");
        for (bucket, object) in Bucket::ALL.iter().zip(&self.buckets) {
            if !object.is_empty() {
                shown.field(bucket.name(), &object.keys().collect::<Vec<_>>());
            }
        }
        shown.field("has_error", &self.error.is_some()).finish()
    }
}

impl Enrichment {
    /// Returns an enrichment that adds nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds to `metadata`: facts about the event (ids, versions, token counts).
    #[must_use]
    #[track_caller]
    pub fn metadata(self, map: impl Serialize) -> Self {
        self.with(Bucket::Metadata, &map)
    }

    /// Adds to `metrics`: numbers, booleans or short texts that are aggregated.
    #[must_use]
    #[track_caller]
    pub fn metrics(self, map: impl Serialize) -> Self {
        self.with(Bucket::Metrics, &map)
    }

    /// Adds to `feedback`: the opinion of a person about the event (`rating`, `comment`, `ground_truth`).
    #[must_use]
    #[track_caller]
    pub fn feedback(self, map: impl Serialize) -> Self {
        self.with(Bucket::Feedback, &map)
    }

    /// Adds to `inputs`.
    ///
    /// HoneyHive takes a session's inputs only when the session is created. Once the start has been
    /// sent they go to `metadata.inputs`, as the official SDK does.
    #[must_use]
    #[track_caller]
    pub fn inputs(self, map: impl Serialize) -> Self {
        self.with(Bucket::Inputs, &map)
    }

    /// Adds to `outputs`.
    ///
    /// HoneyHive's update replaces the outputs that it has, so each update carries all outputs that this process has
    /// said of the session so far. Those of the last 16,384 sessions, 8 MiB at the most, are remembered for that; an
    /// update of an older session leaves only what is said from then on.
    #[must_use]
    #[track_caller]
    pub fn outputs(self, map: impl Serialize) -> Self {
        self.with(Bucket::Outputs, &map)
    }

    /// Adds to `config`: model, provider, template.
    #[must_use]
    #[track_caller]
    pub fn config(self, map: impl Serialize) -> Self {
        self.with(Bucket::Config, &map)
    }

    /// Adds to `user_properties`: the user that the event belongs to.
    #[must_use]
    #[track_caller]
    pub fn user_properties(self, map: impl Serialize) -> Self {
        self.with(Bucket::UserProperties, &map)
    }

    /// Sets the error text. A blank text sets none.
    ///
    /// HoneyHive's update of a session carries no error, so for a session that was already created
    /// it goes to `metadata.error`.
    #[must_use]
    pub fn error(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.trim().is_empty() {
            self.error = Some(text);
        }
        self
    }

    /// Sets the duration, instead of the measured one: of a session, or of an event by its id
    /// ([`enrich_event`](crate::HoneyHiveTracer::enrich_event)). HoneyHive keeps milliseconds. On a running span, which
    /// is measured, this has no effect.
    ///
    /// ```
    /// use std::time::Duration;
    /// use honeyhive::{Enrichment, testing};
    ///
    /// let (tracer, captured) = testing::tracer();
    /// let call = tracer.create_session("phone call");
    /// call.enrich(Enrichment::new().duration(Duration::from_secs(90)));
    /// assert_eq!(captured.only_session().duration, Some(90_000.0));
    /// ```
    #[must_use]
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    #[track_caller]
    fn with(mut self, bucket: Bucket, map: &impl Serialize) -> Self {
        match object_of(bucket, map) {
            Some(object) => merge(self.bucket_mut(bucket), object),
            None => self.refused += 1,
        }
        self
    }

    pub(crate) fn insert(&mut self, bucket: Bucket, key: &str, value: impl Into<Value>) {
        self.bucket_mut(bucket).insert(key.to_owned(), value.into());
    }

    pub(crate) fn bucket_mut(&mut self, bucket: Bucket) -> &mut Object {
        &mut self.buckets[bucket as usize]
    }

    #[cfg(test)]
    fn bucket(&self, bucket: Bucket) -> &Object {
        &self.buckets[bucket as usize]
    }

    pub(crate) fn take(&mut self, bucket: Bucket) -> Object {
        std::mem::take(self.bucket_mut(bucket))
    }

    pub(crate) fn take_error(&mut self) -> Option<String> {
        self.error.take()
    }

    pub(crate) const fn take_duration(&mut self) -> Option<Duration> {
        self.duration.take()
    }

    pub(crate) fn error_text(&self) -> Option<&str> {
        self.error.as_deref()
    }

    pub(crate) fn set_error(&mut self, text: String) {
        self.error = Some(text);
    }

    pub(crate) fn refused_count(&self) -> u32 {
        self.refused
    }

    /// Resets the number of refused values, after the caller has counted them.
    #[cfg(feature = "model-calls")]
    pub(crate) fn forget_refused(&mut self) {
        self.refused = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.error.is_none() && self.duration.is_none() && self.buckets.iter().all(Map::is_empty)
    }

    /// Lets `newer` win over `self`, key by key.
    pub(crate) fn merge(&mut self, newer: Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(newer.buckets) {
            merge(mine, theirs);
        }
        if newer.error.is_some() {
            self.error = newer.error;
        }
        self.duration = newer.duration.or(self.duration);
    }

    /// Cuts the parts that are too much for an event.
    pub(crate) fn fit(&mut self) {
        limits::fit_objects(&mut self.buckets);
        if let Some(error) = &mut self.error {
            limits::shorten(error, VALUE_BYTES);
        }
    }

    /// Returns a rough count of the bytes that the enrichment holds in memory.
    pub(crate) fn bytes(&self) -> usize {
        let maps: usize = self.buckets.iter().map(object_bytes).sum();
        maps + self.error.as_ref().map_or(0, String::len)
    }
}

/// Returns the value as it goes into a bucket: an object as it is, any other value as `{"result": value}`, as
/// `#[trace]` does with results. `None` where it cannot be written as JSON.
#[track_caller]
pub(crate) fn object_of(bucket: Bucket, map: &impl Serialize) -> Option<Object> {
    static NO_OBJECT: Once = Once::new();
    static NO_JSON: Once = Once::new();
    let name = bucket.name();
    match to_json(map) {
        Ok(Value::Object(object)) => Some(object),
        Ok(Value::Null) => Some(Object::new()),
        Ok(value) => {
            let site = Aside(CallSite::here());
            NO_OBJECT.warn(format_args!(
                "{name}{site} are no object, so they are kept as {{\"result\": …}}: pass a map, a struct or a `json!` \
                 object (said once for all such cases)"
            ));
            Some(Object::from_iter([("result".to_owned(), value)]))
        }
        Err(_) => {
            let site = Aside(CallSite::here());
            NO_JSON.warn(format_args!(
                "{name}{site} were left out, because they cannot be written as JSON (`stats().refused` counts \
                 further cases)"
            ));
            None
        }
    }
}

/// Warns once per process, since a mistake in the program repeats itself.
#[track_caller]
pub(crate) fn warn_of_foreign_span() {
    static TOLD: Once = Once::new();
    let site = CallSite::here();
    TOLD.warn(format_args!(
        "additions to the current span ({site}) were left out, because it is the span of another tracer: enrich it \
         with that one (`stats().refused` counts further cases)"
    ));
}

/// The macro gives a type that has `enrich` the seven buckets as methods.
macro_rules! buckets {
    ($what:literal) => {
        $crate::enrichment::buckets! { $what:
            metadata "metadata: facts about it, such as ids, versions, token counts";
            metrics "metrics: numbers, booleans or short texts that are aggregated";
            feedback "feedback: what a person said of it (`rating`, `comment`, `ground_truth`)";
            inputs "inputs: what went in";
            outputs "outputs: what came out";
            config "config: model, provider, template";
            user_properties "user properties: who it belongs to";
        }
    };
    ($what:literal: $($bucket:ident $doc:literal;)*) => {$(
        #[doc = concat!("Adds to the ", $what, "'s ", $doc, ".")]
        ///
        /// Anything that serialises to an object; objects merge deeply, and the last write wins.
        #[track_caller]
        pub fn $bucket(&self, map: impl serde::Serialize) {
            self.enrich($crate::enrichment::Enrichment::new().$bucket(map));
        }
    )*};
}
pub(crate) use buckets;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn later_calls_merge_deeply_and_the_last_write_wins() {
        let enrichment = Enrichment::new()
            .metadata(json!({"a": {"x": 1, "y": 1}, "b": 1}))
            .metadata(json!({"a": {"y": 2}, "c": [3]}));
        assert_eq!(
            Value::Object(enrichment.bucket(Bucket::Metadata).clone()),
            json!({"a": {"x": 1, "y": 2}, "b": 1, "c": [3]})
        );
    }

    #[test]
    fn a_value_that_is_no_object_is_kept_as_the_result() {
        let enrichment = Enrichment::new()
            .outputs("just text")
            .inputs([1, 2])
            .metrics(json!({"score": 1}));
        let outputs = json!({"result": "just text"});
        assert_eq!(
            Some(enrichment.bucket(Bucket::Outputs)),
            outputs.as_object()
        );
        let inputs = json!({"result": [1, 2]});
        assert_eq!(Some(enrichment.bucket(Bucket::Inputs)), inputs.as_object());
        assert_eq!(enrichment.bucket(Bucket::Metrics).len(), 1);
        assert_eq!(enrichment.refused_count(), 0);
    }

    #[test]
    fn what_cannot_be_written_as_json_is_refused_without_its_neighbours() {
        struct NoJson;
        impl Serialize for NoJson {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        let enrichment = Enrichment::new()
            .outputs(NoJson)
            .metrics(json!({"score": 1}));
        assert_eq!(enrichment.refused_count(), 1);
        assert!(enrichment.bucket(Bucket::Outputs).is_empty());
        assert_eq!(enrichment.bucket(Bucket::Metrics).len(), 1);
    }
}
