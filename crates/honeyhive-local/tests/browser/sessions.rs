//! The list of sessions is the first page.

use serde_json::json;

use crate::Scene;
use crate::seed::{HOSTILE, NEW_RUN, OLD_RUN, RETURNS};

const NEW: &str = "0a0a0a0a-0d2c-4c0e-9f43-0a6cf1a0d010";

fn new_session(scene: &Scene, number: usize) {
    let id = format!("{}{number:02}", &NEW[..34]);
    let session = scene.shop.session(
        &id,
        "POST /chat",
        0.0,
        json!({ "inputs": { "message": "new" } }),
    );
    scene.runtime.block_on(session);
}

#[test]
fn a_session_appears_without_a_reload_on_a_page_that_was_empty() {
    let Some(mut scene) = Scene::new() else {
        return;
    };
    scene.open("/");
    assert!(
        scene
            .tab
            .text("main")
            .contains(&format!("export HH_API_URL={}", scene.server.url()))
    );
    scene.tab.eval("window.sameDocument = true");
    new_session(&scene, 1);
    scene
        .tab
        .until("document.querySelectorAll('table.list tbody tr').length === 1");
    assert_eq!(scene.tab.eval("window.sameDocument"), true);
    assert_eq!(scene.tab.count(".welcome"), 0);
    scene.assert_clean();
}

#[test]
fn new_sessions_wait_until_they_are_asked_for_and_the_row_under_the_pointer_stays() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open("/");
    let (x, y) = scene
        .tab
        .point_at("table.list tbody tr:nth-child(3) td.talk");
    let under = format!("document.elementFromPoint({x}, {y}).closest('tr').dataset.id");
    let before = scene.tab.eval(&under);
    let place =
        "document.querySelector('table.list tbody tr:nth-child(3)').getBoundingClientRect().y";
    let y_before = scene.tab.eval(place);
    for number in 0..12 {
        new_session(&scene, number);
    }
    scene
        .tab
        .until("document.querySelector('#new').innerText.startsWith('12 new sessions')");
    assert_eq!(scene.tab.eval(&under), before);
    assert_eq!(scene.tab.eval(place), y_before);
    scene.tab.click("#new");
    scene
        .tab
        .until("document.querySelectorAll('table.list tbody tr').length === 62");
    assert_eq!(
        scene.tab.eval("document.querySelector('#new').hidden"),
        true
    );
    scene.assert_clean();
}

#[test]
fn a_row_is_renewed_in_its_place_when_its_session_ends() {
    let Some(mut scene) = Scene::new() else {
        return;
    };
    new_session(&scene, 1);
    scene.open("/");
    assert!(scene.tab.text("tbody tr").contains("open"));
    let update = json!({ "outputs": { "status_code": 200 }, "duration": 1500, "metadata": { "outcome": "complete" } });
    let id = format!("{}01", &NEW[..34]);
    scene.runtime.block_on(scene.shop.update(&id, update));
    scene
        .tab
        .until("document.querySelector('tbody tr').innerText.includes('200 complete')");
    assert!(scene.tab.text("tbody tr").contains("1.50 s"));
    scene.assert_clean();
}

#[test]
fn nothing_arrives_while_it_is_paused_and_all_of_it_afterwards() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open("/");
    scene.tab.key("p");
    scene
        .tab
        .until("document.querySelector('#live').innerText === 'paused'");
    let calls = scene.tab.requested().len();
    new_session(&scene, 1);
    new_session(&scene, 2);
    assert_eq!(scene.tab.requested().len(), calls);
    assert_eq!(
        scene.tab.eval("document.querySelector('#new').hidden"),
        true
    );
    scene.tab.click("#pause");
    scene
        .tab
        .until("document.querySelector('#new').innerText.startsWith('2 new sessions')");
    scene.assert_clean();
}

#[test]
fn search_and_filters_are_in_the_url() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open("/");
    scene.tab.key("/");
    scene.tab.type_in("lighthouse");
    scene.tab.key("Enter");
    scene.tab.until(
        "location.search === '?q=lighthouse' && document.querySelectorAll('tbody tr').length === 1",
    );
    scene.tab.until("document.querySelector('tbody tr td.outcome').innerText === '200 client left after 4.12 s'");
    scene.open("/?errors=1");
    let failed = scene.tab.text("tbody");
    assert!(
        failed.contains("502 error") && failed.contains("panicked"),
        "{failed}"
    );
    assert!(!failed.contains("Norway"), "{failed}");
    scene.tab.click("a.chip[href*='gpt-4o-mini']");
    scene.tab.until("location.search.includes('model=gpt-4o-mini') && document.querySelectorAll('.chip.on').length === 2");
    scene.open("/?q=there+is+no+such+word");
    assert!(scene.tab.text("main").contains("No session matches"));
    scene.assert_clean();
}

