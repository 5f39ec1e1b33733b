//! [`Colour`] decides whether verdicts are coloured, as in libtest.

use std::io::{self, IsTerminal as _};
use std::str::FromStr;
use std::{env, fmt};

use honeyhive::evaluate::{GateOutcome, Verdicts};

/// `Colour` is the choice that `--color` makes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Colour {
    /// A terminal gets colours, unless `NO_COLOR` is set.
    #[default]
    Auto,
    Always,
    Never,
}

impl FromStr for Colour {
    type Err = String;

    fn from_str(value: &str) -> Result<Self, String> {
        match value {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err(format!(
                "--color takes auto, always or never, and {value:?} is none of them"
            )),
        }
    }
}

impl Colour {
    /// Returns whether stdout takes colours.
    pub(crate) fn is_wanted(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
                let is_dumb = env::var_os("TERM").is_some_and(|it| it == "dumb");
                !is_set("NO_COLOR") && !is_dumb && io::stdout().is_terminal()
            }
        }
    }
}

/// `Painted` shows a line per gate, its first word in a colour where that is wanted.
pub(crate) struct Painted<'v> {
    pub(crate) verdicts: &'v Verdicts,
    pub(crate) is_coloured: bool,
}

impl fmt::Display for Painted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.verdicts.iter().try_for_each(|verdict| {
            let line = verdict.to_string();
            match line.split_once(' ') {
                Some((word, rest)) if self.is_coloured => {
                    let colour = of(verdict.outcome);
                    writeln!(formatter, "\x1b[{colour}m{word}\x1b[0m {rest}")
                }
                _ => writeln!(formatter, "{line}"),
            }
        })
    }
}

/// Returns the colour of an outcome: green, red, and yellow for the rest.
const fn of(outcome: GateOutcome) -> u8 {
    match outcome {
        GateOutcome::Pass => 32,
        GateOutcome::Fail => 31,
        _ => 33,
    }
}
