//! The OpenTelemetry resource of a tracer has the attributes that describe the program.

use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use crate::model::finite::{has_nameless, name_numbers};
use crate::outbox::Outbox;
use crate::redaction::{Place, Rules, Walk};
use crate::settings::Settings;

/// These attributes identify the program, and stay where the program's redaction hook fails.
const IDENTITY: [&str; 4] = [
    "service.name",
    "service.version",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
];

/// Returns the resource of the program where it has set none; `is_isolated` where the environment is not asked.
pub(super) fn of_program(settings: &Settings, is_isolated: bool) -> Resource {
    if is_isolated {
        isolated(settings)
    } else {
        from_environment(settings)
    }
}

/// Returns the resource of the program: from the environment, the project and the program's name.
fn from_environment(settings: &Settings) -> Resource {
    let name = std::env::var("OTEL_SERVICE_NAME")
        .ok()
        .filter(|name| !name.is_empty())
        .or_else(|| settings.project.clone())
        .unwrap_or_else(|| settings.session_name.clone());
    Resource::builder().with_service_name(name).build()
}

/// Returns a resource of the program's name alone, with nothing from the environment.
fn isolated(settings: &Settings) -> Resource {
    let builder = Resource::builder_empty();
    builder
        .with_service_name(settings.session_name.clone())
        .build()
}

/// Redacts a resource and brings it into a form that both encodings hold; every batch carries it as it is.
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

/// The redaction of a resource has these counts.
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
