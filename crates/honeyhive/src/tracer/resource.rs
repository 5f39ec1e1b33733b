//! What a tracer says of the program that it is in.

use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use crate::model::finite::{has_nameless, name_numbers};
use crate::outbox::Outbox;
use crate::redaction::{Place, Rules, Walk};
use crate::settings::Settings;

/// What identifies the program, and stays where the program's redaction hook fails.
const IDENTITY: [&str; 4] = [
    "service.name",
    "service.version",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
];

/// As the environment, the project and the program's name describe the program.
pub(super) fn from_environment(settings: &Settings) -> Resource {
    let name = std::env::var("OTEL_SERVICE_NAME")
        .ok()
        .filter(|name| !name.is_empty())
        .or_else(|| settings.project.clone())
        .unwrap_or_else(|| settings.session_name.clone());
    Resource::builder().with_service_name(name).build()
}

/// The program's name and nothing else, none of it from the environment.
pub(super) fn isolated(settings: &Settings) -> Resource {
    let builder = Resource::builder_empty();
    builder
        .with_service_name(settings.session_name.clone())
        .build()
}

/// What may leave of a resource, in a form that both encodings hold: it is sent with every batch, as it is.
pub(super) fn ready(resource: Resource, rules: &Rules) -> (Resource, Redacted) {
    let attributes = resource.iter();
    let mut attributes: Vec<_> = attributes
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect();
    if rules.is_empty() && !has_nameless(&attributes) {
        return (resource, Redacted::default());
    }
    name_numbers(&mut attributes);
    let redacted = redact(&mut attributes, rules);
    let builder = Resource::builder_empty();
    let builder = match resource.schema_url() {
        Some(url) => builder.with_schema_url(attributes, url.to_owned()),
        None => builder.with_attributes(attributes),
    };
    (builder.build(), redacted)
}

/// What the redaction of a resource has done, for the counters.
#[derive(Debug, Default)]
pub(super) struct Redacted {
    values: u64,
    has_panicked: bool,
}

impl Redacted {
    pub(super) fn count(&self, outbox: &Outbox) {
        outbox.count_redacted(self.values);
        if self.has_panicked {
            outbox.count_callback_panic();
        }
    }
}

fn redact(attributes: &mut Vec<KeyValue>, rules: &Rules) -> Redacted {
    if rules.is_empty() {
        return Redacted::default();
    }
    let mut walk = Walk::new(rules, Place::Span);
    let walked = catch_unwind(AssertUnwindSafe(|| walk.attributes(&mut *attributes)));
    let has_panicked = walked.is_err();
    if has_panicked {
        attributes.retain(|it| IDENTITY.contains(&it.key.as_str()));
    }
    Redacted {
        values: walk.masked(),
        has_panicked,
    }
}
