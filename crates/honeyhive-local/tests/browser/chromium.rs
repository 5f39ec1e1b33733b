//! The tests drive a real Chromium without a window over its DevTools protocol.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// Debian, Ubuntu, Fedora, macOS and the like have Chromium in one of these places.
const PROGRAMS: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
];

/// Nothing ever takes this long when it works.
const AMPLE: Duration = Duration::from_secs(60);

/// A `Chromium` is a browser; dropping it ends the browser.
pub(crate) struct Chromium {
    child: Child,
    folder: PathBuf,
    address: String,
}

impl Chromium {
    /// Starts a browser with an empty profile; `None` where none is installed: then the test says so and passes, unless
    /// `HONEYHIVE_LOCAL_BROWSER=required`.
    pub(crate) fn start() -> Option<Self> {
        let found = PROGRAMS.iter().find_map(|program| Self::launch(program));
        let required = env::var("HONEYHIVE_LOCAL_BROWSER").is_ok_and(|value| value == "required");
        assert!(found.is_some() || !required, "no Chromium is installed");
        if found.is_none() {
            println!("skipped: no Chromium is installed (on Debian: apt-get install chromium)");
        }
        found
    }

    fn launch(program: &str) -> Option<Self> {
        let folder = env::temp_dir().join(format!("honeyhive-local-{}", uuid::Uuid::new_v4()));
        let profile = format!("--user-data-dir={}", folder.display());
        let mut command = Command::new(program);
        command.args(FLAGS).arg(profile).arg("about:blank");
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let port_file = folder.join("DevToolsActivePort");
        let port = eventually("the browser listens", || {
            fs::read_to_string(&port_file)
                .ok()
                .filter(|text| text.contains('/'))
        });
        let (port, path) = port.split_once('\n').expect("a port and a path");
        Some(Self {
            child,
            folder,
            address: format!("ws://127.0.0.1:{port}{}", path.trim()),
        })
    }

