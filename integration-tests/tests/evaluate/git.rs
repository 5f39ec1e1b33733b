//! The metadata of a run tells of the work tree. Each run is in a process of its own, since a process has one folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use honeyhive_local::LocalRun;
use serde_json::json;

use crate::stage::{exact, numbered, right};
use integration_tests::harness::local_server;

/// The variable names the folder that the child process writes files to.
const FILES: &str = "GIT_FACTS_FILES";

/// A `Folder` has a work tree for one test in it, and a place for the run's files.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("honeyhive-git-{}-{name}", std::process::id());
        let folder = Self(std::env::temp_dir().join(folder));
        std::fs::create_dir_all(folder.tree()).unwrap();
        folder
    }

    fn tree(&self) -> PathBuf {
        self.0.join("tree")
    }

    fn files(&self) -> PathBuf {
        self.0.join("files")
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.tree()).args(arguments);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        assert!(git.status().unwrap().success(), "{arguments:?}");
    }

    /// Makes one commit of an author, and a remote.
    fn commit(self, remote: &str) -> Self {
        std::fs::write(self.tree().join("file"), "").unwrap();
        self.git(&["init", "-q", "-b", "main"]);
        self.git(&["config", "user.name", "Planted Author"]);
        self.git(&["config", "user.email", "planted@author.example"]);
        self.git(&["remote", "add", "origin", remote]);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "planted message"]);
        self
    }

    /// Puts a program called `git` in front of the real one.
    #[cfg(unix)]
    fn path_with_git(&self, script: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;

        let programs = self.0.join("programs");
        std::fs::create_dir_all(&programs).unwrap();
        let git = programs.join("git");
        std::fs::write(&git, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&git, std::fs::Permissions::from_mode(0o755)).unwrap();
        format!("{}:{}", programs.display(), std::env::var("PATH").unwrap())
    }

    /// Runs an experiment in the work tree, and gives the run and everything that was sent and written.
    fn run(&self, test: &str, environment: &[(&str, &str)]) -> (LocalRun, String) {
        let honeyhive = local_server().start_blocking().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", &format!("git::{test}"), "--nocapture"]);
        for (name, _) in std::env::vars() {
            if ["HH_", "GIT_", "GITHUB_", "CI_", "BUILDKITE_"]
                .iter()
                .any(|it| name.starts_with(it))
            {
                child.env_remove(name);
            }
        }
        child.current_dir(self.tree()).env(FILES, self.files());
        child
            .env("HH_API_KEY", "hh_git")
            .env("HH_API_URL", honeyhive.url());
        // Git must not find a work tree above the folder of temporary files.
        child.env("GIT_CEILING_DIRECTORIES", &self.0);
        child.envs(environment.iter().copied());
        let output = child.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let mut everything = format!("{:?}", honeyhive.requests());
        let bodies = honeyhive.requests().into_iter().map(|request| request.body);
        everything.extend(bodies.map(|body| String::from_utf8_lossy(&body).into_owned()));
        let files = std::fs::read_dir(self.files()).unwrap();
        everything.extend(files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()));
        let mut runs = honeyhive.runs();
        assert_eq!(
            (runs.len(), runs[0].status.as_str()),
            (1, "completed"),
            "{said}"
        );
        (runs.remove(0), everything)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs an experiment that writes every file there is, in the child process, and returns true there.
fn ran_here() -> bool {
    let Some(files) = std::env::var_os(FILES) else {
        return false;
    };
    let files = Path::new(&files);
    let report = honeyhive::evaluate(right)
        .dataset(numbered(2))
        .evaluator("exact", exact)
        .journal(files.join("journal.jsonl"))
        .block()
        .unwrap();
    assert!(report.delivery().is_complete(), "{:?}", report.delivery());
    report.baseline().save(files.join("baseline.json")).unwrap();
    std::fs::write(files.join("report.md"), report.markdown()).unwrap();
    std::fs::write(files.join("report.json"), report.json().to_string()).unwrap();
    true
}