#[test]
fn keys_go_through_the_list_and_open_a_session() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open("/");
    scene.tab.key("j");
    scene.tab.key("j");
    scene.tab.key("k");
    assert_eq!(
        scene.tab.eval("document.querySelector('tr.on').dataset.id"),
        RETURNS
    );
    scene.tab.key("?");
    scene.tab.until("document.querySelector('#keys').open");
    scene.tab.click("#keys button");
    scene.tab.key("l");
    scene
        .tab
        .until(&format!("location.pathname === '/sessions/{RETURNS}'"));
    scene.assert_clean();
}

#[test]
fn hostile_names_and_values_are_only_text() {
    let Some(mut scene) = Scene::new() else {
        return;
    };
    scene.runtime.block_on(scene.shop.hostile());
    for path in [
        "/".to_owned(),
        format!("/sessions/{HOSTILE}"),
        "/orphans".to_owned(),
        "/requests/2".to_owned(),
    ] {
        for width in [1440, 390] {
            scene.tab.resize(width, 800);
            scene.open(&path);
            assert_eq!(scene.tab.count("img, main script"), 0, "{path}");
            assert!(
                scene
                    .tab
                    .text("main")
                    .contains("<script>alert('x')</script>"),
                "{path}"
            );
            assert_fits(&mut scene, &path);
        }
    }
    scene.open_session(HOSTILE);
    for tab in ["chat", "inputs", "outputs", "attributes", "raw"] {
        scene.tab.click(&format!("[data-tab={tab}]"));
        assert_eq!(scene.tab.count("img, main script"), 0, "{tab}");
        assert!(
            scene
                .tab
                .text("#panel")
                .contains("<script>alert('x')</script>"),
            "{tab}"
        );
        assert_fits(&mut scene, tab);
    }
    scene.assert_clean();
}

#[test]
fn nothing_runs_off_a_phone_sideways() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.tab.resize(390, 844);
    for path in [
        "/",
        "/orphans",
        "/requests",
        "/requests/1",
        "/datasets",
        "/experiments",
        &format!("/experiments/{NEW_RUN}"),
        &format!("/experiments/{NEW_RUN}/compare/{OLD_RUN}"),
        &format!("/sessions/{RETURNS}"),
        "/sessions/none",
    ] {
        scene.open(path);
        assert_fits(&mut scene, path);
    }
    // The last page is one that is not there, and says so with 404.
    let errors = scene.tab.errors();
    assert!(
        errors.iter().all(|error| error.contains("404")),
        "{errors:?}"
    );
}

#[test]
fn nothing_runs_off_a_narrow_window_sideways() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.runtime.block_on(scene.shop.hostile());
    for width in [901, 1024, 1151, 1280] {
        scene.tab.resize(width, 760);
        for path in [
            "/",
            &format!("/experiments/{NEW_RUN}/compare/{OLD_RUN}"),
            &format!("/sessions/{HOSTILE}"),
        ] {
            scene.open(path);
            assert_fits(&mut scene, &format!("{path} at {width}"));
        }
    }
    scene.assert_clean();
}

#[test]
fn no_head_of_a_table_lies_over_its_rows() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    let covered = "[...document.querySelectorAll('table')].filter((table) => table.querySelector('th').getBoundingClientRect().bottom > table.querySelector('td').getBoundingClientRect().top + 1 && table.querySelector('th').offsetParent).length";
    for width in [390, 1000, 1280] {
        scene.tab.resize(width, 844);
        for path in [
            format!("/experiments/{NEW_RUN}"),
            format!("/experiments/{NEW_RUN}/compare/{OLD_RUN}"),
        ] {
            scene.open(&path);
            assert_eq!(scene.tab.eval(covered), 0, "{path} at {width}");
        }
    }
    scene.assert_clean();
}

#[test]
fn dark_mode_is_what_the_reader_has_chosen() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    let brightness = "getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)";
    scene.open("/");
    scene.tab.scheme("light");
    assert!(scene.tab.eval(brightness).as_f64().unwrap() > 700.0);
    scene.tab.scheme("dark");
    assert!(scene.tab.eval(brightness).as_f64().unwrap() < 100.0);
    scene.assert_clean();
}

fn assert_fits(scene: &mut Scene, what: &str) {
    let wide = scene
        .tab
        .eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert_eq!(wide, 0, "{what} is wider than the window");
}
