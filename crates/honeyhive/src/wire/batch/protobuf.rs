//! A batch may be in protobuf.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use crate::model::limits;

pub(super) fn count(request: &ExportTraceServiceRequest) -> usize {
    request
        .resource_spans
        .iter()
        .flat_map(|resource| &resource.scope_spans)
        .map(|scope| scope.spans.len())
        .sum()
}

/// Cuts every text of a request; says whether one was too long.
pub(super) fn cut_texts(request: &mut ExportTraceServiceRequest, limit: usize) -> bool {
    let mut is_cut = false;
    for part in &mut request.resource_spans {
        let resource = part.resource.iter_mut().flat_map(|it| &mut it.attributes);
        is_cut |= cut_attributes(resource, limit);
        for part in &mut part.scope_spans {
            if let Some(scope) = &mut part.scope {
                is_cut |= limits::shorten(&mut scope.name, limit);
                is_cut |= limits::shorten(&mut scope.version, limit);
                is_cut |= cut_attributes(&mut scope.attributes, limit);
            }
            for span in &mut part.spans {
                is_cut |= cut_span(span, limit);
            }
        }
    }
    is_cut
}

fn cut_span(span: &mut Span, limit: usize) -> bool {
    let mut is_cut = limits::shorten(&mut span.name, limit);
    is_cut |= cut_attributes(&mut span.attributes, limit);
    if let Some(status) = &mut span.status {
        is_cut |= limits::shorten(&mut status.message, limit);
    }
    for event in &mut span.events {
        is_cut |= limits::shorten(&mut event.name, limit);
        is_cut |= cut_attributes(&mut event.attributes, limit);
    }
    for link in &mut span.links {
        is_cut |= cut_attributes(&mut link.attributes, limit);
    }
    is_cut
}

fn cut_attributes<'a>(
    attributes: impl IntoIterator<Item = &'a mut KeyValue>,
    limit: usize,
) -> bool {
    let values = attributes.into_iter().filter_map(|it| it.value.as_mut());
    values.fold(false, |any, value| any | cut_value(value, limit))
}

fn cut_value(value: &mut AnyValue, limit: usize) -> bool {
    match &mut value.value {
        Some(Value::StringValue(text)) => limits::shorten(text, limit),
        Some(Value::ArrayValue(array)) => array
            .values
            .iter_mut()
            .fold(false, |any, item| any | cut_value(item, limit)),
        _ => false,
    }
}

/// Returns the first `at` spans, and the others.
pub(super) fn split(
    request: ExportTraceServiceRequest,
    mut at: usize,
) -> (ExportTraceServiceRequest, ExportTraceServiceRequest) {
    let mut first = ExportTraceServiceRequest::default();
    let mut second = ExportTraceServiceRequest::default();
    for resource in request.resource_spans {
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        for mut scope in resource.scope_spans {
            let rest = scope.spans.split_off(at.min(scope.spans.len()));
            at -= scope.spans.len();
            tail.push(ScopeSpans {
                spans: rest,
                scope: scope.scope.clone(),
                schema_url: scope.schema_url.clone(),
            });
            head.push(scope);
        }
        let of = |scopes: Vec<ScopeSpans>| ResourceSpans {
            resource: resource.resource.clone(),
            schema_url: resource.schema_url.clone(),
            scope_spans: scopes
                .into_iter()
                .filter(|scope| !scope.spans.is_empty())
                .collect(),
        };
        first.resource_spans.push(of(head));
        second.resource_spans.push(of(tail));
    }
    (first, second)
}
