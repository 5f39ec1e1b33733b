//! A run names its commit, but no author and no credentials; git gets two seconds at the most.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

const LONGEST: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(5);

/// Services that run tests name the commit and the branch in these variables.
const COMMITS: [&str; 3] = ["GITHUB_SHA", "CI_COMMIT_SHA", "BUILDKITE_COMMIT"];
const BRANCHES: [&str; 3] = ["GITHUB_HEAD_REF", "CI_COMMIT_REF_NAME", "BUILDKITE_BRANCH"];

/// Returns the commit, the branch, whether files have changed since, and the remote; `None` where nothing is known.
pub(super) fn facts() -> Option<Value> {
    let until = Instant::now() + LONGEST;
    let ask = |arguments: &[&str]| text_of(arguments, until);
    let mut facts = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        facts.extend(value.map(|value| (name.to_owned(), value)))
    };
    let commit = ask(&["rev-parse", "HEAD"]);
    let is_here = commit.is_some();
    put(
        "commit",
        commit.or_else(|| variable(&COMMITS)).map(Value::from),
    );
    let branch = is_here
        .then(|| ask(&["rev-parse", "--abbrev-ref", "HEAD"]))
        .flatten();
    let branch = branch.filter(|branch| branch != "HEAD");
    put(
        "branch",
        branch.or_else(|| variable(&BRANCHES)).map(Value::from),
    );
    if is_here {
        let remote = ask(&["config", "--get", "remote.origin.url"]);
        put(
            "remote",
            remote
                .and_then(|url| without_credentials(&url))
                .map(Value::from),
        );
        // The check for changes comes last, since it reads every file.
        put("dirty", is_dirty(until).map(Value::from));
    }
    (!facts.is_empty()).then_some(Value::Object(facts))
}

fn variable(names: &[&str]) -> Option<String> {
    let found = names.iter().filter_map(|name| std::env::var(name).ok());
    found.into_iter().find(|value| !value.is_empty())
}

fn begin(arguments: &[&str], output: Stdio) -> Option<Child> {
    let mut git = Command::new("git");
    git.args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(output);
    // Git must not ask for a password, since nobody answers, and must take no locks in the repository.
    git.env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0");
    git.spawn().ok()
}

/// Returns the exit code; `None` where the process took too long.
fn wait(child: &mut Child, until: Instant) -> Option<i32> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.code(),
            Ok(None) if Instant::now() < until => thread::sleep(PAUSE),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

fn text_of(arguments: &[&str], until: Instant) -> Option<String> {
    let mut child = begin(arguments, Stdio::piped())?;
    if wait(&mut child, until) != Some(0) {
        return None;
    }
    let mut text = String::new();
    child.stdout.take()?.read_to_string(&mut text).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn is_dirty(until: Instant) -> Option<bool> {
    let mut child = begin(&["diff-index", "--quiet", "HEAD", "--"], Stdio::null())?;
    match wait(&mut child, until)? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// Returns the address of a remote without user, password and query. `None` for a path of this machine.
fn without_credentials(url: &str) -> Option<String> {
    let cut = |text: &str| text.split(['?', '#']).next().unwrap_or_default().to_owned();
    if let Some((scheme, rest)) = url.split_once("://") {
        if scheme == "file" {
            return None;
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        // A password may contain `@` or a slash, so everything before the last `@` goes.
        let (host, path) = match path.rsplit_once('@') {
            Some((_, after)) => after.split_once('/').unwrap_or((after, "")),
            None => (host.rsplit_once('@').map_or(host, |(_, host)| host), path),
        };
        return Some(cut(&format!("{scheme}://{host}/{path}")));
    }
    let (host, path) = url
        .rsplit_once('@')
        .map_or(url, |(_, after)| after)
        .split_once(':')?;
    let is_path = host.len() < 2 || host.contains(['/', '\\']);
    (!is_path).then(|| cut(&format!("{host}:{path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_has_no_credentials() {
        let table = [
            (
                "https://user:token@host/a/b.git?x=token",
                Some("https://host/a/b.git"),
            ),
            ("https://host/a/b.git#token", Some("https://host/a/b.git")),
            (
                "https://user:to/k@en@host/a.git",
                Some("https://host/a.git"),
            ),
            ("https://token@host", Some("https://host/")),
            ("ssh://git:token@host:22/a.git", Some("ssh://host:22/a.git")),
            ("git@host:a/b.git", Some("host:a/b.git")),
            ("user:token@host:a", Some("host:a")),
            ("/home/token/a", None),
            ("../token", None),
            ("C:\\token\\a", None),
            ("file:///home/token/a", None),
        ];
        for (url, expected) in table {
            assert_eq!(without_credentials(url).as_deref(), expected, "{url}");
        }
    }
}
