//! W3C baggage carries the session.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;

use crate::attributes::{BAGGAGE_SESSION_ID, BAGGAGE_SESSION_ID_BARE, EXPERIMENT};
use crate::model::id::SessionId;
use crate::outbox::Experiment;

/// The specification asks every receiver to take baggage in up to these limits.
const MOST_MEMBERS: usize = 64;
const MOST_BYTES: usize = 8192;

/// The session that baggage names is decoded and not yet trusted.
///
/// Most callers send no baggage, and every request is searched for it, so the empty value is one word long.
#[derive(Debug, Default)]
pub(crate) struct SessionInBaggage<'a>(Option<Box<Members<'a>>>);

/// The members are those that mean something here.
#[derive(Debug, Default)]
struct Members<'a> {
    /// The value is that of HoneyHive's own key.
    own: Option<Cow<'a, str>>,
    /// The value is that of the key without a prefix.
    bare: Option<Cow<'a, str>>,
    /// The ids are those of an experiment.
    experiment: [Option<Cow<'a, str>>; EXPERIMENT.len()],
}

impl<'a> SessionInBaggage<'a> {
    /// Reads a `baggage` header; one that is sent in several lines is read line by line. The first member of a name
    /// counts.
    pub(crate) fn read(&mut self, header: &'a [u8]) {
        // Most callers send no baggage of ours, so a header is read only where our key may be in it.
        let Ok(header) = std::str::from_utf8(header) else {
            return;
        };
        for member in header.split(',') {
            let Some((key, value)) = member.split_once('=') else {
                continue;
            };
            let experiment = |key| EXPERIMENT.iter().position(|(name, _)| *name == key);
            let place = match key.trim() {
                BAGGAGE_SESSION_ID => &mut self.members().own,
                BAGGAGE_SESSION_ID_BARE => &mut self.members().bare,
                key => match experiment(key) {
                    Some(which) => &mut self.members().experiment[which],
                    None => continue,
                },
            };
            if place.is_none() {
                let value = value.split(';').next().unwrap_or_default().trim();
                // A malformed value counts as empty.
                *place = Some(percent_decoded(value).unwrap_or_default());
            }
        }
    }

    fn members(&mut self) -> &mut Members<'a> {
        self.0.get_or_insert_default()
    }

    /// Returns the experiment that the session is part of: only for a session that is trusted.
    pub(crate) fn experiment(&self) -> Option<Experiment> {
        self.0.as_ref()?.experiment()
    }

    /// Returns the session of these members, as far as `trusted` takes it. The bare key counts only where it holds a
    /// well-formed UUID.
    #[inline]
    pub(crate) fn session(
        &self,
        trusted: impl FnMut(&str) -> Option<SessionId>,
    ) -> Option<SessionId> {
        self.0.as_ref()?.session(trusted)
    }
}

impl Members<'_> {
    fn experiment(&self) -> Option<Experiment> {
        Experiment::of(self.experiment.each_ref().map(|id| {
            let id = id.as_deref().filter(|id| is_id(id));
            id.map(Arc::from)
        }))
    }

    fn session(&self, mut trusted: impl FnMut(&str) -> Option<SessionId>) -> Option<SessionId> {
        let own = self.own.as_deref().and_then(&mut trusted);
        own.or_else(|| {
            let bare = self.bare.as_deref()?;
            bare.parse::<SessionId>().ok()?;
            trusted(bare)
        })
    }
}

