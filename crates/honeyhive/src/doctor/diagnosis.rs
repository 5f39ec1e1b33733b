//! [`Diagnosis`] tells what was found, as text and as JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::settings::FoundSetting;

/// A check has one of these outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckOutcome {
    /// The check found nothing wrong.
    Passed,
    /// The check found something that works, and should be looked at.
    Warned,
    /// Telemetry is lost, or will be.
    Failed,
    /// The check could not be tried, or is not needed.
    Skipped,
}

impl CheckOutcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Warned => "warning",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        }
    }
}

/// A check of a diagnosis has a name, an outcome and a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// The name is `dns`, `tcp`, `tls`, `proxy`, `clock`, `write key`, `project key`, `delivery`, `session`, `span`, …
    pub name: &'static str,
    /// The check ended with this outcome.
    pub outcome: CheckOutcome,
    /// The detail has the finding, and advice on what to do about it.
    pub detail: String,
}

/// An answer settles one of the questions about HoneyHive that only a HoneyHive can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered {
    /// The letter names the question, `a` to `l`.
    pub letter: char,
    /// The question is asked of this HoneyHive.
    pub question: &'static str,
    /// The answer says what this HoneyHive did when asked.
    pub answer: String,
}

/// The diagnosis holds the findings of [`doctor`](crate::doctor()). As text it is a report that can be pasted into an
/// issue: no key is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The tracer runs with these settings, each with where it came from.
    pub settings: Vec<FoundSetting>,
    /// The checks are in the order in which they were made.
    pub checks: Vec<Check>,
    /// The probe has made the session with this id.
    pub session_id: Option<String>,
    /// The answers are those of this HoneyHive to the probe's questions.
    pub answers: Vec<Answered>,
}

impl Diagnosis {
    /// Returns true where no check has failed.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        let has_failed = |it: &Check| it.outcome == CheckOutcome::Failed;
        !self.checks.iter().any(has_failed)
    }

    /// Returns the check of this name, where it was made.
    #[must_use]
    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|it| it.name == name)
    }

    /// Returns the whole diagnosis as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let settings = self
            .settings
            .iter()
            .map(|it| json!({"name": it.name, "value": it.value, "origin": it.origin.to_string()}));
        let checks = self
            .checks
            .iter()
            .map(|it| json!({"name": it.name, "outcome": it.outcome.name(), "detail": it.detail}));
        let answers = self.answers.iter().map(|it| {
            json!({"letter": it.letter.to_string(), "question": it.question, "answer": it.answer})
        });
        json!({
            "healthy": self.is_healthy(),
            "settings": settings.collect::<Vec<_>>(),
            "checks": checks.collect::<Vec<_>>(),
            "session_id": self.session_id,
            "answers": answers.collect::<Vec<_>>(),
        })
    }

    pub(super) fn say(
        &mut self,
        name: &'static str,
        outcome: CheckOutcome,
        detail: impl Into<String>,
    ) {
        // A later finding replaces the earlier one of the same name.
        self.checks.retain(|check| check.name != name);
        self.checks.push(Check {
            name,
            outcome,
            detail: detail.into(),
        });
    }

    pub(super) fn pass(&mut self, name: &'static str, detail: impl Into<String>) {
        self.say(name, CheckOutcome::Passed, detail);
    }

    pub(super) fn warn(&mut self, name: &'static str, detail: impl Into<String>) {
        self.say(name, CheckOutcome::Warned, detail);
    }

    pub(super) fn fail(&mut self, name: &'static str, detail: impl Into<String>) {
        self.say(name, CheckOutcome::Failed, detail);
    }

    pub(super) fn skip(&mut self, name: &'static str, detail: impl Into<String>) {
        self.say(name, CheckOutcome::Skipped, detail);
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "| Setting | Value | Origin |\n|---|---|---|")?;
        for setting in &self.settings {
            let (name, origin) = (setting.name, &setting.origin);
            writeln!(
                formatter,
                "| {name} | {} | {origin} |",
                cell(&setting.value)
            )?;
        }
        writeln!(formatter, "\n| Check | Outcome | Found |\n|---|---|---|")?;
        for check in &self.checks {
            let outcome = check.outcome.name();
            writeln!(
                formatter,
                "| {} | {outcome} | {} |",
                check.name,
                cell(&check.detail)
            )?;
        }
        if !self.answers.is_empty() {
            writeln!(formatter, "\n| | Question | Seen |\n|---|---|---|")?;
        }
        for it in &self.answers {
            writeln!(
                formatter,
                "| {} | {} | {} |",
                it.letter,
                it.question,
                cell(&it.answer)
            )?;
        }
        Ok(())
    }
}

/// Returns a text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
