//! Chromium over its DevTools protocol, one page, by a pipe each way: JSON texts that end in a zero byte.
//! <https://chromedevtools.github.io/devtools-protocol/>
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this module"
)]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The browser: what `CHROME` names, or one of the usual names on the path.
pub fn executable() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROME") {
        return Some(named.into());
    }
    let names = [
        "google-chrome-stable",
        "google-chrome",
        "chromium",
        "chromium-browser",
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let on_path = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let bundled = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
    on_path
        .chain([bundled.into()])
        .find(|file: &PathBuf| file.is_file())
}

/// A browser with one page; it ends with this.
pub struct Browser {
    process: Child,
    orders: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    number: u64,
    /// What the page told of itself: method and parameters, in order.
    pub events: Vec<(String, Value)>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts the browser at `executable` with an empty page and a profile of its own.
    pub fn start(executable: &Path, flags: &[&str]) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        // It reads from file 3 and writes to file 4, which only a shell can open without unsafe code.
        let mut process = Command::new("sh")
            .arg("-c")
            .arg("exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null")
            .arg(executable)
            .args(["--headless", "--remote-debugging-pipe", "--no-sandbox"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(flags)
            .args([
                "--window-size=1300,1600",
                "--force-color-profile=srgb",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-background-timer-throttling",
                "--disable-backgrounding-occluded-windows",
                "--disable-breakpad",
                "--disable-component-update",
                "--disable-default-apps",
                "--disable-dev-shm-usage",
                "--disable-extensions",
                "--disable-renderer-backgrounding",
                "--disable-sync",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        let orders = process.stdin.take().expect("a pipe");
        let told = BufReader::new(process.stdout.take().expect("a pipe"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in told.split(0) {
                let message = message.ok().and_then(|m| serde_json::from_slice(&m).ok());
                // The browser has ended, or nobody listens any more.
                let Some(message) = message else { return };
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            process,
            orders,
            messages,
            session: None,
            number: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let page = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let target = json!({"targetId": page["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", target);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// What a method answers; panics where it answers with an error.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.ask(method, parameters)
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// What a method answers, or its error.
    pub fn ask(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.number += 1;
        let mut order = json!({"id": self.number, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            order["sessionId"] = session.as_str().into();
        }
        let mut text = order.to_string().into_bytes();
        text.push(0);
        self.orders
            .write_all(&text)
            .expect("the browser takes orders");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut message = self.next(method, deadline);
            if message["id"] == self.number {
                return match message["error"].take() {
                    Value::Null => Ok(message["result"].take()),
                    error => Err(error),
                };
            }
        }
    }

    /// Does something that loads a page, and waits until it is loaded.
    pub fn load(&mut self, method: &str, parameters: Value) {
        let told = self.events.len();
        let answer = self.call(method, parameters);
        let error = &answer["errorText"];
        assert!(error.is_null(), "{method}: {error}");
        let deadline = Instant::now() + PATIENCE;
        while !is_loaded(&self.events[told..], &answer["loaderId"]) {
            self.next(method, deadline);
        }
    }

    /// The next message; events are kept.
    fn next(&mut self, what: &str, deadline: Instant) -> Value {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut message = (self.messages.recv_timeout(left))
            .unwrap_or_else(|error| panic!("{what}: the browser does not answer: {error}"));
        if let Some(event) = message["method"].as_str().map(str::to_owned) {
            self.events.push((event, message["params"].take()));
        }
        message
    }
}

/// Whether another page came, the one of this loader where it is known, and was loaded. The page
/// before may still tell that it is.
fn is_loaded(events: &[(String, Value)], loader: &Value) -> bool {
    let came = |told: &Value| loader.is_null() || told["frame"]["loaderId"] == *loader;
    let mut events = events.iter();
    events.any(|(event, told)| event == "Page.frameNavigated" && came(told))
        && events.any(|(event, _)| event == "Page.loadEventFired")
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself; a profile in use cannot be removed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
