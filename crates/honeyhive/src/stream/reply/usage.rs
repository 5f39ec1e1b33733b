/// Tokens are counted as far as the provider tells. Each count is the last that was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// The input has all tokens of the prompt, cache included.
    pub(crate) input: Option<u64>,
    /// The output has all tokens of the answer, reasoning included.
    pub(crate) output: Option<u64>,
    pub(crate) cache_read: Option<u64>,
    pub(crate) cache_write: Option<u64>,
    pub(crate) reasoning: Option<u64>,
    /// The prompt's tokens are as the provider counts them: Anthropic past the cache, Gemini without answers of tools.
    pub(in crate::stream) prompt: Option<u64>,
    /// The answer's tokens are without reasoning, where the provider counts reasoning apart.
    pub(in crate::stream) aloud: Option<u64>,
    /// The prompt's tokens in answers of tools are here, where the provider counts them apart.
    pub(in crate::stream) from_tools: Option<u64>,
}

impl Usage {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Replaces a count by a newer one; a count that is missing leaves the older one.
pub(in crate::stream) fn replace(count: &mut Option<u64>, newer: Option<u64>) {
    *count = newer.or(*count);
}
