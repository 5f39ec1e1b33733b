//! A real Chromium shows the page: a conversation, and what somebody thinks of its answers.

use super::chromium::{Chromium, Tab};
use super::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_thumb_on_the_page_is_feedback_of_the_answer_that_it_stands_beside() {
    let server = Server::start().await;
    let seen = on_the_page(&server, |tab| {
        for (number, message) in ["I like <b>tea</b>", "What did I say first?"]
            .iter()
            .enumerate()
        {
            tab.click("#message");
            tab.type_in(message);
            tab.key("Enter");
            let answers = number + 1;
            tab.until(&format!(
                "document.querySelectorAll('.rating').length === {answers}"
            ));
        }
        let said = tab.text("#log");
        // The console tells that the favicon, which browsers ask for, is not there.
        let errors = tab.errors();
        tab.click("#log li:nth-child(4) .rating button:last-child");
        tab.until("document.querySelector('#log li:nth-child(4) .rating button:last-child').ariaPressed === 'true'");
        (said, errors)
    });
    let Some((said, errors)) = seen.await else {
        return;
    };
    assert!(said.contains("I like <b>tea</b>"), "as text: {said}");
    let unexpected: Vec<_> = errors.iter().filter(|it| !it.contains("favicon")).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");

    server.flush().await;
    let sessions = server.honeyhive.sessions();
    assert_eq!(
        sessions.len(),
        1,
        "the page and a rating are no sessions: {sessions:#?}"
    );
    let mut turns = server.honeyhive.events(&sessions[0].session_id);
    turns.retain(|event| event.event_type == "chain");
    turns.sort_by(|one, other| one.start_time_ms.total_cmp(&other.start_time_ms));
    let ratings: Vec<_> = turns
        .iter()
        .map(|turn| turn.feedback.get("rating"))
        .collect();
    assert_eq!(ratings, [None, Some(&serde_json::json!(false))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_said_on_the_page_in_the_words_of_the_server() {
    let server = Server::start().await;
    let seen = on_the_page(&server, |tab| {
        let mut ask = |number: usize, before: &str| {
            tab.eval(before);
            tab.click("#message");
            tab.type_in(" ");
            tab.key("Enter");
            let failures = "document.querySelectorAll('.failed').length";
            tab.until(&format!("{failures} === {number}"));
            tab.text(".failed:last-child")
        };
        let refused = ask(1, "0");
        let unreadable = ask(
            2,
            "window.fetch = async () => new Response('<p>', {status: 503})",
        );
        let unreachable = ask(
            3,
            "window.fetch = async () => { throw new TypeError('gone') }",
        );
        // Each text is back in its field, where the next blank is added to it.
        tab.until("document.querySelector('#message').value === '   '");
        [refused, unreadable, unreachable]
    });
    let Some(seen) = seen.await else {
        return;
    };
    assert_eq!(
        seen,
        [
            "`message` is missing or empty",
            "No answer (503).",
            "The server cannot be reached."
        ]
    );
}

/// Acts on the page in a browser; `None` where there is no browser.
async fn on_the_page<T: Send + 'static>(
    server: &Server,
    act: impl FnOnce(&mut Tab) -> T + Send + 'static,
) -> Option<T> {
    let url = server.url("/");
    let acting = tokio::task::spawn_blocking(move || {
        let browser = Chromium::start()?;
        let mut tab = browser.tab(800, 600);
        tab.open(&url);
        Some(act(&mut tab))
    });
    acting.await.unwrap()
}
