//! What is common to all clients: how much of an answer is read, and why there is none.

/// How much of an answer is read.
pub(super) const ANSWER_LIMIT: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub(in crate::wire) struct Unanswered {
    pub(in crate::wire) detail: String,
}
