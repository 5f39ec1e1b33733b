//! [`Items`] records the items that a stream yields.

use opentelemetry::KeyValue;
use opentelemetry::trace::TraceContextExt as _;

use super::active::Active;
use super::budget::Budget;
use super::by::Recorded;
use crate::model::limits;

/// The items of a stream are recorded as they come: those that are texts are one text, the pieces of an answer.
#[derive(Debug, Default)]
pub(super) struct Items {
    text: String,
    /// The text has this many bytes so far, those that did not fit included.
    bytes: usize,
    /// So many items were put, a text of many pieces counting once.
    count: usize,
}

impl Items {
    /// So many items are recorded at the most.
    const MOST: usize = 100;

    /// Returns the item with its index, where it is not taken into the text.
    pub(super) fn take(
        &mut self,
        item: Recorded,
        active: &Active,
        budget: &mut Budget,
    ) -> Option<(usize, Recorded)> {
        if let (true, Some(text)) = (item.is_text, item.json.as_str()) {
            self.bytes += text.len();
            let room = budget.bytes().saturating_sub(self.text.len());
            // Text after a piece that did not fit is left out, too.
            if self.bytes - text.len() == self.text.len() {
                self.text.push_str(limits::beginning(text, room));
            }
            return None;
        }
        self.put_text(active, budget, false);
        if self.count == Self::MOST {
            budget.truncate();
            return None;
        }
        self.count += 1;
        Some((self.count - 1, item))
    }

    /// Notes the end of the stream: a text that was all it yielded is the result itself.
    pub(super) fn close(&mut self, active: &Active, budget: &mut Budget) {
        self.put_text(active, budget, true);
        budget.close(active);
    }

    fn put_text(&mut self, active: &Active, budget: &mut Budget, is_end: bool) {
        let mut text = std::mem::take(&mut self.text);
        let bytes = std::mem::take(&mut self.bytes);
        if bytes == 0 || budget.is_truncated() {
            return;
        }
        budget.weigh(text.len());
        if bytes > text.len() {
            text.push_str(&limits::mark(bytes));
            budget.mark();
        }
        let key = if is_end && self.count == 0 {
            "honeyhive_outputs.result".into()
        } else {
            format!("honeyhive_outputs.result.{}", self.count)
        };
        self.count += 1;
        active.cx.span().set_attribute(KeyValue::new(key, text));
    }
}
