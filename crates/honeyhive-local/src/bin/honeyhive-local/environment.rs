//! The settings of this environment, and whether they lead to HoneyHive.

use honeyhive::HoneyHiveTracer;
use serde_json::{Value, json};

use crate::failure::Failure;

/// The findings of the search, and whether all is well.
pub(crate) struct Found {
    pub(crate) text: String,
    pub(crate) json: Value,
    pub(crate) is_healthy: bool,
}

/// Looks, where the environment has a key or somebody asks for a probe.
pub(crate) async fn look(probe: bool) -> Result<Option<Found>, Failure> {
    let keys = ["HH_API_KEY", "HH_INGESTION_API_KEY", "HONEYHIVE_API_KEY"];
    let has_key = keys.iter().any(|name| std::env::var_os(name).is_some());
    if !has_key && !probe {
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
