//! The pages of requests show what was sent, and what was answered.

use std::time::UNIX_EPOCH;

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};

use super::super::frame::{self, Page, Place};
use super::super::{api, format};
use crate::model::RecordedRequest;
use crate::reply::Answer;
use crate::shared::Server;

/// A page of the list has this many requests.
const PAGE: usize = 100;

/// A body is shown up to this many bytes.
const SHOWN: usize = 256 * 1024;

/// Answers `GET /requests`: the newest first.
pub(in crate::read) async fn page(
    State(shared): State<Server>,
    RawQuery(query): RawQuery,
) -> Answer {
    let before = api::number(&query.unwrap_or_default(), "before");
    let before = before.and_then(|before| u64::try_from(before).ok());
    let newest = shared.requests().newest(before, PAGE);
    let next = newest
        .last()
        .filter(|last| newest.len() == PAGE && last.sequence > 1);
    let body = html! {
        main.wide data-live="request" {
            h1 { "Requests " span.dim { "what clients sent, without their keys" } }
            @if newest.is_empty() { p.dim { "No call has come in yet." } }
            @else { (table(&newest)) }
            @if let Some(last) = next { (frame::further(&format!("/requests?before={}", last.sequence))) }
        }
    };
    Ok(framed(body, "Requests").reply(&shared))
}

/// Answers `GET /requests/{sequence}`: one call, whole.
pub(in crate::read) async fn request(
    State(shared): State<Server>,
    Path(sequence): Path<String>,
) -> Answer {
    let found = sequence.parse().ok();
    let found = found.and_then(|sequence| shared.requests().get(sequence));
    let Some(request) = found else {
        let why =
            format!("No call of the number {sequence} is held: the oldest are dropped first.");
        return Ok(frame::missing(&shared, "Unknown request", &why));
    };
    let title = format!("{} {}", request.method, request.path);
    Ok(framed(whole(&request), &title).reply(&shared))
}

fn framed(body: Markup, title: &str) -> Page<'_> {
    Page {
        title,
        place: Place::Requests,
        view: "list",
        actions: html! {},
        body,
    }
}

fn table(requests: &[RecordedRequest]) -> Markup {
    html! {
        table.list {
            thead { tr { th { "Time" } th { "Request" } th { "Client" } th { "Answer" } th.num { "Body" } } }
            tbody { @for request in requests { (row(request)) } }
        }
    }
}

fn row(request: &RecordedRequest) -> Markup {
    html! {
        tr data-id=(request.sequence) {
            td.when { (frame::time(received(request))) }
            td.name { a href={ "/requests/" (request.sequence) } { b { (request.method) } " " (path(request)) } }
            td.dim { (request.header("user-agent").unwrap_or("–")) }
            td.outcome { (answer(request)) }
            td.num.bytes { (format::bytes(request.body.len())) }
        }
    }
}

fn whole(request: &RecordedRequest) -> Markup {
    let text = match &request.json {
        Some(json) => serde_json::to_string_pretty(json).unwrap_or_default(),
        None => String::from_utf8_lossy(&request.body).into_owned(),
    };
    let shown: String = text.chars().take(SHOWN).collect();
    html! {
        main.wide {
            h1 { (request.method) " " (path(request)) }
            div.facts {
                span { "number " b { (request.sequence) } }
                span { (frame::time(received(request))) }
                span { b { (format::bytes(request.body.len())) } }
                (answer(request))
                @if !request.authorized { (frame::pill("bad", "wrong or no key")) }
                button type="button" data-copy=(curl(request, &text)) { "Copy as cURL" }
            }
            h2 { "Headers" }
            dl.pairs { @for (name, value) in &request.headers { dt.mono { (name) } dd.mono { (value) } } }
            h2 { "Body" }
            @if shown.is_empty() { p.dim { "empty" } } @else { pre.code { (shown) } }
            @if shown.len() < text.len() { p.dim { "cut: " (format::bytes(text.len())) " in all" } }
        }
    }
}

fn answer(request: &RecordedRequest) -> Markup {
    match request.status {
        Some(status @ ..=399) => frame::pill("ok", &status.to_string()),
        Some(status @ 400..=499) => frame::pill("warn", &status.to_string()),
        Some(status) => frame::pill("bad", &status.to_string()),
        None => frame::pill("bad", "no answer"),
    }
}

fn path(request: &RecordedRequest) -> String {
    match &request.query {
        Some(query) => format!("{}?{query}", request.path),
        None => request.path.clone(),
    }
}

/// Returns the call as a command; the key is left to a variable.
fn curl(request: &RecordedRequest, body: &str) -> String {
    let host = request.header("host").unwrap_or("127.0.0.1:7777");
    let url = quoted(&format!("http://{host}{}", path(request)));
    let mut command = format!(
        "curl -sS -X {} {url} -H \"authorization: Bearer $HH_API_KEY\"",
        request.method
    );
    if request.json.is_some() && body.len() <= SHOWN {
        let body = quoted(body);
        command += &format!(" -H 'content-type: application/json' --data-raw {body}");
    }
    command
}

/// Quotes a text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn received(request: &RecordedRequest) -> f64 {
    let since = request.received_at.duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64() * 1e3)
}
