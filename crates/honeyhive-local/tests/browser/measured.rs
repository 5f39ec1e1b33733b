//! The test measures the times until pages are shown: `cargo test --release -p honeyhive-local --test browser --
//! --ignored --nocapture measured` prints the lines of the README.

use crate::Scene;

const LARGE: &str = "1a26e000-0d2c-4c0e-9f43-0a6cf1a0d011";
const TIMES: usize = 9;

/// The script notes when a page's condition holds for the first time, in milliseconds since the visit began.
const WATCH: &str = "new MutationObserver(() => { window.shown ??= CONDITION ? performance.now() : undefined; })\
     .observe(document, { childList: true, subtree: true });";

#[test]
#[ignore = "prints times, which are no test"]
fn measured_pages() {
    let mut scene = Scene::new().expect("a Chromium");
    scene.runtime.block_on(scene.shop.large(LARGE, 5_000));
    report(
        &mut scene,
        "a session of 5,000 events",
        &format!("/sessions/{LARGE}"),
        "document.querySelector('#tree .row.on') && document.querySelector('#panel')?.children.length > 0",
    );
    report(
        &mut scene,
        "the page of sessions",
        "/",
        "document.querySelector('table.list tbody tr')",
    );
}

fn report(scene: &mut Scene, what: &str, path: &str, condition: &str) {
    scene
        .tab
        .on_every_page(&WATCH.replace("CONDITION", condition));
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            scene.tab.open("about:blank");
            scene.open(path);
            scene.tab.until("window.shown");
            scene.tab.eval("window.shown").as_f64().expect("a time")
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "{what}: shown after {:.0} ms in the median of {TIMES}, {:.0} ms at worst, with {} nodes",
        times[TIMES / 2],
        times[TIMES - 1],
        scene.tab.count("*")
    );
}
