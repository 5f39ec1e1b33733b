use super::*;

fn resolve(explicit: Explicit, pairs: &[(&str, &str)]) -> Result<Settings, BuildError> {
    Settings::resolve_with(explicit, &|name| {
        // The last pair of a name wins.
        pairs
            .iter()
            .rev()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| OsString::from(value))
    })
}

fn typed_key(prefix: &str) -> String {
    format!("{prefix}{}_{}", "a1".repeat(12), "Zz_-".repeat(16))
}

#[test]
fn explicit_wins_over_environment_and_environment_over_default() {
    let explicit = Explicit {
        source: Some("explicit".into()),
        ..Explicit::default()
    };
    let env = [
        ("HH_API_KEY", "hh_k"),
        ("HH_SOURCE", "env"),
        ("HH_PROJECT", "p"),
    ];
    let settings = resolve(explicit, &env).unwrap();
    assert_eq!(settings.source, "explicit");
    assert_eq!(settings.project.as_deref(), Some("p"));
    assert_eq!(settings.server_url, "https://api.dp1.us.honeyhive.ai");
    assert_eq!(settings.api_timeout, Duration::from_secs(5));
    assert_eq!(settings.otlp_encoding, Encoding::Protobuf);
}

#[test]
fn a_blank_value_counts_as_unset() {
    let error = resolve(Explicit::default(), &[("HH_API_KEY", "  ")]).unwrap_err();
    assert!(matches!(error, BuildError::MissingApiKey));
    assert!(error.to_string().contains("HH_API_KEY"));
}

#[test]
fn what_is_dropped_is_a_setting_like_any_other() {
    let policy = |env: &[_]| resolve(Explicit::default(), env).unwrap().drop_policy;
    let key = ("HH_API_KEY", "hh_k");
    assert_eq!(policy(&[key]), DropPolicy::Newest);
    assert_eq!(
        policy(&[key, ("HH_DROP_POLICY", "Oldest")]),
        DropPolicy::Oldest
    );
}

fn asks_for_json() -> [Result<Settings, BuildError>; 2] {
    let key = ("HH_API_KEY", "hh_k");
    let explicit = Explicit {
        otlp_protocol: Some(OtlpProtocol::HttpJson),
        ..Explicit::default()
    };
    [
        resolve(explicit, &[key]),
        resolve(
            Explicit::default(),
            &[key, ("HH_OTLP_PROTOCOL", "http/json")],
        ),
    ]
}

#[cfg(feature = "http-json")]
#[test]
fn json_is_written_where_it_is_asked_for() {
    for settings in asks_for_json() {
        assert_eq!(settings.unwrap().otlp_encoding, Encoding::Json);
    }
}

#[cfg(not(feature = "http-json"))]
#[test]
fn json_that_is_not_built_in_is_an_error_that_says_what_to_turn_on() {
    let settings = ["`.otlp_protocol(..)`", "HH_OTLP_PROTOCOL"];
    for (result, setting) in asks_for_json().into_iter().zip(settings) {
        let said = result.unwrap_err().to_string();
        assert!(
            said.starts_with(setting) && said.contains("the feature `http-json`"),
            "{said}"
        );
    }
}

#[cfg(not(feature = "spool"))]
#[test]
fn a_spool_that_is_not_built_in_is_an_error_that_says_what_to_turn_on() {
    let env = [("HH_API_KEY", "k"), ("HH_SPOOL_DIR", "/var/spool/chat")];
    let said = resolve(Explicit::default(), &env).unwrap_err().to_string();
    assert!(said.starts_with("HH_SPOOL_DIR"), "{said}");
    assert!(said.contains("the feature `spool`"), "{said}");
}

#[test]
fn test_mode_needs_no_key() {
    let settings = resolve(Explicit::default(), &[("HH_TEST_MODE", "on")]).unwrap();
    assert!(settings.test_mode && settings.keys.write().is_none());
}

#[test]
fn the_ingestion_key_is_used_for_writing() {
    let ingestion = typed_key("hh_ingst_");
    let env = [
        ("HH_API_KEY", "hh_k"),
        ("HH_INGESTION_API_KEY", ingestion.as_str()),
    ];
    let settings = resolve(Explicit::default(), &env).unwrap();
    assert_eq!(settings.keys.write().unwrap().expose(), ingestion);
}

#[test]
fn a_typed_key_of_the_wrong_shape_is_refused_without_its_value() {
    let secret = "hh_ingst_tooshort";
    for name in ["HH_INGESTION_API_KEY", "HH_DATA_PLANE_API_KEY"] {
        let error =
            resolve(Explicit::default(), &[("HH_API_KEY", "k"), (name, secret)]).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert!(!format!("{error} {error:?}").contains(secret));
    }
}

#[test]
fn deprecated_names_are_read_after_the_current_one() {
    let env = [
        ("HONEYHIVE_API_KEY", "hh_old"),
        ("HH_SERVER_URL", "http://old.example/"),
    ];
    let settings = resolve(Explicit::default(), &env).unwrap();
    assert_eq!(settings.server_url, "http://old.example");
    let both = [("HH_API_KEY", "hh_new"), ("HONEYHIVE_API_KEY", "hh_old")];
    let settings = resolve(Explicit::default(), &both).unwrap();
    assert_eq!(settings.keys.write().unwrap().expose(), "hh_new");
}

