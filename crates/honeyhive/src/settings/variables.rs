//! The table has all variables that are read.

/// A setting has these names.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    /// The setting had these names before.
    pub(super) deprecated: &'static [&'static str],
    /// The setter has this name in code.
    pub(super) setter: &'static str,
    /// The setting takes these values, which the error about any other names.
    pub(super) takes: &'static str,
}

impl Variable {
    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.deprecated.iter().copied().chain([self.name])
    }
}

/// Keys take this text, which is never shown: [`keys`](super::keys) has more precise errors.
const KEY: &str = "a key";

pub(super) const API_KEY: Variable = Variable {
    name: "HH_API_KEY",
    deprecated: &["HONEYHIVE_API_KEY"],
    setter: "`.api_key(..)`",
    takes: KEY,
};
pub(super) const INGESTION_API_KEY: Variable = Variable {
    name: "HH_INGESTION_API_KEY",
    deprecated: &[],
    setter: "`.ingestion_api_key(..)`",
    takes: KEY,
};
pub(super) const DATA_PLANE_API_KEY: Variable = Variable {
    name: "HH_DATA_PLANE_API_KEY",
    deprecated: &[],
    setter: "`.data_plane_api_key(..)`",
    takes: KEY,
};
pub(super) const API_URL: Variable = Variable {
    name: "HH_API_URL",
    deprecated: &["HONEYHIVE_SERVER_URL", "HH_SERVER_URL"],
    setter: "`.server_url(..)`",
    takes: "a URL, such as https://api.dp1.us.honeyhive.ai",
};
pub(super) const PROJECT: Variable = Variable {
    name: "HH_PROJECT",
    deprecated: &[],
    setter: "`.project(..)`",
    takes: "the project's name, on one line",
};
pub(super) const SOURCE: Variable = Variable {
    name: "HH_SOURCE",
    deprecated: &[],
    setter: "`.source(..)`",
    takes: "a name on one line of at most 256 bytes, such as production",
};
pub(super) const SESSION_NAME: Variable = Variable {
    name: "HH_SESSION_NAME",
    deprecated: &[],
    setter: "`.session_name(..)`",
    takes: "a name on one line, such as nightly-import",
};
pub(super) const TEST_MODE: Variable = Variable {
    name: "HH_TEST_MODE",
    deprecated: &[],
    setter: "`.test_mode(..)`",
    takes: "true or false",
};
pub(super) const API_TIMEOUT: Variable = Variable {
    name: "HH_API_TIMEOUT",
    deprecated: &[],
    setter: "`.api_timeout(..)`",
    takes: "a number of seconds above zero, such as 5",
};
pub(super) const SESSION_SAMPLE_RATE: Variable = Variable {
    name: "HH_SESSION_SAMPLE_RATE",
    deprecated: &[],
    setter: "`.sampling(..)`",
    takes: "a share between 0 and 1, such as 0.1",
};
pub(super) const OTLP_PROTOCOL: Variable = Variable {
    name: "HH_OTLP_PROTOCOL",
    deprecated: &[],
    setter: "`.otlp_protocol(..)`",
    takes: "`http/protobuf` or `http/json`",
};
pub(super) const OTLP_COMPRESSION: Variable = Variable {
    name: "HH_OTLP_COMPRESSION",
    deprecated: &[],
    setter: "`.otlp_compression(..)`",
    takes: "`gzip`, `none` or `auto`",
};
pub(super) const DROP_POLICY: Variable = Variable {
    name: "HH_DROP_POLICY",
    deprecated: &[],
    setter: "`.drop_policy(..)`",
    takes: "`newest` or `oldest`",
};
pub(super) const SPOOL_DIR: Variable = Variable {
    name: "HH_SPOOL_DIR",
    deprecated: &[],
    setter: "`.spool(..)`",
    takes: "a folder, and a bound above zero",
};

pub(super) const STDERR: Variable = Variable {
    name: "HH_STDERR",
    deprecated: &[],
    setter: "`.stderr(..)`",
    takes: "true or false",
};

pub(super) const CAPTURE_CONTENT: Variable = Variable {
    name: "HH_CAPTURE_CONTENT",
    deprecated: &[],
    setter: "`.capture_content(..)`",
    takes: "true or false",
};

#[cfg(test)]
pub(super) const ALL: [&Variable; 16] = [
    &API_KEY,
    &INGESTION_API_KEY,
    &DATA_PLANE_API_KEY,
    &API_URL,
    &PROJECT,
    &SOURCE,
    &SESSION_NAME,
    &TEST_MODE,
    &API_TIMEOUT,
    &SESSION_SAMPLE_RATE,
    &OTLP_PROTOCOL,
    &OTLP_COMPRESSION,
    &DROP_POLICY,
    &SPOOL_DIR,
    &STDERR,
    &CAPTURE_CONTENT,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_list_every_variable_with_its_setter() {
        let builder = include_str!("../tracer/builder.rs");
        let guide = include_str!("../../../../docs/guide/settings.md");
        for variable in ALL {
            let setter = variable.setter.trim_matches('`').trim_end_matches("(..)");
            for (what, text) in [("the builder", builder), ("the guide", guide)] {
                let is_there = text.lines().any(|line| {
                    let row = line.trim_start_matches("///").trim_start();
                    row.starts_with('|')
                        && row.contains(&format!("`{}`", variable.name))
                        && row.contains(setter.trim_start_matches('.'))
                });
                assert!(is_there, "{what} has no row for {variable:?}");
            }
            let older = variable.names().filter(|name| *name != variable.name);
            older.for_each(|name| assert!(guide.contains(name), "{name}"));
        }
    }
}
