//! Some variables of HoneyHive's other SDKs change nothing here, and are named once, rather than ignored.

use std::sync::atomic::{AtomicBool, Ordering};

use super::environment::Environment;
use crate::log;

/// HoneyHive documents these variables for its other SDKs, and nothing here reads them.
pub(super) const WITHOUT_EFFECT: &[&str] = &[
    "HH_BATCH_SIZE",
    "HH_CACHE_CLEANUP_INTERVAL",
    "HH_CACHE_ENABLED",
    "HH_CACHE_MAX_SIZE",
    "HH_CACHE_TTL",
    "HH_DISABLE_BATCH",
    "HH_DISABLE_HTTP_TRACING",
    "HH_DISABLE_TRACING",
    "HH_EXPERIMENT_GROUP",
    "HH_EXPERIMENT_ID",
    "HH_EXPERIMENT_METADATA",
    "HH_EXPERIMENT_NAME",
    "HH_EXPERIMENT_VARIANT",
    "HH_EXPORT_TIMEOUT",
    "HH_EXPORT_TIMEOUT_SECONDS",
    "HH_FLUSH_INTERVAL",
    "HH_FOLLOW_REDIRECTS",
    "HH_HIGH_CONCURRENCY",
    "HH_HTTPS_PROXY",
    "HH_HTTP_PROXY",
    "HH_KEEPALIVE_EXPIRY",
    "HH_MAX_ATTRIBUTES",
    "HH_MAX_CONNECTIONS",
    "HH_MAX_EVENTS",
    "HH_MAX_EXPORT_BATCH_SIZE",
    "HH_MAX_KEEPALIVE_CONNECTIONS",
    "HH_MAX_LINKS",
    "HH_MAX_RETRIES",
    "HH_MAX_SPAN_SIZE",
    "HH_NO_PROXY",
    "HH_OTLP_ENABLED",
    "HH_OTLP_ENDPOINT",
    "HH_OTLP_HEADERS",
    "HH_POOL_TIMEOUT",
    "HH_PRESERVE_CORE_ATTRIBUTES",
    "HH_RATE_LIMIT_CALLS",
    "HH_RATE_LIMIT_WINDOW",
    "HH_SERVICE_NAME",
    "HH_SERVICE_VERSION",
    "HH_TIMEOUT",
    "HH_VERBOSE",
    "HH_VERIFY_SSL",
];

/// Returns the variables that are set and change nothing here.
fn set_in(env: &Environment<'_>) -> Vec<&'static str> {
    let names = WITHOUT_EFFECT.iter().copied();
    names.filter(|name| env.is_set(name)).collect()
}

pub(super) fn warn_once(env: &Environment<'_>) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let names = set_in(env);
    if !names.is_empty() && !WARNED.swap(true, Ordering::Relaxed) {
        let names = names.join(", ");
        log::warn(format_args!(
            "set, but without effect in the SDK for Rust: {names}"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::variables::ALL;

    #[test]
    fn variables_without_effect_are_found_where_they_are_set() {
        let set = |name: &str| {
            let value = match name {
                "HH_DISABLE_TRACING" | "HH_SOURCE" => "true",
                "HH_VERBOSE" => " ",
                _ => return None,
            };
            Some(value.into())
        };
        assert_eq!(set_in(&Environment(&set)), ["HH_DISABLE_TRACING"]);
    }

    #[test]
    fn no_variable_that_is_read_is_said_to_have_no_effect() {
        for variable in ALL {
            for name in variable.names() {
                assert!(!WITHOUT_EFFECT.contains(&name), "{name}");
            }
        }
    }
}
