//! [`Redaction`] masks everything that leaves, by name, by path, by pattern and by a hook.
//!
//! A hook gets a [`Field`], whose [`Place`] says what it is a part of, and answers with a [`Verdict`].

mod arguments;
mod beside;
mod credentials;
mod elements;
mod held;
mod json_text;
mod lines;
mod members;
mod options;
mod pairs;
mod quotes;
mod rules;
mod scan;
mod text;
mod urls;
mod values;
mod walk;

use std::fmt;
use std::sync::Arc;

pub(crate) use rules::Rules;
pub(crate) use walk::{Walk, is_skeleton};

/// The mark stands in place of a masked value.
pub(crate) const MARK: &str = "<redacted>";

/// The rules mask sessions, spans and enrichments before they leave.
///
/// Without any setting, values whose **names** say that they are secrets leave as `<redacted>`, wherever they stand: in
/// a bucket, in an attribute of any span, in JSON that is the text of an attribute.
///
/// * The names are `authorization`, `bearer`, `cookie`, `credential(s)`, `creds`, `jwt`, `passphrase`, `passwd`,
///   `password`, `pwd`, `secret`, and keys and tokens of a kind (`api_key`, `apiKey`, `access-token`, `refresh_token`,
///   `privateKey`, …).
/// * Whole words count, in any case and however they are joined.
/// * A bare `token` is no secret, since language models yield them, nor are `max_tokens`, `key` and `author`.
/// * `true` and `false` stay, since `password: true` reveals nothing.
///
/// The same names count inside texts:
///
/// * `password: "x"` in the `Debug` text of a struct, `ApiKey("x")`, `"authorization": "Bearer x"`, `api_key=x`, and a
///   line `x-api-key: x` or `password = x`;
/// * the query of a URL, where `key`, `token` and `sig` are secrets, too, and the user info before its `@`;
/// * a name beside its value: `[["authorization", "x"]]`, as lists of headers are serialised, and
///   `{"name": "authorization", "value": "x"}`;
/// * the options of a command line (`--password x`, `["--password", "x"]`, `curl -u ada:x`), elements of XML
///   (`<password>x</password>`), the lines below a name in YAML and `PASSWORD 'x'` in SQL.
///
/// Private keys in PEM are masked without a name. Some secrets are left, since harmless texts look the same:
/// `ada:x@host` without `//`, `-p x` of most programs, names in other languages.
///
/// Rules are added to these, and masking runs on the delivery thread: no request waits for it.
///
/// ```
/// use honeyhive::{HoneyHiveTracer, Redaction};
///
/// let tracer = HoneyHiveTracer::builder()
///     .test_mode(true)
///     .redaction(
///         Redaction::new()
///             .key("ssn")                  // `ssn`, `customer.SSN`, `customerSsn`; not `lesson`
///             .path("inputs.user.email")   // in sessions and in spans
///             .path("inputs.messages.*.content")
///             .pattern(r"\b\d{16}\b"),     // what matches, in any text and whole number
///     )
///     .build()?;
/// # Ok::<(), honeyhive::BuildError>(())
/// ```
///
/// [`DeliveryStats::redacted`](crate::DeliveryStats::redacted) counts the values that were masked or replaced. Ids,
/// types and times, which identify and route, are never masked.
#[derive(Clone)]
#[must_use = "it is given to the builder"]
pub struct Redaction {
    by_default: bool,
    keys: Vec<String>,
    paths: Vec<String>,
    patterns: Vec<String>,
    hook: Option<Hook>,
}

