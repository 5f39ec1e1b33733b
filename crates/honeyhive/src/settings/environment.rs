//! The environment is read through the table of variables; settings come from there or from code.

use std::borrow::Cow;
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

use super::variables::Variable;
use crate::error::BuildError;
use crate::log::{self, Mentioned};

/// A setting is a value with the name of its origin.
#[derive(Debug)]
pub(super) struct Setting<T> {
    pub(super) value: T,
    pub(super) name: &'static str,
}

impl<T> Setting<T> {
    /// Returns the value, if it passes the test; `takes` names the accepted values.
    pub(super) fn checked(
        self,
        takes: &'static str,
        is_usable: impl FnOnce(&T) -> bool,
    ) -> Result<T, BuildError> {
        if is_usable(&self.value) {
            return Ok(self.value);
        }
        Err(invalid(self.name, takes))
    }
}

fn invalid(name: &'static str, expected: &'static str) -> BuildError {
    BuildError::InvalidValue {
        setting: Cow::Borrowed(name),
        expected,
    }
}

/// The environment finds variables by their names.
#[derive(Clone, Copy)]
pub(super) struct Environment<'a>(pub(super) &'a dyn Fn(&str) -> Option<OsString>);

impl Environment<'_> {
    pub(super) fn is_set(&self, name: &str) -> bool {
        (self.0)(name).is_some_and(|value| !value.to_string_lossy().trim().is_empty())
    }

    /// Returns the value of a variable, trimmed; a blank one counts as unset.
    pub(super) fn find(
        &self,
        variable: &'static Variable,
    ) -> Result<Option<Setting<String>>, BuildError> {
        if let Some(value) = self.read(variable.name)? {
            let name = variable.name;
            return Ok(Some(Setting { value, name }));
        }
        for name in variable.deprecated {
            if let Some(value) = self.read(name)? {
                warn_deprecated_once(name, variable.name);
                return Ok(Some(Setting { value, name }));
            }
        }
        Ok(None)
    }

    fn read(&self, name: &'static str) -> Result<Option<String>, BuildError> {
        let Some(value) = (self.0)(name) else {
            return Ok(None);
        };
        let Ok(value) = value.into_string() else {
            return Err(invalid(name, "text in UTF-8"));
        };
        let value = value.trim();
        Ok((!value.is_empty()).then(|| value.to_owned()))
    }

    /// Returns a text from code, else from the environment, without blanks around it.
    pub(super) fn text(
        &self,
        explicit: Option<String>,
        variable: &'static Variable,
    ) -> Result<Option<Setting<String>>, BuildError> {
        let explicit = explicit.map(|value| value.trim().to_owned());
        let found = match explicit.filter(|value| !value.is_empty()) {
            Some(value) => Some(Setting {
                value,
                name: variable.setter,
            }),
            None => self.find(variable)?,
        };
        // A value in quotes is refused: `docker --env-file` and systemd's `Environment=` treat quotes in different
        // ways, and programs pass them on.
        match found {
            Some(Setting { value, name }) if is_quoted(&value) => {
                Err(invalid(name, "the value alone, without quotes around it"))
            }
            found => Ok(found),
        }
    }

    /// Returns a value from code, else from the environment.
    pub(super) fn parsed<T>(
        &self,
        explicit: Option<T>,
        variable: &'static Variable,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<Setting<T>>, BuildError> {
        if let Some(value) = explicit {
            let name = variable.setter;
            return Ok(Some(Setting { value, name }));
        }
        let Some(Setting { value, name }) = self.find(variable)? else {
            return Ok(None);
        };
        match parse(&value) {
            Some(value) => Ok(Some(Setting { value, name })),
            None => Err(invalid(name, variable.takes)),
        }
    }
}

pub(super) fn is_quoted(value: &str) -> bool {
    let bytes = value.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) => matches!(first, b'"' | b'\'') && first == last,
        _ => false,
    }
}

fn warn_deprecated_once(old: &'static str, new: &'static str) {
    static WARNED: Mutex<Mentioned<&'static str>> = Mutex::new(Mentioned::new());
    let is_first = WARNED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .is_first(old);
    if is_first {
        log::warn(format_args!("{old} is deprecated; set {new} instead"));
    }
}
