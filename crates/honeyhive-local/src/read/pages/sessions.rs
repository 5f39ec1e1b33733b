//! The list of sessions shows what was asked, what came back, how it ended, for how much.

use axum::extract::{RawQuery, State};
use http::HeaderMap;
use maud::{Markup, html};

use super::super::filters::Filters;
use super::super::frame::{self, Page, Place};
use super::super::outcome::Outcome;
use super::super::{format, welcome};
use crate::reply::{Answer, Reply};
use crate::shared::Server;
use crate::store::{Facets, Listed, MOST_FOUND, SessionFilter, SessionRow};

/// Answers `GET /`: a page of the list.
pub(in crate::read) async fn page(
    State(shared): State<Server>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let query = query.unwrap_or_default();
    let filter = SessionFilter::from_query(&query);
    let found = shared.read(move |reading| Ok((reading.list(&filter)?, reading.facets()?)));
    let (listed, facets) = found.await?;
    let filters = Filters::of(&query);
    let body = html! {
        main #sessions data-newest=[listed.rows.first().map(|row| row.seq)] data-first=(filters.is_first_page()) {
            (bar(&filters, &facets))
            div.news { button.new #new type="button" hidden {} }
            (list(&listed, &filters, &headers))
        }
    };
    let page = Page {
        title: "Sessions",
        place: Place::Sessions,
        view: "sessions",
        actions: html! { button #pause type="button" title="Pause ( p )" { "Pause" } },
        body,
    };
    Ok(page.reply(&shared))
}

/// Answers `GET /sessions?…`: the rows alone, for a page that is open already.
pub(in crate::read) async fn rows(
    State(shared): State<Server>,
    RawQuery(query): RawQuery,
) -> Result<Reply, Reply> {
    let filter = SessionFilter::from_query(&query.unwrap_or_default());
    let listed = shared.read(move |reading| reading.list(&filter)).await?;
    Ok(frame::fragment(&shared, table(&listed.rows)))
}

/// Returns the search and the filters, all of them in the URL.
fn bar(filters: &Filters, facets: &Facets) -> Markup {
    html! {
        form.bar action="/" role="search" {
            input type="search" name="q" value=(filters.value("q")) placeholder="Search inputs, outputs, names, ids   ( / )"
                aria-label="Search" autocomplete="off";
            @for (key, value) in filters.but("q") { input type="hidden" name=(key) value=(value); }
            (chip(filters, "since", "1h", "last hour"))
            (chip(filters, "errors", "1", "errors"))
            (chip(filters, "outcome", "client_disconnected", "client left"))
            (chip(filters, "slower", "5000", "slower than 5 s"))
            @for model in &facets.models { (chip(filters, "model", model, &format!("model: {model}"))) }
            @for source in &facets.sources { (chip(filters, "source", source, &format!("source: {source}"))) }
            @for (key, value) in filters.others(facets) { (chip(filters, key, value, &format!("{key}: {value}"))) }
            @if filters.any() { a.clear href="/" { "Clear" } }
        }
    }
}

fn chip(filters: &Filters, key: &str, value: &str, words: &str) -> Markup {
    let on = filters.has(key, value);
    html! {
        a.chip.on[on] href=(filters.toggled(key, value)) aria-pressed=(on) title=(words) { (words) }
    }
}

fn list(listed: &Listed<SessionRow>, filters: &Filters, headers: &HeaderMap) -> Markup {
    html! {
        (table(&listed.rows))
        @if listed.rows.is_empty() && filters.any() {
            section.empty {
                h1 { "No session matches" }
                p { a.button href="/" { "Show all sessions" } }
            }
        } @else if listed.rows.is_empty() {
            (welcome::page(headers))
        } @else {
            p.total { (format::count(i64::try_from(listed.total).unwrap_or(i64::MAX))) " in all" }
        }
        @if listed.partial {
            p.total {
                "Looked at the newest " (format::count(MOST_FOUND)) " sessions and events with these words: search for more words to find older ones"
            }
        }
        @if let Some(next) = listed.next { (frame::further(&filters.page(next))) }
    }
}

fn table(rows: &[SessionRow]) -> Markup {
    html! {
        table.list hidden[rows.is_empty()] {
            thead {
                tr {
                    th { "Time" } th { "Session" } th { "First input → last output" } th { "Outcome" } th.model { "Model" }
                    th.num { "Tokens" } th.num { "Cost" } th.num { "Duration" } th.num { "Events" }
                }
            }
            tbody { @for row in rows { (self::row(row)) } }
        }
    }
}

fn row(row: &SessionRow) -> Markup {
    let path = format!("/sessions/{}", format::encoded(&row.session_id));
    let name = row.name.as_deref().unwrap_or("unnamed");
    html! {
        tr data-id=(row.session_id) data-seq=(row.seq) {
            td.when { (frame::time(row.start_time)) }
            td.name {
                a href=(path) title=(name) { (name) }
                div.mono.dim { (format::short(&row.session_id)) @if let Some(user) = &row.user_id { " · " (user) } }
            }
            td.talk {
                p { (row.input.as_deref().unwrap_or("–")) }
                p { (row.error.as_deref().or(row.output.as_deref()).unwrap_or("–")) }
            }
            td.outcome { (outcome(row)) }
            td.model { (maybe(row.model.as_deref())) }
            td.num.tokens { (tokens(row)) }
            td.num.cost { (amount(i64::from(row.cost > 0.0), &format::cost(row.cost))) }
            td.num.duration { (maybe(row.duration.map(format::duration).as_deref())) }
            td.num.events.one[row.events == 1] { (amount(row.events, &format::count(row.events))) }
        }
    }
}

fn outcome(row: &SessionRow) -> Markup {
    let Outcome { tone, word } = Outcome::of(row);
    html! {
        (frame::pill(tone, &word))
        @if row.errors > 0 { div.bad { (format::counted(row.errors, "error")) } }
    }
}

/// Returns the tokens that went into models and came out; their total where nobody told them apart.
fn tokens(row: &SessionRow) -> Markup {
    if row.input_tokens + row.output_tokens == 0 {
        return amount(row.tokens, &format::count(row.tokens));
    }
    html! { (format::count(row.input_tokens)) " → " (format::count(row.output_tokens)) }
}

fn maybe(text: Option<&str>) -> Markup {
    html! { @if let Some(text) = text { (text) } @else { span.dim { "–" } } }
}

/// Returns a number, or a dash for none.
fn amount(number: i64, words: &str) -> Markup {
    maybe((number > 0).then_some(words))
}
