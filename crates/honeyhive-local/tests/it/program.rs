//! The program itself.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_honeyhive-local"));
    for variable in ["PORT", "ADDRESS", "ALLOW_REMOTE"] {
        command.env_remove(format!("HONEYHIVE_LOCAL_{variable}"));
    }
    command.env_remove("HH_LOCAL_API_KEY");
    command
}

fn output(args: &[&str]) -> Output {
    program().args(args).output().unwrap()
}

/// Started, and what it said up to the line with the variables to set.
fn started(command: &mut Command) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("export ") {
        assert_ne!(lines.read_line(&mut said).unwrap(), 0, "{said}");
    }
    (child, said)
}

fn status_of(url: &str) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let request = crate::client::http().get(format!("{url}/projects"));
    runtime.block_on(request.send()).unwrap().status().as_u16()
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = output(&["--help"]);
    assert!(help.status.success());
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .contains("--allow-remote")
    );
    let version = output(&["--version"]);
    assert!(
        String::from_utf8(version.stdout)
            .unwrap()
            .contains(env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn an_unknown_flag_is_misuse() {
    let refused = output(&["--api-key=hh_x"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stdout.is_empty());
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("--help")
    );
}

#[test]
fn an_address_that_others_can_reach_is_refused_with_what_to_do() {
    let refused = output(&["--address", "0.0.0.0", "--port", "0"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("--allow-remote")
    );
}

#[cfg(unix)]
#[test]
fn it_says_where_it_listens_and_ends_on_sigterm() {
    let mut command = program();
    let (mut child, said) = started(command.args(["--port", "0"]));
    let url = said
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap();
    assert!(said.contains(&format!("export HH_API_URL={url} HH_API_KEY=hh_local")));
    assert_eq!(status_of(url), 200);
    let killed = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(killed.success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_key_from_the_environment_is_asked_for_and_never_printed() {
    let mut command = program();
    let command = command
        .args(["--port", "0", "--api-key-env", "MY_KEY"])
        .env("MY_KEY", "hh_secret");
    let (mut child, said) = started(command.stderr(Stdio::piped()));
    assert!(said.contains("HH_API_KEY=\"$MY_KEY\""));
    assert!(!said.contains("hh_secret"));
    let url = said
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap();
    assert_eq!(status_of(url), 401);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut complaints = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaints)
        .unwrap();
    assert_eq!(complaints, "");
}
