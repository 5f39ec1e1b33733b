//! Arguments and results are recorded on a span.

use std::ops::ControlFlow::Continue;

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Key, KeyValue};
use serde::Serialize;

use super::active::Active;
use super::budget::Budget;
use super::by::Recorded;
use super::items::Items;
use crate::enrichment::Enrichment;
use crate::model::flatten::flatten;
use crate::outbox::Outbox;
use crate::panics::guarded;
use crate::span::attributes_of;

/// A result has this attribute.
const RESULT: &str = "honeyhive_outputs.result";

/// The inputs take the arguments, before the span starts.
#[derive(Debug)]
pub struct Inputs<'a> {
    attributes: &'a mut Vec<KeyValue>,
    outbox: &'a Outbox,
    budget: Budget,
    /// So many arguments are still to come.
    left: usize,
}

impl<'a> Inputs<'a> {
    /// Returns inputs for so many arguments.
    pub(super) const fn new(
        attributes: &'a mut Vec<KeyValue>,
        outbox: &'a Outbox,
        arguments: usize,
    ) -> Self {
        Self {
            attributes,
            outbox,
            budget: Budget::inputs(),
            left: arguments,
        }
    }

    /// Records one argument, under `honeyhive_inputs.<name>`.
    pub fn argument(&mut self, key: &'static str, value: Recorded) {
        /// So many attributes are reserved for each of the later arguments.
        const EACH: usize = 8;
        self.left = self.left.saturating_sub(1);
        let others = EACH * self.left;
        let Self {
            attributes, budget, ..
        } = self;
        let put = &mut |attribute| {
            budget.admit_leaving(others, &attribute)?;
            attributes.push(attribute);
            Continue(())
        };
        let _ = flatten(Key::from_static_str(key), value.json, put);
        if value.is_cut {
            budget.mark();
        }
    }

    /// Records these inputs instead of the arguments: anything that serialises to an object.
    pub fn inputs(&mut self, map: impl Serialize) {
        self.enrich(Enrichment::new().inputs(map));
    }

    /// Sets the config: anything that serialises to an object.
    pub fn config(&mut self, map: impl Serialize) {
        self.enrich(Enrichment::new().config(map));
    }

    /// Sets the metadata: anything that serialises to an object.
    pub fn metadata(&mut self, map: impl Serialize) {
        self.enrich(Enrichment::new().metadata(map));
    }

    fn enrich(&mut self, enrichment: Enrichment) {
        self.outbox.count_refused(enrichment.refused_count());
        let Self {
            attributes, budget, ..
        } = self;
        attributes_of(enrichment, &mut |attribute| {
            if budget.admit(&attribute).is_continue() {
                attributes.push(attribute);
            }
        });
    }

    pub(super) fn close(self) {
        if self.budget.has_mark() {
            let mark = KeyValue::new("honeyhive_inputs.truncated", true);
            self.attributes.push(mark);
        }
    }
}

/// The outputs take a return value, or one item of a stream.
#[derive(Debug)]
pub struct Outputs<'a> {
    active: &'a Active,
    budget: &'a mut Budget,
    /// The stream has had these items so far.
    items: Option<&'a mut Items>,
}

impl Outputs<'_> {
    /// Records the value, under `honeyhive_outputs.result`, made only where it is kept.
    pub fn result(&mut self, value: impl FnOnce() -> Recorded) {
        if self.budget.is_truncated() {
            return;
        }
        let value = value();
        match &mut self.items {
            Some(items) => {
                if let Some((index, value)) = items.take(value, self.active, self.budget) {
                    self.active
                        .put(format!("{RESULT}.{index}"), value, self.budget);
                }
            }
            None => self.active.put(RESULT, value, self.budget),
        }
    }

    /// Records the error. The first one of a stream stays.
    pub fn error(&mut self, text: String) {
        if self.budget.is_first_error() {
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

    /// Puts a value as attributes, as far as there is room.
    fn put(&self, key: impl Into<Key>, value: Recorded, budget: &mut Budget) {
        let span = self.cx.span();
        let put = &mut |attribute| {
            budget.admit(&attribute)?;
            span.set_attribute(attribute);
            Continue(())
        };
        let _ = flatten(key.into(), value.json, put);
        if value.is_cut {
            budget.mark();
        }
    }

    /// Lets code of the program record something. A panic in that code does not reach the traced function.
    pub(super) fn record(
        &self,
        budget: &mut Budget,
        items: Option<&mut Items>,
        record: impl FnOnce(&mut Outputs<'_>),
    ) {
        let _ = guarded(&self.outbox, || {
            record(&mut Outputs {
                active: self,
                budget,
                items,
            });
        });
    }
}
