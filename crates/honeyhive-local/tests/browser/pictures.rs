//! The READMEs have pictures: `crates/honeyhive-local/pictures/make` draws them.

use std::{env, fs};

use crate::Scene;
use crate::seed::{NEW_RUN, OLD_RUN, RETURNS};

const LARGEST: usize = 200 * 1024;

#[test]
#[ignore = "writes the pictures of the READMEs into HONEYHIVE_LOCAL_PICTURES"]
fn pictures_are_drawn() {
    let folder =
        env::var("HONEYHIVE_LOCAL_PICTURES").expect("a folder in HONEYHIVE_LOCAL_PICTURES");
    let mut scene = Scene::seeded().expect("a Chromium");
    for scheme in ["light", "dark"] {
        scene.tab.scheme(scheme);
        scene.open("/");
        keep(&mut scene, &folder, &format!("sessions-{scheme}"));
        scene.open_session(RETURNS);
        keep(&mut scene, &folder, &format!("session-{scheme}"));
        scene.open(&format!("/experiments/{NEW_RUN}/compare/{OLD_RUN}"));
        keep(&mut scene, &folder, &format!("comparison-{scheme}"));
    }
    scene.tab.resize(390, 844);
    scene.open("/");
    keep(&mut scene, &folder, "sessions-phone");
    scene.open_session(RETURNS);
    keep(&mut scene, &folder, "session-phone");
}

fn keep(scene: &mut Scene, folder: &str, name: &str) {
    let picture = scene.tab.picture();
    assert!(
        picture.len() <= LARGEST,
        "{name} has {} bytes",
        picture.len()
    );
    fs::write(format!("{folder}/{name}.png"), picture).expect("the folder is there");
}
