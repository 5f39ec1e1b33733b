//! The arguments are those of libtest and nextest, and those of experiments.

use std::path::PathBuf;

use honeyhive::SessionId;

use crate::colour::Colour;

/// `Arguments` holds what the program was called with.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) filters: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) exact: bool,
    pub(crate) list: bool,
    pub(crate) ignored: bool,
    pub(crate) include_ignored: bool,
    pub(crate) max_workers: Option<usize>,
    pub(crate) trials: Option<u32>,
    pub(crate) limit: Option<usize>,
    pub(crate) sample: Option<usize>,
    pub(crate) seed: u64,
    pub(crate) only_failed: bool,
    pub(crate) resume: Option<Resume>,
    pub(crate) baseline: Option<Earlier>,
    pub(crate) save_baseline: Option<String>,
    pub(crate) budget: Option<(String, f64)>,
    pub(crate) offline: bool,
    pub(crate) colour: Colour,
    pub(crate) no_progress: bool,
    pub(crate) markdown: Option<PathBuf>,
    pub(crate) junit: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) help: bool,
}

/// `Earlier` is the run that a run is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Earlier {
    File(String),
    /// The run is one of HoneyHive, by its id.
    Run(String),
    /// The run is the newest of HoneyHive whose commit was on this branch.
    Branch(String),
}

/// `Resume` says which run is continued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resume {
    Last,
    Of(PathBuf),
}

impl Arguments {
    /// Reads the arguments; an unusable one is an error.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self::default();
        let mut rest = arguments.into_iter();
        while let Some(argument) = rest.next() {
            let Some(option) = argument
                .strip_prefix('-')
                .filter(|option| !option.is_empty())
            else {
                parsed.filters.push(argument);
                continue;
            };
            let (name, given) = match option.trim_start_matches('-').split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (option.trim_start_matches('-').to_owned(), None),
            };
            parsed.take(&name, given, &mut rest)?;
        }
        Ok(parsed)
    }

    fn take(
        &mut self,
        name: &str,
        given: Option<String>,
        rest: &mut impl Iterator<Item = String>,
    ) -> Result<(), String> {
        if self.take_flag(name) {
            return match given {
                None => Ok(()),
                Some(_) => Err(format!("--{name} takes no value")),
            };
        }
        if name == "resume" {
            self.resume = Some(given.map_or(Resume::Last, |path| Resume::Of(path.into())));
            return Ok(());
        }
        if !VALUES.contains(&name) {
            return Err(format!("--{name} is not known; --help lists what is"));
        }
        let value = given
            .or_else(|| rest.next())
            .ok_or_else(|| format!("--{name} takes a value"))?;
        self.take_value(name, value)
    }

    fn take_flag(&mut self, name: &str) -> bool {
        match name {
            "exact" => self.exact = true,
            "list" => self.list = true,
            "ignored" => self.ignored = true,
            "include-ignored" => self.include_ignored = true,
            "only-failed" => self.only_failed = true,
            "offline" => self.offline = true,
            "no-progress" => self.no_progress = true,
            "help" | "h" => self.help = true,
            // Some options of libtest have no meaning here: nothing is captured, and evals run one after the other.
            "nocapture" | "no-capture" | "show-output" | "quiet" | "q" | "test" | "bench" => {}
            _ => return false,
        }
        true
    }

    fn take_value(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "skip" => self.skip.push(value),
            "max-workers" => self.max_workers = Some(number(name, &value)?),
            "trials" => self.trials = Some(number(name, &value)?),
            "limit" => self.limit = Some(number(name, &value)?),
            "sample" => self.sample = Some(number(name, &value)?),
            "seed" => self.seed = number(name, &value)?,
            "baseline" => self.baseline = Some(earlier(name, value)?),
            "save-baseline" => self.save_baseline = Some(plain(name, value)?),
            "budget" => self.budget = Some(budget(&value)?),
            "markdown" => self.markdown = Some(value.into()),
            "junit" => self.junit = Some(value.into()),
            "json" => self.json = Some(value.into()),
            "color" => self.colour = value.parse()?,
            // All other options are libtest's.
            _ => {}
        }
        Ok(())
    }

    /// Returns whether an eval is to run.
    pub(crate) fn chooses(&self, name: &str, is_ignored: bool) -> bool {
        let is_kind = self.include_ignored || self.ignored == is_ignored;
        is_kind && self.names(name)
    }

    /// Returns whether `--list` shows an eval: an ignored one, too, as in libtest.
    pub(crate) fn lists(&self, name: &str, is_ignored: bool) -> bool {
        (is_ignored || !self.ignored) && self.names(name)
    }

    fn names(&self, name: &str) -> bool {
        let is_meant = |text: &String| {
            if self.exact {
                name == text
            } else {
                name.contains(text.as_str())
            }
        };
        let is_found = self.filters.is_empty() || self.filters.iter().any(is_meant);
        is_found && !self.skip.iter().any(is_meant)
    }
}

