//! The page of a session has its tree with a waterfall at the left, the chosen event at the right.

use axum::extract::{Path, State};
use maud::{Markup, PreEscaped, html};
use serde_json::json;

use super::super::frame::{self, Page, Place};
use super::super::outcome::Outcome;
use super::super::{api, format};
use crate::reply::Answer;
use crate::shared::Server;
use crate::store::{Failed, Reading, SessionRow};

const TABS: [(&str, &str); 5] = [
    ("chat", "Chat"),
    ("inputs", "Inputs"),
    ("outputs", "Outputs"),
    ("attributes", "Attributes"),
    ("raw", "Raw"),
];

const COPIES: [(&str, &str); 5] = [
    ("session-markdown", "Session as Markdown"),
    ("session-json", "Session as JSON"),
    ("event-markdown", "Event as Markdown"),
    ("event-json", "Event as JSON"),
    ("curl", "cURL"),
];

/// The page of a session with fewer events holds them; the module asks for a longer one.
const SHORT: i64 = 40;

/// The bytes that a page holds of its session at most.
const LARGEST: usize = 256 * 1024;

/// Answers `GET /sessions/{id}`: the page; its module draws the tree.
pub(in crate::read) async fn page(State(shared): State<Server>, Path(id): Path<String>) -> Answer {
    let asked = id.clone();
    // A change that comes while this page is read reaches the page once more through the stream.
    let since = shared.feed.since(u64::MAX).last;
    let found = shared.read(move |reading| {
        let Some(row) = reading.session_row(&asked)? else {
            return Ok(None);
        };
        let first = first(reading, &row, since)?;
        Ok(Some((row, first)))
    });
    let Some((row, first)) = found.await? else {
        let why = format!(
            "No session has the id {id}. It may have been dropped to make room, or cleared, or its start has not arrived yet."
        );
        return Ok(frame::missing(&shared, "Unknown session", &why));
    };
    let page = Page {
        title: name(&row),
        place: Place::Below,
        view: "session",
        actions: actions(),
        body: body(&row, first.as_deref()),
    };
    Ok(page.reply(&shared))
}

/// Returns the data that the module would ask for at once, as JSON, so that the page of a short session is whole without another
/// request: the tree, and the event that is chosen where the address chooses none.
fn first(reading: &Reading<'_>, row: &SessionRow, since: u64) -> Result<Option<String>, Failed> {
    if row.events >= SHORT {
        return Ok(None);
    }
    let id = &row.session_id;
    let Some((session, tree)) = reading.session(id)?.zip(reading.tree(id)?) else {
        return Ok(None);
    };
    let rows = &tree.rows;
    let model = rows.iter().find(|row| row.event.kind == "model");
    let event = match model {
        Some(model) => reading.event(&model.event.event_id)?,
        None => None,
    };
    let whole =
        json!({ "since": since, "tree": api::told(&session, &tree), "event": api::shown(&event) });
    // A text can hold `</script>`, which ends the element even within a string.
    let text = whole.to_string().replace('<', "\\u003c");
    Ok((text.len() <= LARGEST).then_some(text))
}

fn name(row: &SessionRow) -> &str {
    row.name.as_deref().unwrap_or("unnamed session")
}

fn actions() -> Markup {
    html! {
        details.menu #copy {
            summary.button { "Copy as ▾" }
            div role="menu" {
                @for (what, words) in COPIES { button type="button" role="menuitem" data-copy-as=(what) { (words) } }
            }
        }
        button #next-error type="button" title="Next error ( e )" disabled { "Next error" }
        button #pause type="button" title="Pause ( p )" { "Pause" }
    }
}

fn body(row: &SessionRow, first: Option<&str>) -> Markup {
    html! {
        @if let Some(first) = first { script #first type="application/json" { (PreEscaped(first)) } }
        main.split #session data-id=(row.session_id) {
            section.left aria-label="Events" {
                (title(row))
                div.find {
                    input #find type="search" placeholder="Search in this session   ( / )" aria-label="Search in this session"
                        autocomplete="off";
                    span.dim #found aria-live="polite" {}
                }
                div.ruler { div { "Event" } div #ticks {} div.num { "Time" } }
                div.tree #tree role="tree" aria-label="Events" tabindex="0" {
                    p.loading { "Loading the events …" }
                    noscript { p.loading { "The tree needs JavaScript. "
                        a href={ "/api/sessions/" (format::encoded(&row.session_id)) "/markdown" } { "The session as Markdown" } " does not." } }
                }
            }
            section.right #detail aria-label="Event" {
                div.facts #about {}
                div.tabs role="tablist" {
                    @for (tab, words) in TABS {
                        button type="button" role="tab" data-tab=(tab) aria-selected="false" { (words) }
                    }
                }
                div #panel role="tabpanel" {}
            }
        }
    }
}

fn title(row: &SessionRow) -> Markup {
    html! {
        div.title #title {
            h1 { (name(row)) }
            div.facts {
                span.mono { (row.session_id) }
                span { (frame::time(row.start_time)) }
                @if let Some(duration) = row.duration { span { b { (format::duration(duration)) } } }
                span { (format::counted(row.events, "event")) }
                @if row.tokens > 0 { span { b { (format::count(row.tokens)) } " tokens" } }
                @if row.cost > 0.0 { span { b { (format::cost(row.cost)) } } }
                @if let Some(user) = &row.user_id { span { "user " b { (user) } } }
                @if let Some(model) = &row.model { span { (model) } }
                (outcome(row))
                @if row.errors > 0 { (frame::pill("bad", &format::counted(row.errors, "error"))) }
                @if let Some(run) = &row.run_id {
                    span { "run " a.link href={ "/experiments/" (format::encoded(run)) } { (format::short(run)) } }
                }
            }
        }
    }
}

fn outcome(row: &SessionRow) -> Markup {
    let Outcome { tone, word } = Outcome::of(row);
    frame::pill(tone, &word)
}
