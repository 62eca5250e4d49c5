//! A page in a real browser: Chromium, headless, over its DevTools protocol.
//!
//! Without a browser the tests say so and do nothing; with `MORPHSCAPE_REQUIRE_BROWSER=1`, as
//! in CI, that is a failure.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this module"
)]

use crate::devtools::{Browser, executable};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A page in a browser of its own, with what it asked for and what it complained of.
pub struct Page {
    browser: Mutex<Browser>,
}

/// A place in the window, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// A preference for no motion: what scrolls smoothly is elsewhere when it is clicked.
static STILL: LazyLock<Value> =
    LazyLock::new(|| json!({"name": "prefers-reduced-motion", "value": "reduce"}));

/// What a browser draws or computes with; both are software, SwiftShader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graphics {
    WebGl,
    WebGpu,
}

impl Graphics {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::WebGl => &[
                "--disable-gpu",
                "--use-gl=angle",
                "--use-angle=swiftshader",
                "--enable-unsafe-swiftshader",
            ],
            Self::WebGpu => &[
                "--enable-unsafe-webgpu",
                "--use-webgpu-adapter=swiftshader",
                "--enable-features=Vulkan",
            ],
        }
    }
}

impl Page {
    /// Opens the page of a run and waits until all of it is there.
    pub fn open(file: &Path) -> Option<Self> {
        Self::open_until(file, "document.documentElement.dataset.ready === 'full'")
    }

    pub fn open_until(file: &Path, condition: &str) -> Option<Self> {
        Self::open_address(&format!("file://{}", file.display()), condition)
    }

    /// Opens an address and waits until a condition holds.
    pub fn open_address(address: &str, condition: &str) -> Option<Self> {
        Self::open_with(Graphics::WebGl, address, condition)
    }

    /// The same in a browser that has these graphics.
    pub fn open_with(graphics: Graphics, address: &str, condition: &str) -> Option<Self> {
        let Some(executable) = executable() else {
            let wanted = "Chromium or Chrome on the path, or its file in CHROME";
            assert!(
                std::env::var("MORPHSCAPE_REQUIRE_BROWSER").as_deref() != Ok("1"),
                "MORPHSCAPE_REQUIRE_BROWSER=1, and there is no browser; expected {wanted}"
            );
            println!("the page is not tested; expected {wanted}");
            return None;
        };
        let mut browser = Browser::start(&executable, graphics.flags());
        browser.call("Emulation.setEmulatedMedia", json!({"features": [*STILL]}));
        browser.load("Page.navigate", json!({"url": address}));
        let page = Self {
            browser: Mutex::new(browser),
        };
        page.wait(condition);
        Some(page)
    }

