//! [`must_precede`] decides which call must go before which.

use crate::delivery::sealed::{About, Sealed, Target};
use crate::model::id::SessionId;
use crate::spool::Shelf;

/// The order of a call depends on these facts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) target: Target,
    /// The sessions and events of the spans are here, where they are known.
    pub(super) about: Option<&'a About>,
    pub(super) is_on_disk: bool,
}

impl<'a> Place<'a> {
    pub(super) const fn of(call: &'a Sealed) -> Self {
        Self {
            target: call.target,
            about: call.about.as_ref(),
            is_on_disk: call.home.is_disk(),
        }
    }
}

/// Returns whether a call that waits or is under way must have its outcome before a newer one may go. HoneyHive `knows`
/// a session whose start it has taken, and a session or an event whose spans it has taken.
pub(super) fn must_precede(
    older: Place<'_>,
    newer: Place<'_>,
    knows: impl Fn(SessionId) -> bool,
) -> bool {
    match (older.target, newer.target) {
        (Target::Start(a) | Target::Update(a), Target::Start(b) | Target::Update(b)) => a == b,
        // The sessions of spans on disk are unknown; such spans never overtake a start that is in memory.
        (Target::Start(a), Target::Traces) => match newer.about {
            Some(about) => about.is_in(a),
            None => older.is_on_disk,
        },
        (Target::Traces, Target::Update(b)) => {
            older.about.is_none_or(|about| about.may_create(b)) && !knows(b)
        }
        (Target::Traces | Target::Update(_), Target::Traces)
        | (Target::Traces, Target::Start(_)) => false,
    }
}

/// Returns whether a call on disk must precede one in memory, which then follows it there. The disk holds the older of
/// two calls that belong together.
pub(super) fn disk_must_precede(
    shelf: &Shelf,
    newer: Place<'_>,
    knows: impl Fn(SessionId) -> bool,
) -> bool {
    match newer.target {
        Target::Start(id) => shelf.has_any(&id.to_bytes()),
        Target::Update(id) => shelf.has_any(&id.to_bytes()) || (shelf.has_traces() && !knows(id)),
        Target::Traces => newer.about.is_some_and(|about| {
            let mut sessions = about.sessions.iter();
            sessions.any(|id| shelf.has_start(&id.to_bytes()))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_calls_has_its_order() {
        let [a, b, event] = [1, 2, 3].map(SessionId::from_u128);
        let spans = About {
            sessions: vec![a],
            events: vec![event],
        };
        let rest = |target| Place {
            target,
            about: None,
            is_on_disk: false,
        };
        let noted = Place {
            target: Target::Traces,
            about: Some(&spans),
            is_on_disk: false,
        };
        let on_disk = |place| Place {
            is_on_disk: true,
            ..place
        };
        let recalled = on_disk(rest(Target::Traces));
        let (start, update) = (|id| rest(Target::Start(id)), |id| rest(Target::Update(id)));
        // The columns have the older call, the newer, whether HoneyHive knows the newer's target, and whether the older
        // must precede.
        let table = [
            (start(a), start(a), false, true),
            (start(a), start(b), false, false),
            (start(a), update(a), false, true),
            (start(a), update(a), true, true),
            (start(a), update(b), false, false),
            (update(a), start(a), false, true),
            (update(a), start(b), false, false),
            (update(a), update(a), false, true),
            (update(a), update(a), true, true),
            (update(a), update(b), false, false),
            (start(a), noted, false, true),
            (start(b), noted, false, false),
            (on_disk(start(a)), noted, false, true),
            (on_disk(start(b)), noted, false, false),
            (start(a), recalled, false, false),
            (on_disk(start(b)), recalled, false, true),
            (update(a), noted, false, false),
            (update(a), recalled, false, false),
            (noted, start(a), false, false),
            (recalled, start(a), false, false),
            (noted, update(a), false, true),
            (noted, update(a), true, false),
            (noted, update(event), false, true),
            (noted, update(event), true, false),
            (noted, update(b), false, false),
            (recalled, update(b), false, true),
            (recalled, update(b), true, false),
            (noted, noted, false, false),
            (noted, recalled, false, false),
            (recalled, noted, false, false),
            (recalled, recalled, false, false),
        ];
        for (older, newer, known, expected) in table {
            let is_first = must_precede(older, newer, |_| known);
            assert_eq!(is_first, expected, "{older:?} before {newer:?}, {known}");
        }
    }
}