/// Returns whether the text is a plain id of an experiment.
fn is_id(text: &str) -> bool {
    const LONGEST: usize = 128;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Returns the experiment in the baggage of a context: only for a session that is trusted.
pub(crate) fn experiment_in_context(cx: &Context) -> Option<Experiment> {
    let find = |(name, _)| Some(Cow::from(cx.baggage().get(name)?.as_str()));
    let members = Members {
        experiment: EXPERIMENT.map(find),
        ..Members::default()
    };
    members.experiment()
}

/// Returns the session in the baggage of a context, as far as `trusted` takes it.
pub(crate) fn session_in_context(
    cx: &Context,
    trusted: impl FnMut(&str) -> Option<SessionId>,
) -> Option<SessionId> {
    let baggage = cx.baggage();
    if baggage.is_empty() {
        return None;
    }
    let find = |key| baggage.get(key).map(|value| Cow::from(value.as_str()));
    let members = Members {
        own: find(BAGGAGE_SESSION_ID),
        bare: find(BAGGAGE_SESSION_ID_BARE),
        ..Members::default()
    };
    members.session(trusted)
}

/// Returns the `baggage` header of a request that goes out in a session: the session first, with its experiment, then
/// the context's other baggage, with its properties, as far as the specification's limits let it.
pub(super) fn header(cx: &Context, session: SessionId, experiment: Option<&Experiment>) -> String {
    let mut header = format!("{BAGGAGE_SESSION_ID}={session},{BAGGAGE_SESSION_ID_BARE}={session}");
    let mut members = 2;
    for (name, id) in experiment.iter().flat_map(|it| it.ids()) {
        members += 1;
        header.push(',');
        header.push_str(&member(name, id, ""));
    }
    let baggage = cx.baggage();
    let is_ours = |key: &str| {
        let is_experiment = || EXPERIMENT.iter().any(|(name, _)| *name == key);
        [BAGGAGE_SESSION_ID, BAGGAGE_SESSION_ID_BARE].contains(&key)
            || (experiment.is_some() && is_experiment())
    };
    let mut others: Vec<_> = baggage
        .iter()
        .filter(|(key, _)| !is_ours(key.as_str()))
        .collect();
    // A hash map has the members in another order each time.
    others.sort_unstable_by_key(|(key, _)| key.as_str());
    for (key, (value, properties)) in others {
        let member = member(key.as_str(), value.as_str(), properties.as_str());
        if members < MOST_MEMBERS && header.len() + 1 + member.len() <= MOST_BYTES {
            members += 1;
            header.push(',');
            header.push_str(&member);
        }
    }
    header
}

fn member(key: &str, value: &str, properties: &str) -> String {
    let mut member = String::with_capacity(key.len() + value.len() + properties.len() + 2);
    member.push_str(key);
    member.push('=');
    encode(value.trim(), &mut member, |byte| {
        byte.is_ascii_alphanumeric() || b"-._~:/@!$&'()*".contains(&byte)
    });
    let properties = properties.trim();
    if !properties.is_empty() {
        member.push(';');
        encode(properties, &mut member, |byte| {
            byte.is_ascii_graphic() && !b",\"\\%".contains(&byte)
        });
    }
    member
}

/// Percent-encodes characters that must not stand in baggage.
fn encode(text: &str, into: &mut String, is_plain: impl Fn(u8) -> bool) {
    for byte in text.bytes() {
        if is_plain(byte) {
            into.push(char::from(byte));
        } else {
            // A `String` takes everything.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

/// Decodes percent-encoding; `None` where it is malformed.
fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(text.into());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok().map(Into::into)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| value.try_into().ok())
}

#[cfg(test)]
mod tests {
    use opentelemetry::baggage::{Baggage, KeyValueMetadata};

    use super::*;

    fn read<'a>(lines: &[&'a str]) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
        let mut found = SessionInBaggage::default();
        lines.iter().for_each(|line| found.read(line.as_bytes()));
        let members = found.0.map(|members| *members).unwrap_or_default();
        (members.own, members.bare)
    }

    #[test]
    fn a_session_is_found_in_any_line_and_properties_are_cut() {
        for lines in [
            &["a=1, session_id=bare;x=y , honeyhive.session_id = mine;p=q"][..],
            &["a=1", "session_id=bare", "honeyhive.session_id=mine"],
            &[
                "honeyhive.session_id=mine,session_id=bare",
                "honeyhive.session_id=other",
            ],
        ] {
            assert_eq!(read(lines), (Some("mine".into()), Some("bare".into())));
        }
        assert_eq!(read(&["other=1", "=,;", ""]), (None, None));
    }

    #[test]
    fn percent_encoding_is_undone_or_refused() {
        assert_eq!(percent_decoded("id%20x").as_deref(), Some("id x"));
        assert_eq!(percent_decoded("plain").as_deref(), Some("plain"));
        for bad in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(percent_decoded(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_session_goes_first_and_what_is_too_much_does_not_push_it_out() {
        let id = SessionId::new();
        let ours = format!("honeyhive.session_id={id},session_id={id}");
        let full: Baggage = (0..64)
            .map(|it| KeyValueMetadata::new(format!("k{it:02}"), "v", ""))
            .collect();
        let header = header(&Context::new().with_baggage(members_of(&full)), id, None);
        assert!(header.starts_with(&ours), "{header}");
        assert_eq!(header.split(',').count(), 64);

        let long: Baggage = [KeyValueMetadata::new("long", "v".repeat(8100), "")]
            .into_iter()
            .collect();
        let header = super::header(&Context::new().with_baggage(members_of(&long)), id, None);
        assert_eq!(header, ours);
    }

    #[test]
    fn the_ids_of_an_experiment_are_read_where_they_say_no_more_than_that() {
        let read = |header: &str| {
            let mut found = SessionInBaggage::default();
            found.read(header.as_bytes());
            let experiment = found.experiment()?;
            Some(
                experiment
                    .ids()
                    .map(|(name, id)| format!("{name}={id}"))
                    .collect::<Vec<_>>()
                    .join(","),
            )
        };
        let all = "run_id=r-1,dataset_id=EXT-a.b,datapoint_id=EXT-a:1_";
        assert_eq!(read(all).as_deref(), Some(all));
        let long = "x".repeat(129);
        for (header, expected) in [
            ("dataset_id=d,datapoint_id=p", None),
            ("run_id=r", Some("run_id=r")),
            ("run_id=r,datapoint_id=a%20b", Some("run_id=r")),
            ("run_id=r%0Ab", None),
            ("run_id=", None),
            (format!("run_id={long}").as_str(), None),
        ] {
            assert_eq!(read(header).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn the_ids_of_an_experiment_go_out_behind_the_session_and_once() {
        let id = SessionId::new();
        let ids = ["r", "d", "p q"].map(|it| Some(it.into()));
        let experiment = Experiment::of(ids).unwrap();
        let around = [KeyValueMetadata::new("run_id", "another", "")];
        let cx = Context::new().with_baggage(around);
        let header = header(&cx, id, Some(&experiment));
        let expected = format!(
            "honeyhive.session_id={id},session_id={id},run_id=r,dataset_id=d,datapoint_id=p%20q"
        );
        assert_eq!(header, expected);
    }

    fn members_of(baggage: &Baggage) -> Vec<KeyValueMetadata> {
        let member = |(key, (value, properties)): (
            &opentelemetry::Key,
            &(opentelemetry::StringValue, _),
        )| {
            KeyValueMetadata::new(key.clone(), value.clone(), properties_of(properties))
        };
        baggage.iter().map(member).collect()
    }

    fn properties_of(properties: &opentelemetry::baggage::BaggageMetadata) -> &str {
        properties.as_str()
    }
}