    fn browser(&self) -> MutexGuard<'_, Browser> {
        self.browser.lock().expect("a browser")
    }

    /// Calls a method of the protocol.
    pub fn call(&self, method: &str, parameters: Value) -> Value {
        self.browser().call(method, parameters)
    }

    pub fn reload(&self) {
        self.browser().load("Page.reload", json!({}));
    }

    pub fn hover(&self, point: Point) {
        self.mouse("mouseMoved", point, json!({}));
    }

    pub fn click(&self, point: Point) {
        self.hover(point);
        self.pointer("mousePressed", point);
        self.pointer("mouseReleased", point);
    }

    /// Presses the left button, moves it pressed, or lets it go: `mousePressed`, `mouseMoved`,
    /// `mouseReleased`.
    pub fn pointer(&self, what: &str, point: Point) {
        let left = json!({"button": "left", "buttons": 1, "clickCount": 1});
        self.mouse(what, point, left);
    }

    /// Turns the wheel by so many pixels down.
    pub fn wheel(&self, point: Point, down: f64) {
        self.mouse("mouseWheel", point, json!({"deltaX": 0.0, "deltaY": down}));
    }

    fn mouse(&self, what: &str, point: Point, mut event: Value) {
        event["type"] = what.into();
        event["x"] = point.x.into();
        event["y"] = point.y.into();
        self.call("Input.dispatchMouseEvent", event);
    }

    /// What fingers do at these places: `touchStart`, `touchMove` or `touchEnd`.
    pub fn touch(&self, what: &str, places: &[[f64; 2]]) {
        let fingers = places.iter().enumerate();
        let fingers: Vec<Value> = fingers
            .map(|(id, [x, y])| json!({"id": id, "x": x, "y": y}))
            .collect();
        let event = json!({"type": what, "touchPoints": fingers});
        self.call("Input.dispatchTouchEvent", event);
    }

    /// Presses and lets go a key, by its name in the page's events.
    pub fn press(&self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            _ => 0,
        };
        let text = match key {
            "Enter" => "\r",
            _ if key.len() == 1 => key,
            _ => "",
        };
        for what in ["keyDown", "keyUp"] {
            let event =
                json!({"type": what, "key": key, "windowsVirtualKeyCode": code, "text": text});
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// The browser with all that the page has told so far: an answer comes behind it.
    fn told(&self) -> MutexGuard<'_, Browser> {
        let mut browser = self.browser();
        browser.call("Runtime.evaluate", json!({"expression": "0"}));
        browser
    }

    /// Addresses that the page asked for.
    pub fn requests(&self) -> Vec<String> {
        let browser = self.told();
        let events = browser.events.iter();
        let sent = events.filter(|(event, _)| event == "Network.requestWillBeSent");
        sent.filter_map(|(_, told)| told["request"]["url"].as_str().map(str::to_owned))
            .collect()
    }

    /// What the page and the browser say of it: its log, what it throws.
    pub fn complaints(&self) -> Vec<String> {
        let kinds = [
            "Log.entryAdded",
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
        ];
        let browser = self.told();
        let events = browser.events.iter();
        let said = events.filter(|(event, _)| kinds.contains(&event.as_str()));
        said.map(|(event, told)| format!("{event}: {told}"))
            .collect()
    }

    /// The value of an expression.
    pub fn value(&self, expression: &str) -> Value {
        self.evaluated(expression)
            .unwrap_or_else(|thrown| panic!("{expression}: {thrown}"))
    }

    /// The value of an expression, or what it throws; an error while another page comes.
    fn evaluated(&self, expression: &str) -> Result<Value, Value> {
        let order = json!({"expression": expression, "awaitPromise": true});
        let mut answer = self.browser().ask("Runtime.evaluate", order)?;
        match answer["exceptionDetails"].take() {
            Value::Null => Ok(answer["result"]["value"].take()),
            thrown => Err(thrown),
        }
    }

    pub fn text(&self, expression: &str) -> String {
        let value = self.value(expression);
        value
            .as_str()
            .unwrap_or_else(|| panic!("{expression}: expected a text, found {value}"))
            .to_owned()
    }

    pub fn number(&self, expression: &str) -> f64 {
        let value = self.value(expression);
        value
            .as_f64()
            .unwrap_or_else(|| panic!("{expression}: expected a number, found {value}"))
    }

    /// Waits until a condition holds; one that throws does not hold yet.
    pub fn wait(&self, condition: &str) {
        let started = Instant::now();
        loop {
            let found = self.evaluated(condition);
            if found == Ok(Value::Bool(true)) {
                return;
            }
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "{condition} does not come true, it is {found:?}; the page said {:?}",
                self.complaints()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Where a share of the way across an element lies in the window.
    pub fn place(&self, selector: &str, across: f64, down: f64) -> Point {
        self.value(&format!(
            "document.querySelector('{selector}').scrollIntoView({{block: 'center'}})"
        ));
        let measured = || {
            ["left", "top", "width", "height"].map(|side| {
                self.number(&format!(
                    "document.querySelector('{selector}').getBoundingClientRect().{side}"
                ))
            })
        };
        // The page may be scrolling.
        let mut sides = measured();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let again = measured();
            if again == sides {
                break;
            }
            sides = again;
        }
        let [left, top, width, height] = sides;
        Point {
            x: left + across * width,
            y: top + down * height,
        }
    }

    /// The red levels of a canvas, row by row.
    pub fn pixels(&self, selector: &str) -> Vec<f32> {
        let levels = self.text(&format!(
            "(() => {{ const c = document.querySelector('{selector}');
            const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', {{willReadFrequently: true}});
            copy.drawImage(c, 0, 0);
            const data = copy.getImageData(0, 0, c.width, c.height).data;
            return JSON.stringify(Array.from(data).filter((_, k) => k % 4 === 0)); }})()"
        ));
        serde_json::from_str(&levels).expect("numbers")
    }

    /// The page asked nothing of a network and complained of nothing.
    pub fn assert_quiet(&self) {
        self.assert_asked_only(&["file:", "data:", "blob:"]);
    }

    /// The page asked for nothing but addresses that begin so, and complained of nothing.
    pub fn assert_asked_only(&self, begin: &[&str]) {
        let requests = self.requests();
        assert!(!requests.is_empty(), "the page itself is asked for");
        for url in requests {
            assert!(
                begin.iter().any(|begin| url.starts_with(begin)),
                "a request to {}",
                &url[..url.len().min(200)]
            );
        }
        let complaints = self.complaints();
        let ours: Vec<&String> = complaints
            .iter()
            // What Chromium says of reading pixels back under software GL, which plotly's
            // picking does.
            .filter(|text| !text.contains("GPU stall due to ReadPixels"))
            .collect();
        assert!(ours.is_empty(), "{ours:?}");
    }

    /// In windows of these widths the page never scrolls sideways.
    pub fn assert_fits(&self, widths: &[u32]) {
        for &width in widths {
            let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1.0,
                "mobile": width < 600});
            self.call("Emulation.setDeviceMetricsOverride", metrics);
            self.wait(&format!("window.innerWidth === {width}"));
            std::thread::sleep(Duration::from_millis(300));
            let scrolled = self.number("document.documentElement.scrollWidth");
            assert!(scrolled <= f64::from(width), "{scrolled} pixels in {width}");
        }
    }

    /// In a window of this width no column of a table is left out.
    pub fn assert_tables_whole(&self, width: u32) {
        self.assert_fits(&[width]);
        let cells = "[...document.querySelectorAll('th, td')]";
        let hidden = "(cell) => getComputedStyle(cell).display === 'none'";
        let hidden = self.number(&format!("{cells}.filter({hidden}).length"));
        assert_eq!(hidden, 0.0, "cells hidden in {width} pixels");
    }

    /// The page as who prefers this theme, `light` or `dark`, sees it.
    pub fn prefer(&self, theme: &str) {
        let preferred = json!({"name": "prefers-color-scheme", "value": theme});
        self.call(
            "Emulation.setEmulatedMedia",
            json!({"features": [*STILL, preferred]}),
        );
        self.wait(&format!(
            "window.matchMedia('(prefers-color-scheme: {theme})').matches"
        ));
    }

    /// axe finds nothing serious in what is shown; nothing is looked at where axe is not there.
    pub fn assert_usable(&self, what: &str) {
        let place = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("target/axe/node_modules/axe-core/axe.min.js");
        let Ok(axe) = std::fs::read_to_string(&place) else {
            let place = place.display();
            assert!(
                std::env::var("MORPHSCAPE_REQUIRE_AXE").as_deref() != Ok("1"),
                "MORPHSCAPE_REQUIRE_AXE=1, and {place} is not there"
            );
            println!("accessibility is not tested: {place} is not there");
            return;
        };
        self.value(&format!("{axe}; 0"));
        let found = self.text(
            "axe.run().then(({violations}) => JSON.stringify(violations
                .filter(({impact}) => ['serious', 'critical'].includes(impact))
                .map(({id, nodes}) => [id, ...nodes.map(({target, failureSummary}) => `${target} ${failureSummary}`)])))",
        );
        assert_eq!(found, "[]", "{what}");
    }
}