#[test]
fn neither_a_remotes_credentials_nor_an_authors_address_is_in_any_request_or_file() {
    const TEST: &str =
        "neither_a_remotes_credentials_nor_an_authors_address_is_in_any_request_or_file";
    if ran_here() {
        return;
    }
    for (name, remote, told) in [
        (
            "https",
            "https://user:planted-token@host.example/a/b.git?x=planted-token",
            "https://host.example/a/b.git",
        ),
        (
            "ssh",
            "ssh://git:planted-token@host.example:22/a/b.git",
            "ssh://host.example:22/a/b.git",
        ),
        (
            "scp",
            "planted-token@host.example:a/b.git",
            "host.example:a/b.git",
        ),
    ] {
        let folder = Folder::new(name).commit(remote);
        let (run, everything) = folder.run(TEST, &[]);
        let git = run.metadata["git"].as_object().unwrap();
        let keys: Vec<&str> = git.keys().map(String::as_str).collect();
        assert_eq!(keys, ["branch", "commit", "dirty", "remote"], "{name}");
        assert_eq!(
            (&git["remote"], &git["branch"]),
            (&json!(told), &json!("main"))
        );
        assert_eq!(git["dirty"], false);
        assert_eq!(git["commit"].as_str().map(str::len), Some(40));
        assert!(
            !everything.to_lowercase().contains("planted"),
            "{name}: {everything}"
        );
    }
}

#[test]
fn a_changed_file_is_told_and_a_commit_that_is_no_branch_has_none() {
    const TEST: &str = "a_changed_file_is_told_and_a_commit_that_is_no_branch_has_none";
    if ran_here() {
        return;
    }
    let folder = Folder::new("changed").commit("/a/path/of/this/machine");
    folder.git(&["checkout", "-q", "--detach"]);
    std::fs::write(folder.tree().join("file"), "changed").unwrap();
    let git = folder.run(TEST, &[]).0.metadata["git"].clone();
    assert_eq!(git["dirty"], true);
    let absent = |key: &str| git.get(key).is_none();
    assert!(absent("branch") && absent("remote"), "{git}");
}

#[test]
fn without_git_or_a_work_tree_a_run_says_nothing_of_it_or_what_the_ci_says() {
    const TEST: &str = "without_git_or_a_work_tree_a_run_says_nothing_of_it_or_what_the_ci_says";
    if ran_here() {
        return;
    }
    let nowhere = Folder::new("nowhere");
    let nothing = Folder::new("nothing").commit("https://host.example/a.git");
    for (folder, environment) in [(&nowhere, &[][..]), (&nothing, &[("PATH", "/nonexistent")])] {
        let (run, _) = folder.run(TEST, environment);
        assert_eq!(run.metadata.get("git"), None);
    }
    let ci = [("GITHUB_SHA", "abc123"), ("GITHUB_HEAD_REF", "topic")];
    let (run, _) = nowhere.run(TEST, &ci);
    assert_eq!(
        run.metadata["git"],
        json!({"commit": "abc123", "branch": "topic"})
    );
}

/// A large repository makes `git` take for ever: to look at its files, or at all.
#[cfg(unix)]
#[test]
fn a_git_that_takes_for_ever_is_left_alone_and_what_it_had_said_is_told() {
    const TEST: &str = "a_git_that_takes_for_ever_is_left_alone_and_what_it_had_said_is_told";
    if ran_here() {
        return;
    }
    let folder = Folder::new("huge").commit("https://host.example/a.git");
    let hangs = folder.path_with_git("exec sleep 600");
    let (run, _) = folder.run(TEST, &[("PATH", &hangs)]);
    assert_eq!(run.metadata.get("git"), None);
    let real =
        "case \"$1\" in diff-index) exec sleep 600;; esac\nPATH=\"${PATH#*:}\" exec git \"$@\"";
    let looks = folder.path_with_git(real);
    let git = folder.run(TEST, &[("PATH", &looks)]).0.metadata["git"].clone();
    assert_eq!(git.get("dirty"), None);
    assert_eq!(git["remote"], "https://host.example/a.git");
}
