//! A real Chromium shows the pages. Without one the tests say so and pass, unless `HONEYHIVE_LOCAL_BROWSER=required`.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests may panic and talk as the tests may"
)]

mod chromium;
mod experiments;
mod measured;
mod pictures;
#[path = "../../examples/seeded/seed/mod.rs"]
mod seed;
mod session;
mod sessions;

use chromium::{Chromium, Tab};
use honeyhive_local::LocalServer;
use seed::Shop;

/// A `Scene` has a server, a client of it and a tab of a browser.
struct Scene {
    server: LocalServer,
    shop: Shop,
    tab: Tab,
    runtime: tokio::runtime::Runtime,
    _browser: Chromium,
}

impl Scene {
    fn new() -> Option<Self> {
        let browser = Chromium::start()?;
        let server = LocalServer::builder()
            .start_blocking()
            .expect("a free port");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Some(Self {
            shop: Shop::new(&server.url()),
            tab: browser.tab(1440, 760),
            runtime: runtime.expect("a runtime"),
            server,
            _browser: browser,
        })
    }

    /// Returns a scene with everything of the example.
    fn seeded() -> Option<Self> {
        let scene = Self::new()?;
        scene
            .runtime
            .block_on(seed::everything(&scene.server.url()));
        Some(scene)
    }

    fn open(&mut self, path: &str) {
        let url = self.server.url() + path;
        self.tab.open(&url);
        self.tab
            .until("document.querySelector('#live')?.className === 'live live'");
    }

    /// Opens the session's page, and waits until its tree is drawn and an event is shown.
    fn open_session(&mut self, id: &str) {
        self.open(&format!("/sessions/{id}"));
        self.tab.until("document.querySelector('#tree .row.on') && document.querySelector('#panel').children.length > 0");
    }

    /// Asserts the promises of every page, whatever was done on it.
    fn assert_clean(&mut self) {
        assert_eq!(self.tab.errors(), Vec::<String>::new());
        let own = self.server.url();
        let elsewhere = self
            .tab
            .requested()
            .into_iter()
            .filter(|url| !url.starts_with(&own) && url != "about:blank");
        assert_eq!(elsewhere.collect::<Vec<_>>(), Vec::<String>::new());
    }
}
