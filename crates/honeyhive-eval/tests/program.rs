//! The harness is tested as a program: its arguments, its exit codes, its files.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use std::{env, fs};

/// `Program` is `examples/gates.rs`, in a folder of its own.
struct Program {
    folder: PathBuf,
}

impl Program {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("honeyhive-eval-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    fn command(&self, arguments: &str) -> Command {
        let tests = env::current_exe().unwrap();
        let program = tests
            .parent()
            .unwrap()
            .parent()
            .unwrap()
            .join("examples")
            .join("gates");
        let mut command = Command::new(program.with_extension(env::consts::EXE_EXTENSION));
        command
            .args(arguments.split_whitespace())
            .current_dir(&self.folder);
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("HH_")) {
            command.env_remove(name);
        }
        command
            .env_remove("CI")
            .env_remove("GITHUB_STEP_SUMMARY")
            .env_remove("NO_COLOR")
            .env_remove("CARGO_TARGET_DIR");
        command.env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }

    fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn code(&self, arguments: &str) -> Option<i32> {
        self.run(arguments).status.code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn evals_are_listed_as_libtest_and_nextest_want_them() {
    let program = Program::new("list");
    assert_eq!(
        text(&program.run("--list go --format terse").stdout),
        "good: test\n"
    );
    let all = text(&program.run("--list --format terse").stdout);
    let ignored = text(&program.run("--list --format terse --ignored").stdout);
    assert_eq!(all, format!("good: test\n{ignored}"));
    assert_eq!(
        ignored,
        "bad: test\nbroken: test\nmisused: test\nendless: test\nblocking: test\nrambling: test\nrambling_too: test\nhalting: test\n"
    );
    assert_eq!(
        text(&program.run("--list b --include-ignored").stdout),
        "bad: test\nbroken: test\nblocking: test\nrambling: test\nrambling_too: test\n"
    );
    assert_eq!(
        text(&program.run("--list bad --exact --include-ignored").stdout),
        "bad: test\n"
    );
}

#[test]
fn the_exit_code_says_good_gate_usage_or_run() {
    let program = Program::new("codes");
    for (arguments, code) in [
        ("good --exact --nocapture", 0),
        ("bad --exact --ignored --offline", 1),
        ("misused --exact --ignored --offline", 2),
        ("--no-such-argument", 2),
        ("good --baseline missing", 2),
        ("broken --exact --ignored --offline", 3),
        (
            "--include-ignored --skip endless --skip halting --skip blocking --offline",
            2,
        ),
    ] {
        let output = program.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
    }
    let unreachable = program
        .command("good")
        .env("HH_API_KEY", "hh_x")
        .env("HH_API_URL", "http://127.0.0.1:1")
        .output()
        .unwrap();
    assert_eq!(
        unreachable.status.code(),
        Some(3),
        "{}",
        text(&unreachable.stderr)
    );
}

#[test]
fn without_a_key_it_runs_offline_and_says_so_but_not_in_ci() {
    let program = Program::new("key");
    let here = program.run("good");
    assert_eq!(here.status.code(), Some(0));
    assert!(
        text(&here.stderr).contains("runs offline"),
        "{}",
        text(&here.stderr)
    );
    let in_ci = program.command("good").env("CI", "true").output().unwrap();
    assert_eq!(in_ci.status.code(), Some(2));
    assert!(text(&in_ci.stderr).contains("HH_API_KEY"));
    let offline_in_ci = program
        .command("good --offline")
        .env("CI", "true")
        .output()
        .unwrap();
    assert_eq!(offline_in_ci.status.code(), Some(0));
}

#[test]
fn reports_are_written_and_have_no_control_characters() {
    let program = Program::new("reports");
    let summary = program.folder.join("summary.md");
    let arguments = "bad good --include-ignored --offline --markdown out/a.md --junit out/b.xml --json out/c.json";
    let output = program
        .command(arguments)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let read = |name: &str| fs::read_to_string(program.folder.join(name)).unwrap();
    assert_eq!(read("out/a.md"), fs::read_to_string(summary).unwrap());
    assert!(read("out/a.md").contains("| fail | mean of exact ≥ 0.9 |"));
    let xml = read("out/b.xml");
    assert!(
        xml.contains(r#"<testsuite name="bad" tests="2" failures="1" errors="1" skipped="0">"#),
        "{xml}"
    );
    assert!(
        xml.contains(r#"<testcase classname="good" name="mean of exact ≥ 0.9"/>"#),
        "{xml}"
    );
    assert!(
        xml.contains("one\u{fffd} &lt;is&gt; &amp; too many"),
        "{xml}"
    );
    let json: serde_json::Value = serde_json::from_str(&read("out/c.json")).unwrap();
    assert_eq!(json["good"]["metrics"][0]["estimate"], 1.0);
    let stdout = text(&output.stdout);
    assert!(
        stdout.contains("FAIL  mean of exact ≥ 0.9") && !stdout.contains('\u{1b}'),
        "{stdout}"
    );
    assert!(
        !text(&output.stderr).contains('\u{1b}'),
        "no bar where there is no terminal"
    );
}

#[test]
fn verdicts_are_coloured_as_color_and_no_color_say() {
    let program = Program::new("colour");
    let run = |arguments: &str| {
        program.command(&format!("bad good --include-ignored --offline {arguments}"))
    };
    let said = |mut command: Command| text(&command.output().unwrap().stdout);
    let always = said(run("--color always"));
    assert!(
        always.contains("\u{1b}[31mFAIL\u{1b}[0m  mean of exact ≥ 0.9"),
        "{always}"
    );
    assert!(always.contains("\u{1b}[32mpass\u{1b}[0m  mean"), "{always}");
    let plain = said(run("--color never"));
    assert_eq!(
        always
            .replace("\u{1b}[31m", "")
            .replace("\u{1b}[32m", "")
            .replace("\u{1b}[0m", ""),
        plain
    );
    assert!(!plain.contains('\u{1b}') && plain.contains("FAIL  mean"));
    assert_eq!(said(run("")), plain, "a pipe is no terminal");
    let mut asked = run("--color=always");
    asked.env("NO_COLOR", "1");
    assert_eq!(said(asked), always, "who asks for colours gets them");
    let unknown = program.run("good --color red");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("auto, always or never"));
}

/// `script` gives the program a terminal.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_verdicts_are_coloured_unless_no_color_is_set() {
    let program = Program::new("terminal");
    let on_a_terminal = |no_color: &str| {
        let harness = program.command("");
        let mut command = Command::new("script");
        let line = format!("{} good --offline", harness.get_program().to_string_lossy());
        command.args(["-qec", &line, "/dev/null"]);
        for (name, value) in harness.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("TERM", "xterm").env("NO_COLOR", no_color);
        command.current_dir(&program.folder).output()
    };
    let Ok(coloured) = on_a_terminal("") else {
        // This system has no `script`.
        return;
    };
    let coloured = text(&coloured.stdout);
    assert!(coloured.contains("\u{1b}[32mpass\u{1b}[0m"), "{coloured}");
    let plain = text(&on_a_terminal("1").unwrap().stdout);
    assert!(
        plain.contains("pass  mean") && !plain.contains("\u{1b}[32m"),
        "{plain}"
    );
}

/// `nextest` lists twice, and runs each test in a process of its own.
#[test]
fn the_protocol_of_nextest_lists_each_eval_once_and_runs_it_by_its_exact_name() {
    let program = Program::new("nextest");
    let listed = |arguments: &str| {
        let output = program.run(arguments);
        assert!(output.status.success());
        let lines = text(&output.stdout);
        let names: Option<Vec<String>> = lines
            .lines()
            .map(|line| line.strip_suffix(": test").map(str::to_owned))
            .collect();
        names.expect("each line names a test")
    };
    let all = listed("--list --format terse");
    let ignored = listed("--list --format terse --ignored");
    assert!(ignored.iter().all(|name| all.contains(name)));
    for (name, is_good) in [("good", true), ("bad", false)] {
        let flag = if ignored.contains(&name.to_owned()) {
            "--ignored"
        } else {
            ""
        };
        let output = program.run(&format!("{name} --exact --nocapture {flag}"));
        assert_eq!(output.status.success(), is_good);
        let said = text(&output.stdout);
        let others = all.iter().filter(|other| *other != name);
        assert!(
            said.starts_with(&format!("{name}: "))
                && others
                    .clone()
                    .all(|it| !said.contains(&format!("{it}: completed"))),
            "{said}"
        );
    }
}

#[test]
fn a_baseline_is_saved_compared_with_and_found_worse() {
    let program = Program::new("baseline");
    assert_eq!(program.code("good --offline --save-baseline main"), Some(0));
    let file = program.folder.join("evals/baselines/good/main.json");
    let saved = fs::read_to_string(&file).unwrap();
    assert_eq!(program.code("good --offline --baseline main"), Some(0));
    assert_eq!(program.code("good --offline --baseline last"), Some(0));
    // The saved baseline is made better than the function is now.
    fs::write(&file, saved.replace("true", "2")).unwrap();
    let worse = program.run("good --offline --baseline main");
    assert_eq!(worse.status.code(), Some(1));
    assert!(
        text(&worse.stdout).contains("FAIL  change of exact to the baseline"),
        "{}",
        text(&worse.stdout)
    );
}

#[test]
fn a_run_of_honeyhive_is_compared_with_by_its_id_and_the_newest_one_by_its_branch() {
    let honeyhive = honeyhive_local::LocalServer::builder()
        .start_blocking()
        .unwrap();
    let program = Program::new("honeyhive");
    let run = |arguments: &str, branch: &str| {
        let mut command = program.command(arguments);
        command
            .env("HH_API_KEY", "hh_x")
            .env("HH_API_URL", honeyhive.url());
        // The folder is in no work tree, so the CI's variables name the branch.
        command.env("GIT_CEILING_DIRECTORIES", env::temp_dir());
        command.env("GITHUB_HEAD_REF", branch).output().unwrap()
    };
    assert_eq!(run("good", "main").status.code(), Some(0));
    let id = honeyhive.runs()[0].run_id.clone();
    for baseline in [id.as_str(), "branch:main"] {
        let compared = run(&format!("good --baseline {baseline}"), "topic");
        let said = text(&compared.stdout);
        assert_eq!(
            compared.status.code(),
            Some(0),
            "{said}{}",
            text(&compared.stderr)
        );
        assert!(
            said.contains("pass  change of exact to the baseline"),
            "{said}"
        );
    }
    for (baseline, code) in [
        ("6ba7b810-9dad-41d1-80b4-00c04fd430c8", 3),
        ("branch:gone", 2),
    ] {
        let refused = run(&format!("good --baseline {baseline}"), "topic");
        assert_eq!(
            refused.status.code(),
            Some(code),
            "{}",
            text(&refused.stderr)
        );
    }
    let keyless = program.run(&format!("good --baseline {id}"));
    assert_eq!(keyless.status.code(), Some(2), "{}", text(&keyless.stderr));
}

#[test]
fn only_what_failed_runs_again_and_a_run_goes_on() {
    let program = Program::new("again");
    assert_eq!(
        program.code("good --only-failed --offline"),
        Some(2),
        "there is no run yet"
    );
    assert_eq!(program.code("bad --ignored --offline"), Some(1));
    let resumed = text(&program.run("bad --ignored --offline --resume").stdout);
    assert!(resumed.contains("3 of 4 ok"), "{resumed}");
    let failed = text(&program.run("bad --ignored --offline --only-failed").stdout);
    assert!(failed.contains("0 of 1 ok"), "{failed}");
    assert_eq!(program.code("good --offline"), Some(0));
    let nothing = program.run("good --offline --only-failed");
    assert_eq!(nothing.status.code(), Some(0), "{}", text(&nothing.stderr));
    assert!(
        text(&nothing.stderr).contains("good: nothing failed in the last run"),
        "{}",
        text(&nothing.stderr)
    );
    let limited = text(
        &program
            .run("good --offline --limit 2 --trials 3 --max-workers 1")
            .stdout,
    );
    assert!(limited.contains("6 of 6 ok"), "{limited}");
    let budget = program.run("good --offline --budget exact=1.5 --max-workers 1");
    assert_eq!(
        budget.status.code(),
        Some(3),
        "a run that a budget has ended is no good one"
    );
}

#[test]
fn a_run_of_200_that_was_killed_goes_on_and_calls_what_had_failed_or_not_finished() {
    let program = Program::new("killed");
    let mut child = program
        .command("halting --ignored --offline --no-progress")
        .spawn()
        .unwrap();
    let folder = program.folder.join("target/honeyhive/evals/halting");
    let journal = || {
        fs::read_dir(&folder)
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|it| it == "jsonl"))
    };
    let lines = || {
        journal().map_or(0, |path| {
            fs::read_to_string(path).unwrap_or_default().lines().count()
        })
    };
    let until = Instant::now() + Duration::from_secs(60);
    // The journal gets its header, and the hundred trials that finish, one of them badly.
    while lines() < 101 {
        assert!(Instant::now() < until && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = journal().unwrap();
    fs::remove_file(program.folder.join("calls")).unwrap();
    let resumed = program
        .command("halting --ignored --offline --resume")
        .env("GO_ON", "1")
        .output()
        .unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{}", text(&resumed.stderr));
    assert!(
        text(&resumed.stdout).contains("200 of 200 ok"),
        "{}",
        text(&resumed.stdout)
    );
    let calls = fs::read_to_string(program.folder.join("calls")).unwrap();
    let mut calls: Vec<u32> = calls
        .split_whitespace()
        .map(|call| call.parse().unwrap())
        .collect();
    calls.sort_unstable();
    let expected: Vec<u32> = std::iter::once(7).chain(100..200).collect();
    assert_eq!(calls, expected);
    assert_eq!(
        (journal(), lines()),
        (Some(before), 202),
        "the same run, in the same journal"
    );
}

#[test]
fn a_failing_gate_leaves_the_run_in_honeyhive_completed() {
    let honeyhive = honeyhive_local::LocalServer::builder()
        .start_blocking()
        .unwrap();
    let program = Program::new("completed");
    let mut command = program.command("bad --exact --ignored");
    command
        .env("HH_API_KEY", "hh_x")
        .env("HH_API_URL", honeyhive.url());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(honeyhive.runs()[0].status, "completed");
}

#[test]
fn where_there_is_no_terminal_several_short_evals_are_one_line_of_progress() {
    let program = Program::new("lines");
    let output = program.run("good bad broken --include-ignored --offline");
    let said = text(&output.stderr);
    assert_eq!(said, "good: begins\n", "one line in ten seconds");
    let silent = program.run("good bad broken --include-ignored --offline --no-progress");
    assert_eq!(text(&silent.stderr), "");
}

#[test]
fn the_markdown_of_several_evals_fits_a_comment_and_says_what_is_left_out() {
    let program = Program::new("long");
    let code = program.code("rambling --include-ignored --offline --markdown long.md");
    assert_eq!(code, Some(3));
    let page = fs::read_to_string(program.folder.join("long.md")).unwrap();
    assert!(page.len() <= 64 * 1024, "{} bytes", page.len());
    assert!(page.contains("### rambling\n"), "the first is whole");
    let end = &page[page.len() - 200..];
    assert!(
        end.contains("### rambling\\_too\n") && end.contains("left out"),
        "{end}"
    );
}

#[cfg(unix)]
mod interrupts {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Child, ChildStderr, Stdio};

    use super::*;

    /// `Running` is a program that is ended with the test.
    struct Running {
        child: Child,
        said: BufReader<ChildStderr>,
    }

    impl Running {
        fn begin(mut command: Command) -> Self {
            let mut child = command
                .stderr(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let said = BufReader::new(child.stderr.take().unwrap());
            Self { child, said }
        }

        fn expect_line(&mut self, beginning: &str) {
            let mut line = String::new();
            self.said.read_line(&mut line).unwrap();
            assert!(line.starts_with(beginning), "{line}");
        }

        fn interrupt(&self) {
            let id = self.child.id().to_string();
            let told = Command::new("kill").args(["-INT", &id]).status().unwrap();
            assert!(told.success());
        }

        /// Returns the exit code, and whether the program prints results before it.
        fn ends(&mut self) -> (Option<i32>, bool) {
            let mut results = String::new();
            let mut stdout = self.child.stdout.take().unwrap();
            stdout.read_to_string(&mut results).unwrap();
            let code = self.child.wait().unwrap().code();
            (code, !results.is_empty())
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    #[test]
    fn the_first_interrupt_cancels_the_run_and_honeyhive_is_told() {
        let honeyhive = honeyhive_local::LocalServer::builder()
            .start_blocking()
            .unwrap();
        let program = Program::new("interrupt");
        let mut command = program.command("endless --ignored");
        command
            .env("HH_API_KEY", "hh_x")
            .env("HH_API_URL", honeyhive.url());
        let mut running = Running::begin(command);
        running.expect_line("endless: begins");
        let has_run = |it: &honeyhive_local::LocalServer| !it.runs().is_empty();
        assert!(honeyhive.wait_until_blocking(Duration::from_secs(60), has_run));
        running.interrupt();
        running.expect_line("interrupted: ");
        assert_eq!(running.ends(), (Some(130), true));
        assert_eq!(honeyhive.runs()[0].status, "cancelled");
    }

    #[test]
    fn the_second_interrupt_ends_the_program_before_what_the_first_one_waits_for() {
        let program = Program::new("twice");
        let mut running = Running::begin(program.command("endless --ignored --offline"));
        running.expect_line("endless: begins");
        running.interrupt();
        running.expect_line("interrupted: ");
        running.interrupt();
        assert_eq!(running.ends(), (Some(130), false));
    }

    #[test]
    fn interrupts_are_heard_though_functions_block_the_threads_of_the_runtime() {
        let program = Program::new("blocked");
        let mut command = program.command("blocking --ignored --offline");
        command.env("TOKIO_WORKER_THREADS", "1");
        let mut running = Running::begin(command);
        running.expect_line("blocking: begins");
        let until = Instant::now() + Duration::from_secs(60);
        while !program.folder.join("blocked").exists() {
            assert!(Instant::now() < until, "the function does not begin");
            std::thread::sleep(Duration::from_millis(10));
        }
        running.interrupt();
        while Instant::now() < until && running.child.try_wait().unwrap().is_none() {
            running.interrupt();
            std::thread::sleep(Duration::from_millis(20));
        }
        let code = running.child.try_wait().unwrap().and_then(|it| it.code());
        assert_eq!(code, Some(130));
    }
}
