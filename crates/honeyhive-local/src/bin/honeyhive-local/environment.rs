//! The environment has settings, which may lead to HoneyHive or not.

use honeyhive::HoneyHiveTracer;
use serde_json::{Value, json};

use crate::failure::Failure;

/// `Found` has the findings of the search, and whether all is well.
pub(crate) struct Found {
    pub(crate) text: String,
    pub(crate) json: Value,
    pub(crate) is_healthy: bool,
}

/// Tries the settings of this environment, where one of the SDK's variables is set, if only an address, or a probe is
/// asked for.
pub(crate) async fn look(probe: bool) -> Result<Option<Found>, Failure> {
    let mut names = std::env::vars_os().map(|(name, _)| name);
    let has_setting = names.any(|name| name.to_str().is_some_and(is_setting));
    if !has_setting && !probe {
        return Ok(None);
    }
    let tracer = match HoneyHiveTracer::from_env() {
        Ok(tracer) => tracer,
        Err(error) => {
            let text = format!("the settings of this environment cannot be used: {error}");
            return Ok(Some(Found {
                json: json!({"healthy": false, "error": text}),
                text,
                is_healthy: false,
            }));
        }
    };
    let diagnosis = honeyhive::doctor(&tracer).probe(probe).await;
    Ok(Some(Found {
        text: diagnosis.to_string(),
        json: diagnosis.to_json(),
        is_healthy: diagnosis.is_healthy(),
    }))
}

/// Returns whether the SDK reads the variable, or was meant to.
fn is_setting(variable: &str) -> bool {
    let begins = |prefix: &str| variable.starts_with(prefix);
    let is_own = begins("HONEYHIVE_LOCAL_") || begins("HH_LOCAL_");
    (begins("HH_") || begins("HONEYHIVE_")) && !is_own
}
