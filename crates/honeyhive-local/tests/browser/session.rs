//! A session has a page.

use serde_json::json;

use crate::Scene;
use crate::seed::{RETURNS, Span, asked};

const LARGE: &str = "1a26e000-0d2c-4c0e-9f43-0a6cf1a0d011";

#[test]
fn a_chat_has_roles_at_the_left_text_at_the_right_and_tool_calls_as_code() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open_session(RETURNS);
    assert_eq!(scene.tab.text("#about b"), "chat gpt-4o-mini");
    let roles = "[...document.querySelectorAll('#panel .msg .who')].map((who) => who.firstChild.textContent).join(' ')";
    assert_eq!(scene.tab.eval(roles), "system user assistant");
    assert!(
        scene
            .tab
            .text("#panel .msg.assistant .call")
            .starts_with("find_orders({\"customer\": \"ada\"")
    );
    let cards = scene.tab.text("#panel .cards");
    assert!(
        cards.contains("612 → 44") && cards.contains("550 ms") && cards.contains("tool_calls"),
        "{cards}"
    );
    let sides = "(() => { const [who, say] = ['.who', '.say'].map((part) => document.querySelector(`#panel .msg ${part}`).getBoundingClientRect()); return who.right <= say.left; })()";
    assert_eq!(scene.tab.eval(sides), true);
    scene.assert_clean();
}

/// Sends a call that began two seconds into its session.
fn send_late(scene: &Scene, id: u64, mut late: Span<'_>) {
    (late.id, late.from, late.seconds) = (id, 2.0, 0.2);
    scene.runtime.block_on(scene.shop.spans(40.0, &[late]));
}

/// Opens the session of returns, and the call that has come late.
fn open_call(scene: &mut Scene) {
    scene.open_session(RETURNS);
    scene
        .tab
        .until("document.querySelectorAll('#tree .row').length === 9");
    scene
        .tab
        .eval("[...document.querySelectorAll('#tree .row')].find((row) => row.querySelector('b').textContent === 'chat gpt-4o').click()");
}

#[test]
fn what_a_model_has_thought_is_labelled_and_closed_until_somebody_opens_it() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    let mut late = asked(RETURNS, "gpt-4o", 1, 1, "How many oaks?", "Twelve.");
    late.attributes["honeyhive_outputs.reasoning"] = json!("Oaks first, then the rest.");
    send_late(&scene, 78, late);
    open_call(&mut scene);
    scene
        .tab
        .until("document.querySelector('#panel .msg.assistant details.thoughts')");
    let thoughts = "#panel .msg.assistant details.thoughts";
    assert_eq!(scene.tab.text(&format!("{thoughts} summary")), "Reasoning");
    let is_open = format!("document.querySelector('{thoughts}').open");
    assert_eq!(scene.tab.eval(&is_open), false);
    let said = "[...document.querySelectorAll('#panel .msg.assistant .say > p')].map((p) => p.textContent)";
    assert_eq!(scene.tab.eval(said), json!(["Twelve."]));
    scene.tab.eval(&format!(
        "document.querySelector('{thoughts} summary').click()"
    ));
    assert_eq!(scene.tab.eval(&is_open), true);
    assert_eq!(
        scene.tab.text(&format!("{thoughts} p")),
        "Oaks first, then the rest."
    );
    scene.assert_clean();
}

#[test]
fn messages_that_came_as_json_text_are_a_chat_as_well() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    let mut late = asked(RETURNS, "gpt-4o", 1, 1, "", "");
    late.attributes = json!({
        "honeyhive_inputs.messages": "[{\"role\": \"user\", \"content\": \"How many oaks?\"}]",
        "honeyhive_outputs.content": "Twelve.",
    });
    send_late(&scene, 79, late);
    open_call(&mut scene);
    scene
        .tab
        .until("document.querySelector('#panel .msg.assistant .say')?.innerText === 'Twelve.'");
    assert_eq!(scene.tab.text("#panel .msg .say"), "How many oaks?");
    scene.assert_clean();
}