#[test]
fn bad_values_name_the_setting_they_came_from() {
    for (name, value) in [
        ("HH_API_URL", "api.honeyhive.ai"),
        ("HH_API_URL", "ftp://x"),
        ("HH_API_URL", "https://user:pw@host"),
        ("HH_API_URL", "https://host/?q=1"),
        ("HH_API_URL", "not a url"),
        ("HH_API_TIMEOUT", "0"),
        ("HH_API_TIMEOUT", "-1"),
        ("HH_API_TIMEOUT", "NaN"),
        ("HH_API_TIMEOUT", "1e400"),
        ("HH_TEST_MODE", "maybe"),
        ("HH_OTLP_PROTOCOL", "grpc"),
        ("HH_SESSION_SAMPLE_RATE", "10%"),
        ("HH_SESSION_SAMPLE_RATE", "1.5"),
        ("HH_SESSION_SAMPLE_RATE", "NaN"),
        ("HH_DROP_POLICY", "both"),
        ("HH_API_KEY", "has space"),
        ("HH_API_KEY", "\"hh_k\""),
        ("HH_SOURCE", "\"production\""),
        ("HH_SOURCE", "two\nlines"),
        ("HH_PROJECT", "'shop'"),
        ("HH_SESSION_NAME", "two\nlines"),
        ("HH_API_URL", "\"https://host\""),
        ("HH_SPOOL_DIR", "'/var/spool/chat'"),
        ("HH_OTLP_COMPRESSION", "zstd"),
    ] {
        let env = [("HH_API_KEY", "hh_k"), (name, value)];
        let error = resolve(Explicit::default(), &env).unwrap_err();
        assert!(error.to_string().contains(name), "{name}={value}: {error}");
    }
}

#[test]
fn texts_are_checked_alike_in_code_and_in_the_environment() {
    type Set = fn(&mut Explicit, String);
    let sets: [(&Variable, Set); 4] = [
        (&names::API_URL, |it, value| it.server_url = Some(value)),
        (&names::PROJECT, |it, value| it.project = Some(value)),
        (&names::SOURCE, |it, value| it.source = Some(value)),
        (&names::SESSION_NAME, |it, value| {
            it.session_name = Some(value)
        }),
    ];
    for (variable, set) in sets {
        let value = match variable.name {
            "HH_API_URL" => "http://a",
            _ => "a",
        };
        let built = |value: &str| {
            let mut explicit = Explicit::default();
            set(&mut explicit, value.to_owned());
            let key = ("HH_API_KEY", "hh_k");
            let resolved = [
                resolve(explicit, &[key]),
                resolve(Explicit::default(), &[key, (variable.name, value)]),
            ];
            resolved.map(|it| {
                it.map(|it| (it.server_url, it.project, it.source, it.session_name))
                    .map_err(|error| error.to_string())
            })
        };
        let plain = built(value);
        assert!(plain.iter().all(Result::is_ok), "{plain:?}");
        assert_eq!(built(&format!(" {value}\r\n")), plain, "{variable:?}");
        for quoted in [format!("\"{value}\""), format!("'{value}'")] {
            let said = built(&quoted).map(Result::unwrap_err);
            assert!(said[0].contains(variable.setter), "{said:?}");
            assert!(said[1].contains(variable.name), "{said:?}");
        }
    }
}

#[test]
fn a_source_that_no_server_takes_as_a_header_is_refused() {
    let long = "x".repeat(257);
    let said = resolve(
        Explicit::default(),
        &[("HH_API_KEY", "k"), ("HH_SOURCE", &long)],
    );
    let said = said.unwrap_err().to_string();
    assert!(
        said.contains("HH_SOURCE") && said.contains("256 bytes"),
        "{said}"
    );
    assert!(
        resolve(
            Explicit::default(),
            &[("HH_API_KEY", "k"), ("HH_SOURCE", &long[1..])]
        )
        .is_ok()
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStringExt as _;
    for variable in names::ALL {
        let name = variable.name;
        let environment = |asked: &str| match asked {
            _ if asked == name => Some(OsString::from_vec(vec![0xff])),
            "HH_API_KEY" => Some("hh_k".into()),
            _ => None,
        };
        let error = Settings::resolve_with(Explicit::default(), &environment).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(name) && said.contains("UTF-8"), "{said}");
    }
}

#[test]
fn nothing_is_asked_of_the_environment_that_is_not_to_be() {
    let explicit = Explicit {
        is_isolated: true,
        test_mode: Some(true),
        ..Explicit::default()
    };
    let settings = Settings::resolve(explicit).unwrap();
    assert_eq!((settings.source.as_str(), settings.project), ("dev", None));
}

#[test]
fn a_source_in_any_script_is_a_header() {
    let settings = resolve(
        Explicit::default(),
        &[("HH_API_KEY", "k"), ("HH_SOURCE", "prüfstand")],
    );
    let settings = settings.unwrap();
    assert_eq!(settings.source_header.as_bytes(), "prüfstand".as_bytes());
}

#[test]
fn no_key_shows_in_debug() {
    let settings = resolve(Explicit::default(), &[("HH_API_KEY", "hh_secret")]).unwrap();
    assert!(!format!("{settings:?}").contains("hh_secret"));
}
