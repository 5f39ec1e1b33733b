//! A tracer's settings are kept for those who need them after it was built: a diagnosis, and runs of experiments.

#[cfg(feature = "evaluate")]
use std::sync::Arc;

#[cfg(feature = "evaluate")]
use crate::error::BuildError;
#[cfg(feature = "evaluate")]
use crate::redaction::{Redaction, Rules};
#[cfg(feature = "evaluate")]
use crate::secret::ApiKey;
use crate::secret::KeyKind;
use crate::settings::{FoundSetting, Settings};

/// A diagnosis prints these facts about a tracer.
pub(crate) struct About {
    pub(crate) settings: Vec<FoundSetting>,
    pub(crate) server_url: String,
    /// The flag tells whether nothing leaves the process.
    pub(crate) is_local: bool,
    pub(crate) has_given_client: bool,
    /// The flag tells whether the share of sessions that are sent is 0.
    pub(crate) sends_no_share: bool,
    pub(crate) writes_with: KeyKind,
}

impl About {
    /// Takes the facts from the settings, which `found` has in words.
    pub(super) fn new(settings: &Settings, found: Vec<FoundSetting>, is_local: bool) -> Self {
        Self {
            settings: found,
            server_url: settings.server_url.clone(),
            is_local,
            has_given_client: settings.http_client.is_some(),
            sends_no_share: settings.sampling.is_nothing(),
            writes_with: settings.keys.writes_with(),
        }
    }
}

/// Runs of experiments need these settings of a tracer.
#[cfg(feature = "evaluate")]
pub(crate) struct ForRuns {
    /// The redaction rules mask reports as they mask everything that leaves.
    pub(crate) rules: Arc<Rules>,
    /// Sessions and spans go out with a key of this kind.
    pub(crate) writes_with: Option<KeyKind>,
}

#[cfg(feature = "evaluate")]
impl ForRuns {
    /// Compiles rules of its own, since those of delivery are delivery's alone.
    pub(super) fn new(settings: &Settings, redaction: &Redaction) -> Result<Self, BuildError> {
        Ok(Self {
            rules: Arc::new(Rules::new(redaction)?),
            writes_with: settings.keys.write().map(ApiKey::kind),
        })
    }
}
