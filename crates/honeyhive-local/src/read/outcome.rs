//! The outcome of a session is shown as a word and a colour.

use crate::store::SessionRow;

/// An `Outcome` has a word, and the tone it is shown in: `ok`, `warn`, `bad` or `open`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) tone: &'static str,
    pub(super) word: String,
}

impl Outcome {
    pub(super) fn of(session: &SessionRow) -> Self {
        let told = session.outcome.as_deref();
        let word = match told {
            Some("client_disconnected") => left_after(session.duration),
            Some(told) => told.replace('_', " "),
            None if session.error.is_some() => "error".to_owned(),
            None if session.duration.is_none() => "open".to_owned(),
            None => "complete".to_owned(),
        };
        let status = session.status.map(|status| status.to_string());
        Self {
            tone: tone(session, told),
            word: status
                .into_iter()
                .chain([word])
                .collect::<Vec<_>>()
                .join(" "),
        }
    }
}

fn tone(session: &SessionRow, told: Option<&str>) -> &'static str {
    let status = session.status.unwrap_or(0);
    match told {
        Some("error" | "panicked" | "failed" | "timeout") => "bad",
        _ if session.error.is_some() || status >= 500 => "bad",
        Some("client_disconnected" | "cancelled") => "warn",
        _ if status >= 400 => "warn",
        None if session.duration.is_none() && session.status.is_none() => "open",
        _ => "ok",
    }
}

fn left_after(duration: Option<f64>) -> String {
    let after = duration.map(|ms| format!(" after {}", super::format::duration(ms)));
    format!("client left{}", after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::Outcome;
    use crate::store::SessionRow;

    fn told(
        status: Option<i64>,
        outcome: Option<&str>,
        error: Option<&str>,
        ms: Option<f64>,
    ) -> String {
        let Outcome { tone, word } = Outcome::of(&SessionRow {
            status,
            outcome: outcome.map(str::to_owned),
            error: error.map(str::to_owned),
            duration: ms,
            ..SessionRow::default()
        });
        format!("{tone}: {word}")
    }

    #[test]
    fn an_outcome_is_a_word_and_never_only_a_colour() {
        let table = [
            (
                told(Some(200), Some("complete"), None, Some(2.0)),
                "ok: 200 complete",
            ),
            (
                told(Some(200), Some("client_disconnected"), None, Some(4120.0)),
                "warn: 200 client left after 4.12 s",
            ),
            (
                told(Some(502), Some("error"), None, Some(1.0)),
                "bad: 502 error",
            ),
            (
                told(Some(500), Some("complete"), None, Some(1.0)),
                "bad: 500 complete",
            ),
            (
                told(Some(404), Some("complete"), None, Some(1.0)),
                "warn: 404 complete",
            ),
            (
                told(None, Some("panicked"), None, Some(1.0)),
                "bad: panicked",
            ),
            (told(None, None, Some("no"), None), "bad: error"),
            (told(None, None, None, None), "open: open"),
            (told(None, None, None, Some(3.0)), "ok: complete"),
        ];
        for (told, expected) in table {
            assert_eq!(told, expected);
        }
    }
}
