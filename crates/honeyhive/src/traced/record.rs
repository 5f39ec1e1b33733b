//! How arguments and results are written onto a span.

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Key, KeyValue};
use serde::Serialize;
use serde_json::Value as Json;

use super::active::Active;
use crate::attributes::MAX_ATTRIBUTES;
use crate::enrichment::Enrichment;
use crate::outbox::Outbox;
use crate::panics::guarded;
use crate::span::{attributes_of, flatten};

/// How much may still be recorded.
#[derive(Debug)]
pub(super) struct Budget {
    attributes: usize,
    bytes: usize,
    is_truncated: bool,
    has_failed: bool,
}

impl Budget {
    /// Half of what a span holds, so that inputs never crowd out the outputs and the error.
    const HALF: usize = MAX_ATTRIBUTES / 2;
    /// Attributes that are left to the processor, to marks and to the error.
    const RESERVED: usize = 32;

    const fn new(attributes: usize, bytes: usize) -> Self {
        Self {
            attributes,
            bytes,
            is_truncated: false,
            has_failed: false,
        }
    }

    const fn inputs() -> Self {
        Self::new(Self::HALF, usize::MAX)
    }

    pub(super) const fn outputs() -> Self {
        Self::new(Self::HALF - Self::RESERVED, usize::MAX)
    }

    pub(super) const fn stream() -> Self {
        const BYTES: usize = 64 * 1024;
        Self::new(Self::HALF - Self::RESERVED, BYTES)
    }

    pub(super) fn truncate(&mut self) {
        self.is_truncated = true;
    }

    /// What is too much is left out, and so is everything after it.
    fn allows(&mut self, attribute: &KeyValue) -> bool {
        let bytes = attribute.key.as_str().len() + value_bytes(&attribute.value);
        if self.is_truncated || self.attributes == 0 || self.bytes < bytes {
            self.truncate();
            return false;
        }
        self.attributes -= 1;
        self.bytes -= bytes;
        true
    }

    /// Says on the span that outputs were left out.
    pub(super) fn close(&self, active: &Active) {
        if self.is_truncated {
            let mark = KeyValue::new("honeyhive_outputs.truncated", true);
            active.cx.span().set_attribute(mark);
        }
    }
}

fn value_bytes(value: &opentelemetry::Value) -> usize {
    match value {
        opentelemetry::Value::String(text) => text.as_str().len(),
        _ => 8,
    }
}

/// Takes what goes in, before the span starts.
#[derive(Debug)]
pub struct Inputs<'a> {
    attributes: &'a mut Vec<KeyValue>,
    outbox: &'a Outbox,
    budget: Budget,
}

impl<'a> Inputs<'a> {
    pub(super) const fn new(attributes: &'a mut Vec<KeyValue>, outbox: &'a Outbox) -> Self {
        Self {
            attributes,
            outbox,
            budget: Budget::inputs(),
        }
    }

    /// One argument, under `honeyhive_inputs.<name>`.
    pub fn argument(&mut self, key: &'static str, value: Json) {
        let Self {
            attributes, budget, ..
        } = self;
        flatten(Key::from_static_str(key), value, &mut |attribute| {
            if budget.allows(&attribute) {
                attributes.push(attribute);
            }
        });
    }

    /// Instead of the arguments: anything that serialises to an object.
    pub fn inputs(&mut self, map: impl Serialize) {
        self.enrich(Enrichment::new().inputs(map));
    }

    /// Anything that serialises to an object.
    pub fn config(&mut self, map: impl Serialize) {
        self.enrich(Enrichment::new().config(map));
    }

    /// Anything that serialises to an object.
    pub fn metadata(&mut self, map: impl Serialize) {
        self.enrich(Enrichment::new().metadata(map));
    }

    fn enrich(&mut self, enrichment: Enrichment) {
        self.outbox.count_refused(enrichment.refused_count());
        let Self {
            attributes, budget, ..
        } = self;
        attributes_of(enrichment, &mut |attribute| {
            if budget.allows(&attribute) {
                attributes.push(attribute);
            }
        });
    }

    pub(super) fn close(self) {
        if self.budget.is_truncated {
            let mark = KeyValue::new("honeyhive_inputs.truncated", true);
            self.attributes.push(mark);
        }
    }
}

/// Takes what comes out: a return value, or one item of a stream.
#[derive(Debug)]
pub struct Outputs<'a> {
    active: &'a Active,
    budget: &'a mut Budget,
    index: Option<usize>,
}

impl<'a> Outputs<'a> {
    pub(super) const fn new(
        active: &'a Active,
        budget: &'a mut Budget,
        index: Option<usize>,
    ) -> Self {
        Self {
            active,
            budget,
            index,
        }
    }

    /// The value, under `honeyhive_outputs.result`, made only where it is kept.
    pub fn result(&mut self, value: impl FnOnce() -> Json) {
        if self.budget.is_truncated {
            return;
        }
        let key = self.index.map_or_else(
            || Key::from_static_str("honeyhive_outputs.result"),
            |index| format!("honeyhive_outputs.result.{index}").into(),
        );
        let span = self.active.cx.span();
        flatten(key, value(), &mut |attribute| {
            if self.budget.allows(&attribute) {
                span.set_attribute(attribute);
            }
        });
    }

    /// The error. The first one of a stream stays.
    pub fn error(&mut self, text: String) {
        if !self.budget.has_failed {
            self.budget.has_failed = true;
            self.active.error(text);
        }
    }
}

impl Active {
    #[inline(never)]
    pub(super) fn finish(self, observe: impl FnOnce(&mut Outputs<'_>)) {
        let mut budget = Budget::outputs();
        self.record(&mut budget, None, observe);
        budget.close(&self);
    }

    /// Lets code of the program record something. A panic in there is none of the traced function's.
    pub(super) fn record(
        &self,
        budget: &mut Budget,
        index: Option<usize>,
        record: impl FnOnce(&mut Outputs<'_>),
    ) {
        let _ = guarded(&self.outbox, || {
            record(&mut Outputs::new(self, budget, index));
        });
    }
}
