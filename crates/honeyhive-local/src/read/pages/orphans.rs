//! Orphans are events that belong to no session; the page has the reason and what to do about it.

use axum::extract::{RawQuery, State};
use maud::{Markup, html};

use super::super::frame::{self, Page, Place};
use super::super::{api, format};
use crate::reply::Answer;
use crate::shared::Server;
use crate::store::Orphan;

/// Answers `GET /orphans`: the newest first.
pub(in crate::read) async fn page(
    State(shared): State<Server>,
    RawQuery(query): RawQuery,
) -> Answer {
    let before = api::number(&query.unwrap_or_default(), "before");
    let listed = shared.read(move |reading| reading.orphans(before)).await?;
    let body = html! {
        main.wide data-live="orphan" {
            h1 { "Orphans " span.dim { "events that belong to no session" } }
            @if listed.rows.is_empty() { p.dim { "None: every event has found its session." } }
            @else { (table(&listed.rows)) }
            @if let Some(next) = listed.next { (frame::further(&format!("/orphans?before={next}"))) }
        }
    };
    let page = Page {
        title: "Orphans",
        place: Place::Orphans,
        view: "list",
        actions: html! {},
        body,
    };
    Ok(page.reply(&shared))
}

fn table(rows: &[Orphan]) -> Markup {
    html! {
        table.list {
            thead { tr { th { "Time" } th { "Event" } th { "Why, and what to do" } th { "Session that it names" } th.num { "Duration" } } }
            tbody {
                @for Orphan { event, reason } in rows {
                    tr {
                        td.when { (frame::time(event.start_time)) }
                        td.name {
                            a href={ "/api/events/" (format::encoded(&event.event_id)) } title=(event.name) { (event.name) }
                            div.mono.dim { (event.kind) " · " (format::short(&event.span_id)) }
                        }
                        td.talk { (advice(reason.advice())) }
                        td.mono.w { @if event.session_id.is_empty() { span.dim { "none" } } @else { (event.session_id) } }
                        td.num.duration { (format::duration(event.duration)) }
                    }
                }
            }
        }
    }
}

/// Returns an advice with the text between backticks as code.
fn advice(text: &str) -> Markup {
    let parts = text.split('`').enumerate();
    html! { @for (index, part) in parts { @if index % 2 == 1 { code { (part) } } @else { (part) } } }
}