#[test]
fn a_tool_that_the_provider_has_run_shows_its_answer_below_the_call() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    let mut late = asked(RETURNS, "gpt-4o", 1, 1, "How many oaks?", "Twelve.");
    for (field, value) in [
        ("name", "web_search"),
        ("arguments", "{}"),
        ("result", "Oaks\nhttps://oaks.example"),
    ] {
        late.attributes[format!("honeyhive_outputs.tool_calls.0.{field}")] = json!(value);
    }
    send_late(&scene, 80, late);
    open_call(&mut scene);
    scene
        .tab
        .until("document.querySelector('#panel .msg.assistant .call .result')");
    assert_eq!(
        scene.tab.text("#panel .msg.assistant .call .result"),
        "Oaks\nhttps://oaks.example"
    );
    scene.assert_clean();
}

#[test]
fn the_waterfall_shows_when_each_event_ran_and_a_models_first_token() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open_session(RETURNS);
    let expected: [(&str, &[f64]); 8] = [
        ("POST /chat", &[0.0]),
        ("chat turn", &[0.0]),
        ("chat gpt-4o-mini", &[0.83, 23.65]),
        ("find_orders", &[40.66]),
        ("SELECT orders", &[41.49]),
        ("return_policy", &[50.62]),
        ("return_policy", &[56.43]),
        ("chat gpt-4o-mini", &[62.66, 85.48]),
    ];
    let bars = "[...document.querySelectorAll('#tree .row')].map((row) => [row.querySelector('b').textContent, [...row.querySelectorAll('i')].map((bar) => parseFloat(bar.style.left))])";
    let shown = scene.tab.eval(bars);
    let shown: Vec<(String, Vec<f64>)> = serde_json::from_value(shown).unwrap();
    assert_eq!(shown.len(), expected.len(), "{shown:?}");
    for ((name, bars), (expected_name, places)) in shown.iter().zip(expected) {
        assert_eq!((name.as_str(), bars.len()), (expected_name, places.len()));
        for (bar, place) in bars.iter().zip(places) {
            // The session's start is in whole milliseconds, so a bar may be a millisecond beside its place.
            assert!(
                (bar - place).abs() < 0.1,
                "{name}: {bars:?}, not {places:?}"
            );
        }
    }
    assert_eq!(scene.tab.count("#tree .row.err"), 1);
    scene.assert_clean();
}

#[test]
fn each_event_has_a_link_and_the_keys_lead_through_the_tree() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open_session(RETURNS);
    scene.tab.key("e");
    scene
        .tab
        .until("document.querySelector('#panel .msg.error')");
    let link = scene.tab.eval("location.href").as_str().unwrap().to_owned();
    assert!(link.contains("#event="), "{link}");
    scene.tab.open("about:blank");
    scene.tab.open(&link);
    scene.tab.until("document.querySelector('#tree .row.on.err') && document.querySelector('#panel .msg.error')");
    scene.tab.key("k");
    scene
        .tab
        .until("document.querySelector('#about b').textContent === 'SELECT orders'");
    scene.tab.key("h");
    scene
        .tab
        .until("document.querySelector('#about b').textContent === 'find_orders'");
    scene.tab.key("h");
    assert_eq!(scene.tab.count("#tree .row"), 7);
    scene.tab.key("l");
    assert_eq!(scene.tab.count("#tree .row"), 8);
    scene.assert_clean();
}

#[test]
fn a_search_finds_what_only_the_events_themselves_hold() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open_session(RETURNS);
    scene.tab.key("/");
    scene.tab.type_in("clothing");
    // Both model calls hold the word; the session and the turn are above them.
    scene
        .tab
        .until("document.querySelector('#found').textContent === '2 of 8'");
    assert_eq!(scene.tab.count("#tree .row"), 4);
    assert_eq!(scene.tab.count("#tree .row.hit"), 2);
    scene.tab.until("location.search === '?q=clothing'");
    scene.assert_clean();
}

