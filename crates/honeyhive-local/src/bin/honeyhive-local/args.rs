//! Flags and environment variables of the program.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub(crate) const HELP: &str = "\
A HoneyHive on your own machine.

Usage: honeyhive-local [OPTIONS]

Options:
  --port <PORT>         port to listen on [env: HONEYHIVE_LOCAL_PORT] [default: 7777]
  --address <IP>        address to listen on [env: HONEYHIVE_LOCAL_ADDRESS] [default: 127.0.0.1]
  --allow-remote        allow an address that other machines can reach
                        [env: HONEYHIVE_LOCAL_ALLOW_REMOTE=true]
  --api-key-env <NAME>  environment variable with the key that clients must send
                        [default: HH_LOCAL_API_KEY]; unset or empty: any key will do
  --help                print this
  --version             print the version
";

const DEFAULT_PORT: u16 = 7777;
const DEFAULT_KEY_VARIABLE: &str = "HH_LOCAL_API_KEY";

/// What the program is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Serve(Settings),
    Help,
    Version,
}

/// How to serve.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) address: SocketAddr,
    pub(crate) allow_remote: bool,
    /// The variable that the key was found in. The key itself stays there until it is needed.
    pub(crate) key_variable: Option<String>,
}

/// Why the command line or the environment makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misused(String);

impl fmt::Display for Misused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Values as text, before anything is made of them.
#[derive(Default)]
struct Given {
    port: Option<String>,
    address: Option<String>,
    allow_remote: bool,
    key_variable: Option<String>,
}

/// Reads the arguments, and the environment where they are silent.
pub(crate) fn read(
    args: impl IntoIterator<Item = String>,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Request, Misused> {
    let env = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    let mut given = Given::default();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let (flag, inline) = split(&arg);
        let mut value = || match inline.clone().or_else(|| args.next()) {
            Some(value) => Ok(value),
            None => Err(Misused(format!("{flag} needs a value"))),
        };
        match flag {
            "--help" | "-h" => return Ok(Request::Help),
            "--version" | "-V" => return Ok(Request::Version),
            "--port" => given.port = Some(value()?),
            "--address" => given.address = Some(value()?),
            "--api-key-env" => given.key_variable = Some(value()?),
            "--allow-remote" if inline.is_none() => given.allow_remote = true,
            _ => return Err(Misused(format!("unknown argument {arg:?}; see --help"))),
        }
    }
    settings(given, env).map(Request::Serve)
}

fn split(arg: &str) -> (&str, Option<String>) {
    match arg.split_once('=') {
        Some((flag, value)) => (flag, Some(value.to_owned())),
        None => (arg, None),
    }
}

fn settings(given: Given, env: impl Fn(&str) -> Option<String>) -> Result<Settings, Misused> {
    let port = given.port.or_else(|| env("HONEYHIVE_LOCAL_PORT"));
    let address = given.address.or_else(|| env("HONEYHIVE_LOCAL_ADDRESS"));
    let remote = env("HONEYHIVE_LOCAL_ALLOW_REMOTE");
    let key_variable = given.key_variable;
    let key_variable = key_variable.unwrap_or_else(|| DEFAULT_KEY_VARIABLE.to_owned());
    let ip = parsed(address, "address", IpAddr::V4(Ipv4Addr::LOCALHOST))?;
    Ok(Settings {
        address: SocketAddr::new(ip, parsed(port, "port", DEFAULT_PORT)?),
        allow_remote: given.allow_remote || remote.is_some_and(|remote| is_true(&remote)),
        key_variable: env(&key_variable).map(|_| key_variable),
    })
}

fn parsed<T: std::str::FromStr>(text: Option<String>, what: &str, or: T) -> Result<T, Misused> {
    let Some(text) = text else {
        return Ok(or);
    };
    let value = text.trim().parse();
    value.map_err(|_| Misused(format!("{text:?} is no {what}")))
}

fn is_true(text: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&text.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::{Misused, Request, Settings, read};

    fn serve(args: &[&str], env: &[(&str, &str)]) -> Result<Request, Misused> {
        let args = args.iter().map(|arg| (*arg).to_owned());
        let find = |name: &str| env.iter().find(|(key, _)| *key == name);
        read(args, |name| {
            find(name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn settings(args: &[&str], env: &[(&str, &str)]) -> Settings {
        match serve(args, env) {
            Ok(Request::Serve(settings)) => settings,
            other => panic!("expected settings, got {other:?}"),
        }
    }

    #[test]
    fn nothing_said_means_loopback_and_no_key() {
        let settings = settings(&[], &[("HH_LOCAL_API_KEY", " ")]);
        assert_eq!(settings.address.to_string(), "127.0.0.1:7777");
        assert!(!settings.allow_remote);
        assert_eq!(settings.key_variable, None);
    }

    #[test]
    fn arguments_beat_the_environment() {
        let env = [
            ("HONEYHIVE_LOCAL_PORT", "1"),
            ("HONEYHIVE_LOCAL_ADDRESS", "::1"),
        ];
        assert_eq!(settings(&[], &env).address.to_string(), "[::1]:1");
        assert_eq!(settings(&["--port=2"], &env).address.to_string(), "[::1]:2");
        assert_eq!(settings(&["--port", "3"], &env).address.port(), 3);
    }

    #[test]
    fn the_key_is_only_ever_named_by_its_variable() {
        let found = settings(&["--api-key-env", "MY_KEY"], &[("MY_KEY", "hh_secret")]);
        assert_eq!(found.key_variable.as_deref(), Some("MY_KEY"));
        assert!(!format!("{found:?}").contains("hh_secret"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = [
            &["--api-key", "x"][..],
            &["--port"],
            &["--port", "70000"],
            &["--address", "localhost"],
            &["--allow-remote=no"],
            &["extra"],
        ];
        for args in refused {
            assert!(serve(args, &[]).is_err(), "{args:?}");
        }
    }
}