    /// Opens a new tab of this size.
    pub(crate) fn tab(&self, width: u32, height: u32) -> Tab {
        let address = self.address.strip_prefix("ws://").expect("a plain address");
        let host = address.split('/').next().expect("a host");
        let stream = TcpStream::connect(host).expect("the browser listens");
        let (socket, _) = tungstenite::client(&self.address, stream).expect("a web socket");
        let soon = Some(Duration::from_millis(50));
        socket.get_ref().set_read_timeout(soon).expect("a timeout");
        let mut tab = Tab {
            socket,
            session: None,
            last: 0,
            events: VecDeque::new(),
        };
        let target = tab.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = tab.call(
            "Target.attachToTarget",
            json!({ "targetId": target["targetId"], "flatten": true }),
        );
        tab.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in [
            "Page.enable",
            "Runtime.enable",
            "Network.enable",
            "Log.enable",
        ] {
            tab.call(domain, json!({}));
        }
        tab.resize(width, height);
        tab
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A `Tab` has all that the browser has told of it.
pub(crate) struct Tab {
    socket: WebSocket<TcpStream>,
    session: Option<String>,
    last: u64,
    events: VecDeque<Value>,
}

impl Tab {
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let phone = width < 600;
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone }),
        );
    }

    /// Sets the colour scheme: `dark` or `light`.
    pub(crate) fn scheme(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        );
    }

    /// Goes to a page and waits until it is loaded.
    pub(crate) fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url }));
        self.until(&format!(
            "location.href.startsWith({}) && document.readyState === 'complete'",
            json!(url)
        ));
    }

    /// Runs a script on every page that is opened from now on, before those of the page itself.
    pub(crate) fn on_every_page(&mut self, script: &str) {
        let asked = json!({ "source": script });
        self.call("Page.addScriptToEvaluateOnNewDocument", asked);
    }

    /// Returns the value of an expression, with promises awaited.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    pub(crate) fn text(&mut self, selector: &str) -> String {
        let text = self.eval(&format!(
            "document.querySelector({})?.innerText ?? ''",
            json!(selector)
        ));
        text.as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn count(&mut self, selector: &str) -> u64 {
        let count = self.eval(&format!(
            "document.querySelectorAll({}).length",
            json!(selector)
        ));
        count.as_u64().unwrap_or_default()
    }

    /// Waits until an expression holds.
    pub(crate) fn until(&mut self, expression: &str) {
        let deadline = Instant::now() + AMPLE;
        loop {
            let asked =
                json!({ "expression": format!("Boolean({expression})"), "returnByValue": true });
            // A page that is being left cannot be asked; the next one can.
            if self.call("Runtime.evaluate", asked)["result"]["value"] == true {
                return;
            }
            if Instant::now() >= deadline {
                panic!(
                    "never held: {expression}; the console says {:?}",
                    self.errors()
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn click(&mut self, selector: &str) {
        let place = self.place_of(selector);
        for kind in ["mousePressed", "mouseReleased"] {
            self.call("Input.dispatchMouseEvent", json!({ "type": kind, "x": place.0, "y": place.1, "button": "left", "clickCount": 1 }));
        }
    }

    /// Puts the pointer over an element.
    pub(crate) fn point_at(&mut self, selector: &str) -> (f64, f64) {
        let place = self.place_of(selector);
        self.call(
            "Input.dispatchMouseEvent",
            json!({ "type": "mouseMoved", "x": place.0, "y": place.1 }),
        );
        place
    }

    fn place_of(&mut self, selector: &str) -> (f64, f64) {
        let expression = format!(
            "(() => {{ const box = document.querySelector({}).getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            json!(selector)
        );
        let place = self.eval(&expression);
        (place[0].as_f64().expect("x"), place[1].as_f64().expect("y"))
    }

    /// Presses a key of one character, or `Enter`.
    pub(crate) fn key(&mut self, key: &str) {
        let text = if key == "Enter" { "\r" } else { key };
        self.call(
            "Input.dispatchKeyEvent",
            json!({ "type": "keyDown", "key": key, "text": text }),
        );
        self.call(
            "Input.dispatchKeyEvent",
            json!({ "type": "keyUp", "key": key }),
        );
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Returns the page as a picture.
    pub(crate) fn picture(&mut self) -> Vec<u8> {
        use base64::Engine;
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let data = shot["data"].as_str().expect("a picture");
        base64::engine::general_purpose::STANDARD
            .decode(data)
            .expect("base64")
    }

    /// Returns the errors in the console so far, exceptions and refused loads among them.
    pub(crate) fn errors(&mut self) -> Vec<String> {
        self.eval("1");
        let told = self
            .events
            .iter()
            .filter_map(|event| match event["method"].as_str()? {
                "Runtime.exceptionThrown" => Some(event["params"]["exceptionDetails"].to_string()),
                "Runtime.consoleAPICalled" if event["params"]["type"] == "error" => {
                    Some(event["params"]["args"].to_string())
                }
                "Log.entryAdded" if event["params"]["entry"]["level"] == "error" => {
                    Some(event["params"]["entry"].to_string())
                }
                _ => None,
            });
        told.collect()
    }

    /// Returns all addresses that were asked for so far.
    pub(crate) fn requested(&mut self) -> Vec<String> {
        self.eval("1");
        let sent = self
            .events
            .iter()
            .filter(|event| event["method"] == "Network.requestWillBeSent");
        let urls = sent.filter_map(|event| event["params"]["request"]["url"].as_str());
        urls.map(str::to_owned).collect()
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        let mut message = json!({ "id": id, "method": method });
        message["params"] = params;
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.socket
            .send(Message::text(message.to_string()))
            .expect("the browser listens");
        let deadline = Instant::now() + AMPLE;
        while Instant::now() < deadline {
            let Some(told) = self.receive() else { continue };
            if told["id"] == id {
                return told["result"].clone();
            }
            self.events.push_back(told);
        }
        panic!("{method} was not answered");
    }

    /// Returns the next message, if one comes soon.
    fn receive(&mut self) -> Option<Value> {
        match self.socket.read() {
            Ok(message) => serde_json::from_str(message.to_text().ok()?).ok(),
            Err(tungstenite::Error::Io(_)) => None,
            Err(error) => panic!("the browser has gone: {error}"),
        }
    }
}

/// Asks until there is an answer.
fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + AMPLE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "it never was: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
