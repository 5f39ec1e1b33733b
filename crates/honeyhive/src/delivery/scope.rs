//! The instrumentation scope of a span can be changed.

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SpanData;

/// Rebuilds an instrumentation scope that has attributes, since they cannot be changed in place.
pub(super) fn change_scope(
    span: &mut SpanData,
    change: impl FnOnce(Vec<KeyValue>) -> Vec<KeyValue>,
) {
    let scope = &span.instrumentation_scope;
    if scope.attributes().next().is_none() {
        return;
    }
    let attributes = change(scope.attributes().cloned().collect());
    let mut builder =
        InstrumentationScope::builder(scope.name().to_owned()).with_attributes(attributes);
    if let Some(version) = scope.version() {
        builder = builder.with_version(version.to_owned());
    }
    if let Some(url) = scope.schema_url() {
        builder = builder.with_schema_url(url.to_owned());
    }
    span.instrumentation_scope = builder.build();
}
