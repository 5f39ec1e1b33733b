//! A build without the feature `doctor` does not look at the environment.

use serde_json::Value;

use crate::failure::Failure;

/// `Found` has the findings of a build without the search: none.
pub(crate) struct Found {
    pub(crate) text: String,
    pub(crate) json: Value,
    pub(crate) is_healthy: bool,
}

/// Returns an error that names the feature, where a probe is asked for.
#[expect(clippy::unused_async, reason = "as the other one")]
pub(crate) async fn look(probe: bool) -> Result<Option<Found>, Failure> {
    if probe {
        return Err(Failure::Misused(
            "this program was built without the feature `doctor`: `cargo install honeyhive-local --features cli,doctor`".to_owned(),
        ));
    }
    Ok(None)
}