/// These options take a value.
const VALUES: [&str; 16] = [
    "skip",
    "max-workers",
    "trials",
    "limit",
    "sample",
    "seed",
    "baseline",
    "save-baseline",
    "budget",
    "markdown",
    "junit",
    "json",
    "format",
    "color",
    "test-threads",
    "logfile",
];

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("--{name} takes a number, and {value:?} is none"))
}

/// Returns a name that can be part of a path.
fn plain(name: &str, value: String) -> Result<String, String> {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !value.is_empty() && value.chars().all(is_plain) && !value.starts_with('.') {
        return Ok(value);
    }
    Err(format!(
        "--{name} takes a name of letters, digits, `-`, `_` and `.`, and {value:?} is none"
    ))
}

fn earlier(name: &str, value: String) -> Result<Earlier, String> {
    match value.strip_prefix("branch:") {
        Some("") => Err(format!("--{name} branch: takes the branch's name")),
        Some(branch) => Ok(Earlier::Branch(branch.to_owned())),
        None if value.parse::<SessionId>().is_ok() => Ok(Earlier::Run(value)),
        None => plain(name, value).map(Earlier::File),
    }
}

fn budget(value: &str) -> Result<(String, f64), String> {
    let (metric, sum) = value
        .split_once('=')
        .ok_or("--budget takes METRIC=SUM, such as cost=5.0")?;
    Ok((metric.to_owned(), number("budget", sum)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_of_libtest_and_nextest_are_taken() {
        let list = parsed("--list --format terse --ignored").unwrap();
        assert!(list.list && list.ignored);
        let one = parsed("support --exact --nocapture --test-threads=1 --color never -q").unwrap();
        assert_eq!(
            (one.filters.as_slice(), one.exact),
            (&["support".to_owned()][..], true)
        );
        assert!(
            one.chooses("support", false)
                && !one.chooses("support-bot", false)
                && !one.chooses("support", true)
        );
        assert_eq!(one.colour, Colour::Never);
        let skip = parsed("sup --skip bot --include-ignored").unwrap();
        assert!(
            skip.chooses("support", true)
                && !skip.chooses("support-bot", false)
                && !skip.chooses("other", false)
        );
    }

    #[test]
    fn arguments_of_experiments_are_taken_in_both_spellings() {
        let arguments = parsed(
            "--trials 3 --max-workers=50 --limit 10 --sample 5 --seed 7 --baseline main --save-baseline=new --budget cost=5.5 \
             --offline --only-failed --no-progress --markdown a.md --junit b.xml --json c.json",
        )
        .unwrap();
        let expected = Arguments {
            trials: Some(3),
            max_workers: Some(50),
            limit: Some(10),
            sample: Some(5),
            seed: 7,
            baseline: Some(Earlier::File("main".to_owned())),
            save_baseline: Some("new".to_owned()),
            budget: Some(("cost".to_owned(), 5.5)),
            offline: true,
            only_failed: true,
            no_progress: true,
            markdown: Some("a.md".into()),
            junit: Some("b.xml".into()),
            json: Some("c.json".into()),
            ..Arguments::default()
        };
        assert_eq!(arguments, expected);
        assert_eq!(parsed("--resume").unwrap().resume, Some(Resume::Last));
        assert_eq!(
            parsed("--resume=x.jsonl").unwrap().resume,
            Some(Resume::Of("x.jsonl".into()))
        );
    }

    #[test]
    fn a_baseline_is_a_file_a_run_of_honeyhive_or_the_newest_one_of_a_branch() {
        let of = |value: &str| {
            parsed(&format!("--baseline {value}"))
                .unwrap()
                .baseline
                .unwrap()
        };
        let id = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
        assert_eq!(of("last"), Earlier::File("last".to_owned()));
        assert_eq!(of(id), Earlier::Run(id.to_owned()));
        assert_eq!(
            of("branch:fix/prompt"),
            Earlier::Branch("fix/prompt".to_owned())
        );
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        for (line, part) in [
            ("--trails 3", "--trails is not known"),
            ("--trials three", "takes a number"),
            ("--trials", "takes a value"),
            ("--offline=yes", "takes no value"),
            ("--budget 5", "METRIC=SUM"),
            ("--baseline ../secret", "takes a name"),
            ("--color red", "auto, always or never"),
            ("--baseline branch:", "takes the branch's name"),
        ] {
            let problem = parsed(line).unwrap_err();
            assert!(problem.contains(part), "{problem}");
        }
    }
}
