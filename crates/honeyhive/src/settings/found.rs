//! [`FoundSetting`] is a setting as a tracer runs with it, with where it came from.

use std::fmt;

use super::environment::Environment;
use super::resolve::{Explicit, Settings};
use super::variables as names;
use super::variables::Variable;
use crate::secret::KeyKind;

/// A found setting is one of a running tracer. For a key only its kind is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundSetting {
    /// The name is that of the setting's variable, or of its method where it has none.
    pub name: &'static str,
    /// The value is in words.
    pub value: String,
    /// The origin tells where the value came from.
    pub origin: SettingOrigin,
}

/// A setting has one of these origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingOrigin {
    /// The program has set it, with this method of the builder.
    Code(&'static str),
    /// The environment has set it, with this variable.
    Environment(&'static str),
    /// The setting has its default.
    Default,
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(setter) => write!(formatter, "in code, by {setter}"),
            Self::Environment(name) => write!(formatter, "from {name}"),
            Self::Default => formatter.write_str("default"),
        }
    }
}

/// The settings are those that code has set, before they are resolved.
#[derive(Debug)]
pub(crate) struct Given {
    by_variable: [(&'static Variable, bool); 16],
    by_method: [(&'static str, bool); 7],
    /// The other settings are not resolved: all that is told is whether they are set.
    others: [(&'static str, bool); 5],
}

impl Given {
    pub(crate) const fn of(explicit: &Explicit, others: [(&'static str, bool); 5]) -> Self {
        let keys = &explicit.keys;
        Self {
            by_variable: [
                (&names::API_KEY, keys.api_key.is_some()),
                (&names::INGESTION_API_KEY, keys.ingestion_api_key.is_some()),
                (
                    &names::DATA_PLANE_API_KEY,
                    keys.data_plane_api_key.is_some(),
                ),
                (&names::API_URL, explicit.server_url.is_some()),
                (&names::PROJECT, explicit.project.is_some()),
                (&names::SOURCE, explicit.source.is_some()),
                (&names::SESSION_NAME, explicit.session_name.is_some()),
                (&names::TEST_MODE, explicit.test_mode.is_some()),
                (&names::API_TIMEOUT, explicit.api_timeout.is_some()),
                (&names::SESSION_SAMPLE_RATE, explicit.sampling.is_some()),
                (&names::OTLP_PROTOCOL, explicit.otlp_protocol.is_some()),
                (
                    &names::OTLP_COMPRESSION,
                    explicit.otlp_compression.is_some(),
                ),
                (&names::DROP_POLICY, explicit.drop_policy.is_some()),
                (&names::SPOOL_DIR, explicit.spool.is_some()),
                (&names::STDERR, explicit.stderr.is_some()),
                (&names::CAPTURE_CONTENT, explicit.captures_content.is_some()),
            ],
            by_method: [
                ("`.coalesce_window(..)`", explicit.coalesce_window.is_some()),
                ("`.max_pending_bytes(..)`", explicit.queue_bytes.is_some()),
                ("`.max_pending_items(..)`", explicit.queue_items.is_some()),
                ("`.ca_certificate(..)`", explicit.ca_certificate.is_some()),
                ("`.http_client(..)`", explicit.http_client.is_some()),
                ("`.session_id(..)`", explicit.session_id.is_some()),
                (
                    "`.session_transport(..)`",
                    explicit.session_transport.is_some(),
                ),
            ],
            others,
        }
    }

    /// Returns all settings in words, each with its origin; `is_isolated` where the environment was not asked.
    pub(crate) fn found(&self, is_isolated: bool, settings: &Settings) -> Vec<FoundSetting> {
        let read = |name: &str| (!is_isolated).then(|| std::env::var_os(name)).flatten();
        let env = Environment(&read);
        let by_variable = self
            .by_variable
            .iter()
            .map(|(variable, is_given)| FoundSetting {
                name: variable.name,
                value: value_of(variable, settings),
                origin: origin(variable, *is_given, env),
            });
        let by_method = self
            .by_method
            .iter()
            .map(|(setter, is_given)| FoundSetting {
                name: setter,
                value: said_by(setter, settings),
                origin: by_code(setter, *is_given),
            });
        let others = self.others.iter().map(|(setter, is_given)| FoundSetting {
            name: setter,
            value: given(*is_given),
            origin: by_code(setter, *is_given),
        });
        by_variable.chain(by_method).chain(others).collect()
    }
}

fn origin(variable: &Variable, is_given: bool, env: Environment<'_>) -> SettingOrigin {
    if is_given {
        return SettingOrigin::Code(variable.setter);
    }
    let names = std::iter::once(variable.name).chain(variable.deprecated.iter().copied());
    let set = names.into_iter().find(|name| env.is_set(name));
    set.map_or(SettingOrigin::Default, SettingOrigin::Environment)
}

fn value_of(variable: &Variable, settings: &Settings) -> String {
    let key = |kind| match settings.keys.of(kind) {
        None => "not set".to_owned(),
        Some(key) if key.kind() == kind => format!("a {kind}"),
        Some(key) => format!("a {}, which is not meant for this", key.kind()),
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "not set".to_owned());
    match variable.name {
        "HH_API_KEY" => key(KeyKind::Project),
        "HH_INGESTION_API_KEY" => key(KeyKind::Ingestion),
        "HH_DATA_PLANE_API_KEY" => key(KeyKind::DataPlane),
        "HH_API_URL" => settings.server_url.clone(),
        "HH_PROJECT" => text(&settings.project),
        "HH_SOURCE" => settings.source.clone(),
        "HH_SESSION_NAME" => settings.session_name.clone(),
        "HH_TEST_MODE" => settings.test_mode.to_string(),
        "HH_API_TIMEOUT" => format!("{:?}", settings.api_timeout),
        "HH_SESSION_SAMPLE_RATE" => settings.sampling.told(),
        "HH_OTLP_PROTOCOL" => settings.otlp_encoding.name().to_owned(),
        "HH_OTLP_COMPRESSION" => settings.otlp_compression.name().to_owned(),
        "HH_DROP_POLICY" => settings.drop_policy.name().to_owned(),
        "HH_SPOOL_DIR" => match &settings.spool {
            Some(spool) => spool.told(),
            None => "not set".to_owned(),
        },
        "HH_STDERR" => settings.stderr.to_string(),
        _ => settings.captures_content.to_string(),
    }
}

const fn by_code(setter: &'static str, is_given: bool) -> SettingOrigin {
    if is_given {
        SettingOrigin::Code(setter)
    } else {
        SettingOrigin::Default
    }
}

fn given(is_given: bool) -> String {
    if is_given { "set" } else { "not set" }.to_owned()
}

fn said_by(setter: &str, settings: &Settings) -> String {
    match setter {
        "`.coalesce_window(..)`" => format!("{:?}", settings.coalesce_window),
        "`.max_pending_bytes(..)`" => settings.queue_bytes.to_string(),
        "`.max_pending_items(..)`" => settings.queue_items.to_string(),
        "`.session_id(..)`" => settings
            .session_id
            .map_or_else(|| "a random one".to_owned(), |id| id.to_string()),
        "`.session_transport(..)`" => format!("{:?}", settings.session_transport),
        "`.http_client(..)`" => given(settings.http_client.is_some()),
        _ => given(settings.ca_certificate.is_some()),
    }
}
