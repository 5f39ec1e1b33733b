//! Experiments have pages, and so does the comparison of two.

use crate::Scene;
use crate::seed::{NEW_RUN, OLD_RUN};

#[test]
fn two_runs_are_compared_metric_by_metric_and_datapoint_by_datapoint() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open("/experiments");
    scene.tab.click("tbody tr:first-child a.link");
    scene.tab.until(&format!(
        "location.pathname === '/experiments/{NEW_RUN}/compare/{OLD_RUN}'"
    ));
    scene
        .tab
        .until("document.readyState === 'complete' && document.querySelector('svg.forest')");
    let facts = scene.tab.text("main .facts");
    assert!(facts.contains("48 datapoints in both"), "{facts}");
    let rows = "[...document.querySelectorAll('main table:first-of-type tr[class]')].map((row) => [row.cells[0].innerText, row.cells[6].innerText.split(';')[0]].join(': ')).join(', ')";
    assert_eq!(
        scene.tab.eval(rows),
        "duration: worse, exact_match: no difference shown, helpful: better"
    );
    scene
        .tab
        .click("a.chip[href*='metric=exact_match'][href*='show=better']");
    scene
        .tab
        .until("document.querySelector('.chip.on')?.innerText.startsWith('better')");
    let shown = scene.tab.text("#points + .bar + table tbody");
    assert!(
        shown.contains("I am not sure.") && shown.contains("0 → 1"),
        "{shown}"
    );
    scene.assert_clean();
}

#[test]
fn a_run_shows_its_metrics_its_datapoints_and_leads_to_their_sessions() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open(&format!("/experiments/{NEW_RUN}"));
    assert!(scene.tab.text("main .facts").contains("support questions"));
    assert!(scene.tab.text("main table").contains("exact_match"));
    scene.tab.click("table.list tbody tr:first-child td.name a");
    scene
        .tab
        .until("location.pathname.startsWith('/sessions/7c1e')");
    scene.assert_clean();
}

#[test]
fn datasets_and_their_datapoints_are_shown() {
    let Some(mut scene) = Scene::seeded() else {
        return;
    };
    scene.open("/datasets");
    scene.tab.click("table.list tbody tr:first-child td.name a");
    scene
        .tab
        .until("document.querySelectorAll('tbody tr').length === 48");
    assert!(scene.tab.text("tbody").contains("Do you ship to Norway?"));
    scene.assert_clean();
}
