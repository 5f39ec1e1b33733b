//! [`Redactor`] cleans every session, span and addition before it leaves.
//!
//! The redactor runs where calls are sealed, so everything that is sent, tried again or kept for later has been through
//! it once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;

use super::scope::change_scope;
use crate::attributes::REDACTION_FAILED;
use crate::enrichment::Enrichment;
use crate::log::Once;
use crate::model::object::{Bucket, Object};
use crate::outbox::{Outbox, StartRecord};
use crate::redaction::{Place, Rules, Walk, is_skeleton};

/// An item that lost its content has this mark in `metadata`.
const FAILED: &str = "redaction_failed";

/// The redactor has the rules, and counts their effects.
#[derive(Debug)]
pub(crate) struct Redactor {
    rules: Rules,
    outbox: Arc<Outbox>,
}

/// The contents of a start are redacted here.
#[derive(Debug, Clone)]
pub(crate) struct StartContent {
    pub(super) name: String,
    /// The source is `None` for the tracer's own.
    pub(super) source: Option<String>,
    pub(super) inputs: Object,
    pub(super) metadata: Object,
    pub(super) user_properties: Object,
}

impl Redactor {
    pub(crate) const fn new(rules: Rules, outbox: Arc<Outbox>) -> Self {
        Self { rules, outbox }
    }

    pub(super) const fn has_hook(&self) -> bool {
        self.rules.has_hook()
    }

    /// Redacts an update of a session or an event.
    pub(crate) fn enrichment(&self, enrichment: &mut Enrichment) {
        let is_clean = self.guarded(Place::Update, |walk| {
            for bucket in Bucket::ALL {
                walk.bucket(bucket.name(), enrichment.bucket_mut(bucket));
            }
            let masked = enrichment
                .error_text()
                .and_then(|it| walk.text("error", it));
            if let Some(masked) = masked {
                enrichment.set_error(masked);
            }
        });
        if !is_clean {
            *enrichment = Enrichment::new();
            enrichment.insert(Bucket::Metadata, FAILED, true);
        }
    }

    /// Redacts the facts of a session's end. The default rules mask none of them but the text of an error, so without
    /// one, and without rules of the program's own, nothing is looked at.
    pub(super) fn facts(&self, facts: &mut Enrichment) {
        if self.rules.has_own() || facts.error_text().is_some() {
            self.enrichment(facts);
        }
    }

    pub(crate) fn start(&self, start: &StartRecord) -> StartContent {
        let facts = start.facts.as_deref();
        let mut content = StartContent {
            name: start.name().as_ref().to_owned(),
            source: facts.and_then(|facts| facts.source.as_deref().map(str::to_owned)),
            inputs: start.inputs.to_object(),
            metadata: facts.map_or_else(Object::new, |facts| facts.metadata.clone()),
            user_properties: facts.map_or_else(Object::new, |facts| facts.user_properties.clone()),
        };
        let is_clean = self.guarded(Place::SessionStart, |walk| {
            walk.bucket(Bucket::Inputs.name(), &mut content.inputs);
            walk.bucket(Bucket::Metadata.name(), &mut content.metadata);
            walk.bucket(Bucket::UserProperties.name(), &mut content.user_properties);
            if let Some(source) = &mut content.source {
                let masked = walk.text("source", source);
                replace(source, masked);
            }
            let name = walk.name(&content.name);
            replace(&mut content.name, name);
        });
        if !is_clean {
            content.inputs = Object::new();
            content.user_properties = Object::new();
            content.metadata = Object::from_iter([(FAILED.to_owned(), true.into())]);
            content.source = content.source.map(|source| self.skeleton(source));
            content.name = self.skeleton(content.name);
        }
        content
    }

    /// Returns the name of a session in the form in which spans may carry it.
    pub(crate) fn session_name(&self, name: &Arc<str>) -> Arc<str> {
        let mut masked = None;
        let is_clean = self.guarded(Place::SessionStart, |walk| masked = walk.name(name));
        if !is_clean {
            masked = self.rules.without_matches(name);
        }
        masked.map_or_else(|| Arc::clone(name), Arc::from)
    }

    /// Redacts the messages of a span, before they are laid out as attributes: laid out, a name and its value may be
    /// apart. The hook comes later, on the attributes.
    pub(crate) fn messages(&self, span: &mut SpanData) {
        let mut walk = Walk::new(&self.rules, Place::Span).without_hook();
        walk_span(&mut walk, span);
        self.outbox.count_redacted(walk.masked());
    }

    /// Redacts a span with everything on it, before it is given to its session.
    pub(crate) fn span(&self, span: &mut SpanData) {
        if !self.guarded(Place::Span, |walk| walk_span(walk, span)) {
            self.strip(span);
        }
    }

    /// Removes the content and leaves ids, name, type, times and the session.
    fn strip(&self, span: &mut SpanData) {
        let name = std::mem::take(&mut span.name);
        span.name = self.skeleton(name.into_owned()).into();
        span.attributes.retain(is_skeleton);
        span.attributes.push(KeyValue::new(REDACTION_FAILED, true));
        span.events.events.clear();
        for link in &mut span.links.links {
            link.attributes.clear();
        }
        if matches!(span.status, Status::Error { .. }) {
            span.status = Status::error("");
        }
        change_scope(span, |_| Vec::new());
    }

    /// Returns a text that stays when the hook has failed, masked as far as possible without it.
    fn skeleton(&self, text: String) -> String {
        self.rules.without_matches(&text).unwrap_or(text)
    }

    /// Runs a redaction; returns false where the program's hook has panicked.
    fn guarded(&self, place: Place, clean: impl FnOnce(&mut Walk<'_>)) -> bool {
        if self.rules.is_empty() {
            return true;
        }
        let mut walk = Walk::new(&self.rules, place);
        let outcome = catch_unwind(AssertUnwindSafe(|| clean(&mut walk)));
        if outcome.is_err() {
            self.outbox.count_callback_panic();
            warn_of_panic();
            return false;
        }
        self.outbox.count_redacted(walk.masked());
        true
    }
}

fn walk_span(walk: &mut Walk<'_>, span: &mut SpanData) {
    if let Some(name) = walk.name(&span.name) {
        span.name = name.into();
    }
    walk.attributes(&mut span.attributes);
    if let Status::Error { description } = &mut span.status
        && let Some(masked) = walk.text("error", description)
    {
        *description = masked.into();
    }
    change_scope(span, |mut attributes| {
        walk.attributes(&mut attributes);
        attributes
    });
    walk.enter(Place::SpanEvent);
    for event in &mut span.events.events {
        if let Some(name) = walk.name(&event.name) {
            event.name = name.into();
        }
        walk.attributes(&mut event.attributes);
    }
    walk.enter(Place::SpanLink);
    for link in &mut span.links.links {
        walk.attributes(&mut link.attributes);
    }
}

fn replace(text: &mut String, masked: Option<String>) {
    if let Some(masked) = masked {
        *text = masked;
    }
}

/// Warns once per process, since a mistake in the program repeats itself.
fn warn_of_panic() {
    static TOLD: Once = Once::new();
    TOLD.warn(
        "the redaction hook panicked, so the content of what it looked at was left out (`stats()` counts further cases)",
    );
}