#[test]
fn an_event_that_comes_later_appears_and_the_chosen_one_stays_chosen() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open_session(RETURNS);
    scene.tab.key("e");
    let chosen = scene
        .tab
        .eval("document.querySelector('#tree .row.on').dataset.id");
    let late = asked(RETURNS, "gpt-4o-mini", 1, 1, "And now?", "Now, too.");
    send_late(&scene, 77, late);
    scene
        .tab
        .until("document.querySelectorAll('#tree .row').length === 9");
    assert_eq!(
        scene
            .tab
            .eval("document.querySelector('#tree .row.on').dataset.id"),
        chosen
    );
    scene
        .tab
        .until("document.querySelector('#title').innerText.includes('8 events')");
    scene.assert_clean();
}

#[test]
fn five_thousand_events_are_in_reach_with_less_than_two_thousand_nodes() {
    let Some(mut scene) = Scene::new() else {
        return;
    };
    scene.runtime.block_on(scene.shop.large(LARGE, 5_000));
    scene.open_session(LARGE);
    assert!(scene.tab.count("*") < 2_000);
    scene
        .tab
        .until("document.querySelector('#next-error').innerText === 'Next error (5)'");
    for _ in 0..5 {
        scene.tab.key("e");
    }
    scene
        .tab
        .until("document.querySelector('#panel').innerText.includes('the step failed')");
    scene
        .tab
        .until("document.querySelector('#panel').innerText.includes('step 4500')");
    let seen = "(() => { const row = document.querySelector('#tree .row.on').getBoundingClientRect(); return row.top >= 0 && row.bottom <= innerHeight; })()";
    assert_eq!(scene.tab.eval(seen), true);
    assert!(scene.tab.count("*") < 2_000);
    scene.assert_clean();
}

#[test]
fn a_session_is_copied_as_json_markdown_and_curl() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open_session(RETURNS);
    scene
        .tab
        .eval("navigator.clipboard.writeText = async (text) => { window.copied = text; }");
    for (what, expected) in [
        ("session-markdown", "# POST /chat"),
        ("session-json", "\"session\": {"),
        ("event-markdown", "## chat gpt-4o-mini [model] 940 ms"),
        ("event-json", "\"event_name\": \"chat gpt-4o-mini\""),
        ("curl", "curl -s 'http://127.0.0.1"),
    ] {
        scene.tab.click("#copy summary");
        scene.tab.click(&format!("[data-copy-as={what}]"));
        scene
            .tab
            .until(&format!("window.copied?.includes({})", json!(expected)));
    }
    scene.assert_clean();
}

#[test]
fn an_unknown_session_says_so_on_a_page() {
    let Some(mut scene) = Scene::new() else {
        return;
    };
    scene.open("/sessions/none");
    assert!(
        scene
            .tab
            .text("main")
            .contains("No session has the id none")
    );
}

#[test]
fn a_short_session_is_whole_without_a_request_of_the_page() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene
        .tab
        .on_every_page("window.fetch = () => new Promise(() => {});");
    scene.open_session(RETURNS);
    assert_eq!(scene.tab.count("#tree .row"), 8);
    assert!(
        scene
            .tab
            .text("#panel .msg.assistant .call")
            .starts_with("find_orders")
    );
    scene.assert_clean();
}

#[test]
fn moments_and_times_have_room_in_a_narrow_window() {
    let Some(mut scene) = Scene::new() else {
        return;
    };
    scene.runtime.block_on(scene.shop.large(LARGE, 50));
    let crowded = "(() => { const boxes = [...document.querySelectorAll('#ticks span')].map((tick) => tick.getBoundingClientRect()); return boxes.filter((box, at) => at > 0 && box.left < boxes[at - 1].right).length; })()";
    let broken = "[...document.querySelectorAll('#tree .num')].filter((time) => time.getClientRects()[0].height > 30).length";
    let scrolls = "(() => { const tabs = document.querySelector('.tabs'); return tabs.scrollHeight - tabs.clientHeight; })()";
    for width in [390, 1000, 1280, 1440] {
        scene.tab.resize(width, 760);
        scene.open_session(LARGE);
        for (what, expression) in [("moments", crowded), ("times", broken), ("tabs", scrolls)] {
            assert_eq!(scene.tab.eval(expression), 0, "{what} at {width}");
        }
    }
    scene.assert_clean();
}
