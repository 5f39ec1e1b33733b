//! Updates that came before their target.

use std::collections::VecDeque;

use crate::rest::Update;

/// More wait for nothing that will ever come.
const MOST: usize = 10_000;

/// Oldest first.
#[derive(Debug, Default)]
pub(crate) struct Pending(VecDeque<(String, Update)>);

impl Pending {
    pub(crate) fn keep(&mut self, id: String, update: Update) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((id, update));
    }

    /// The updates of `id`, in the order they came.
    pub(crate) fn take(&mut self, id: &str) -> Vec<Update> {
        if !self.0.iter().any(|(waiting, _)| waiting == id) {
            return Vec::new();
        }
        let (taken, left) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|(waiting, _)| waiting == id);
        self.0 = left;
        let taken: VecDeque<(String, Update)> = taken;
        taken.into_iter().map(|(_, update)| update).collect()
    }
}