type Hook = Arc<dyn Fn(&Field<'_>) -> Verdict + Send + Sync>;

impl Default for Redaction {
    fn default() -> Self {
        Self::new()
    }
}

impl Redaction {
    /// Returns the default rules, to which others can be added.
    pub const fn new() -> Self {
        Self::with(true)
    }

    /// Returns no rules, not even the default ones: for data that has been cleaned before.
    pub const fn none() -> Self {
        Self::with(false)
    }

    const fn with(by_default: bool) -> Self {
        Self {
            by_default,
            keys: Vec::new(),
            paths: Vec::new(),
            patterns: Vec::new(),
            hook: None,
        }
    }

    /// Masks values of this name, and everything below them. Case does not matter, and whole words count: `card number`
    /// is `card_number`, `cardNumber` and `customer.card-number.last`, not `discard_number`.
    pub fn key(mut self, name: impl Into<String>) -> Self {
        self.keys.push(name.into());
        self
    }

    /// Masks the value at this path, and everything below it: a bucket (`inputs`, `outputs`, `metadata`, `metrics`,
    /// `feedback`, `config`, `user_properties`) and the keys in it, with dots between; `*` is any one key or place in a
    /// list. `inputs.user.email` is both a session's and, as `honeyhive_inputs.user.email`, a span's. Other attributes
    /// have their own names (`gen_ai.input.messages.*.content`); an error text is `error`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Masks matches in texts, whole numbers, names and keys; the rest of the text stays. The syntax is that of
    /// [`regex-lite`](https://docs.rs/regex-lite), which takes time in proportion to the text, whatever the pattern. A
    /// text that was cut for its length loses another 4 KiB before the cut, since they may be the beginning of a match.
    /// An unusable pattern is an error of [`build`](crate::HoneyHiveTracerBuilder::build).
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Calls a hook for every text, number and flag that is left. There is one hook: a later one replaces an earlier.
    ///
    /// The hook runs on a thread of delivery, and once inside [`build`](crate::HoneyHiveTracerBuilder::build), for the
    /// attributes of the resource: keep it quick. Where the hook panics, the whole content of that item (a start, an
    /// update, a span) is left out; its ids, name, type and times stay, with the mark `metadata.redaction_failed`.
    /// Panics are counted in [`DeliveryStats::callback_panics`](crate::DeliveryStats::callback_panics).
    ///
    /// ```
    /// use honeyhive::Redaction;
    /// use honeyhive::redaction::Verdict;
    ///
    /// let redaction = Redaction::new().hook(|field| match field.key() {
    ///     "email" => Verdict::Replace(format!("{} letters", field.value().len())),
    ///     _ => Verdict::Keep,
    /// });
    /// # let _ = honeyhive::HoneyHiveTracer::builder().redaction(redaction);
    /// ```
    pub fn hook(mut self, hook: impl Fn(&Field<'_>) -> Verdict + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }
}

/// Shows the rules, and whether there is a hook.
impl fmt::Debug for Redaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Redaction")
            .field("by_default", &self.by_default)
            .field("keys", &self.keys)
            .field("paths", &self.paths)
            .field("patterns", &self.patterns)
            .field("hook", &self.hook.is_some())
            .finish()
    }
}

/// A [hook](Redaction::hook) decides about the value of a field.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    place: Place,
    path: &'a str,
    value: &'a str,
}

impl<'a> Field<'a> {
    /// Returns the kind of item that the value is a part of.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Returns the path of the value, as in [`Redaction::path`]: `inputs.user.email`.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// Returns the last piece of the path: `email`.
    #[must_use]
    pub fn key(&self) -> &'a str {
        self.path.rsplit_once('.').map_or(self.path, |(_, key)| key)
    }

    /// Returns the text; numbers and flags as text. Keys and patterns have been masked in it.
    #[must_use]
    pub const fn value(&self) -> &'a str {
        self.value
    }
}

/// A field is a part of one of these items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// The item is the start of a session.
    SessionStart,
    /// The item is an addition to a session or, by its id, to an event.
    Update,
    /// The item is a span: its attributes, its name, its status message.
    Span,
    /// The item is an event of a span.
    SpanEvent,
    /// The item is a link of a span.
    SpanLink,
}

/// A hook gives a verdict about a field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The value stays as it is.
    Keep,
    /// The value leaves as `<redacted>`.
    Mask,
    /// Another text leaves instead of the value.
    Replace(String),
}
