//! All pages have a frame in common: the head, the header with its places, and small parts.

use http::StatusCode;
use http::header::HeaderValue;
use maud::{DOCTYPE, Markup, html};

use super::format;
use crate::model::iso;
use crate::reply::Reply;
use crate::shared::Server;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// A `Place` is one that the header leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Sessions,
    Experiments,
    Datasets,
    Requests,
    Orphans,
    /// The page has no place of its own, such as that of one session.
    Below,
}

const PLACES: [(Place, &str, &str); 5] = [
    (Place::Sessions, "/", "Sessions"),
    (Place::Experiments, "/experiments", "Experiments"),
    (Place::Datasets, "/datasets", "Datasets"),
    (Place::Requests, "/requests", "Requests"),
    (Place::Orphans, "/orphans", "Orphans"),
];

/// A `Page` has not been put into its frame yet.
pub(super) struct Page<'p> {
    pub(super) title: &'p str,
    pub(super) place: Place,
    /// The part of the module that the page is for.
    pub(super) view: &'p str,
    /// Buttons at the right of the header.
    pub(super) actions: Markup,
    pub(super) body: Markup,
}

impl Page<'_> {
    /// Returns the page as an answer with status 200.
    pub(super) fn reply(self, shared: &Server) -> Reply {
        self.reply_with(StatusCode::OK, shared)
    }

    pub(super) fn reply_with(self, status: StatusCode, shared: &Server) -> Reply {
        let text = self.framed(shared).into_string();
        Reply::new(status, HTML, shared.config.keys.removed_from(text))
    }

    fn framed(self, shared: &Server) -> Markup {
        let orphans = i64::try_from(shared.stats().orphans).unwrap_or(0);
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · honeyhive-local" }
                    link rel="icon" href="/favicon.ico" type="image/svg+xml";
                    link rel="stylesheet" href="/assets/style.css";
                    script type="module" src="/assets/app.js" {}
                }
                body data-view=(self.view) data-since=(shared.feed.since(u64::MAX).last) {
                    header {
                        a.brand href="/" { (logo()) span { "honeyhive-local" } }
                        nav aria-label="Pages" {
                            @for (place, path, name) in PLACES {
                                a href=(path) aria-current=[(place == self.place).then_some("page")] {
                                    (name)
                                    @if place == Place::Orphans {
                                        span.n #orphans hidden[orphans == 0] { (format::count(orphans)) }
                                    }
                                }
                            }
                        }
                        span.grow {}
                        (self.actions)
                        span.live #live title="Changes arrive by themselves" { i {} span { "live" } }
                        button.quiet #help type="button" title="Keys ( ? )" aria-label="Keys" { "?" }
                    }
                    (self.body)
                    (keys())
                }
            }
        }
    }
}

/// Returns the rows of a list without a page around them, for a page that is open already.
pub(super) fn fragment(shared: &Server, rows: Markup) -> Reply {
    let text = shared.config.keys.removed_from(rows.into_string());
    Reply::new(StatusCode::OK, HTML, text)
}

/// Returns a page that says that there is nothing of that name.
pub(super) fn missing(shared: &Server, what: &str, why: &str) -> Reply {
    let page = Page {
        title: what,
        place: Place::Below,
        view: "missing",
        actions: html! {},
        body: html! {
            main.empty {
                h1 { (what) }
                p { (why) }
                p { a.button href="/" { "All sessions" } }
            }
        },
    };
    page.reply_with(StatusCode::NOT_FOUND, shared)
}

/// Returns a moment in UTC; the module shows the reader's own time.
pub(super) fn time(milliseconds: f64) -> Markup {
    let iso = iso(milliseconds);
    // A year may have more than four digits.
    let clock = iso.split('T').nth(1).and_then(|time| time.get(..8));
    let clock = clock.unwrap_or_default();
    html! { time datetime=(iso) title=(iso) { (clock) } }
}

/// Returns a word in a coloured capsule.
pub(super) fn pill(tone: &str, word: &str) -> Markup {
    html! { span.pill.(tone) { (word) } }
}

/// Returns the link to the next page of a list.
pub(super) fn further(path: &str) -> Markup {
    html! { p.further { a.button href=(path) rel="next" { "Older" } } }
}

fn logo() -> Markup {
    html! {
        svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" aria-hidden="true" {
            path d="M12 2l8.7 5v10L12 22l-8.7-5V7z" {}
            path.heart d="M12 7l4.3 2.5v5L12 17l-4.3-2.5v-5z" {}
        }
    }
}

fn keys() -> Markup {
    let keys = [
        ("/", "search"),
        ("j k", "next and previous row"),
        ("l  Enter", "open a session, unfold an event"),
        ("h", "fold an event, go up, go back"),
        ("e", "next error"),
        ("p", "pause what arrives"),
        ("?", "these keys"),
    ];
    html! {
        dialog #keys aria-label="Keys" {
            h2 { "Keys" }
            dl { @for (key, what) in keys { dt { kbd { (key) } } dd { (what) } } }
            form method="dialog" { button { "Close" } }
        }
    }
}
